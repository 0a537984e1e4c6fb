//! How full a mounted file system is.

use std::io;
use std::path::Path;

/// So many of something: bytes, or inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// All there are; none where the file system has no fixed number of them.
    pub total: u64,
    /// The unused.
    pub free: u64,
    /// The unused that users other than root can have.
    pub available: u64,
}

/// The space, in bytes, and the inodes of what is mounted at a folder. A dead server or disk may keep the answer.
pub fn room(point: &Path) -> io::Result<(Count, Count)> {
    let told = rustix::fs::statvfs(point)?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    let space =
        Count { total: bytes(told.f_blocks), free: bytes(told.f_bfree), available: bytes(told.f_bavail) };
    Ok((space, Count { total: told.f_files, free: told.f_ffree, available: told.f_favail }))
}

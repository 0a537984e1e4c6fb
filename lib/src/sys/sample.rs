//! A block written to a mounted file system, made durable and read back: what tells whether its disk takes writes at
//! all, and how fast.
//!
//! Nobody sees the file: it has no name where the file system has such files (ext4, XFS and Btrfs do), and elsewhere
//! one of its own that is taken away before the block is written. A disk that hangs holds whoever does this for good:
//! it belongs into a [`super::hand`].

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::block::Aligned;

/// How much is written, in bytes: what direct I/O of every disk on sale can write at once.
const LENGTH: usize = 4096;
/// The file's name where it must have one.
const NAME: &str = ".ims-diskctl.check";

/// Why a write was refused, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// The file system is read-only.
    ReadOnly,
    /// There is no room.
    Full,
    /// The disk, or the file system after its disk failed, takes nothing.
    Lost,
    /// Something else, which says nothing of the disk.
    Other,
}

impl From<&io::Error> for Refused {
    /// The errors of block devices are those of the kernel's `blk_errors` (block/blk-core.c); `EUCLEAN` and `EBADMSG`
    /// are a file system that met its own damage.
    fn from(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::ROFS) => Self::ReadOnly,
            Some(Errno::NOSPC | Errno::DQUOT) => Self::Full,
            Some(
                Errno::IO
                | Errno::NODEV
                | Errno::NXIO
                | Errno::NOMEDIUM
                | Errno::TIMEDOUT
                | Errno::NOLINK
                | Errno::REMOTEIO
                | Errno::BADE
                | Errno::NODATA
                | Errno::ILSEQ
                | Errno::SHUTDOWN
                | Errno::UCLEAN
                | Errno::BADMSG,
            ) => Self::Lost,
            Some(_) | None => Self::Other,
        }
    }
}

/// Writes to what is mounted at a folder by this number of its mount table, and says how long the write and its fsync
/// took.
///
/// # Errors
/// Whatever the kernel answers; `EXDEV` when something else is mounted there by now, `EILSEQ` when what was read back
/// is not what was written.
pub fn write(point: &Path, mount: u32) -> io::Result<Duration> {
    let folder = opened(point, mount)?;
    let file = std::fs::File::from(nameless(&folder)?);
    let mut block = Aligned::new(LENGTH);
    // Never the same twice: a disk that kept the block of an earlier time would be found out.
    let mark = std::process::id().to_le_bytes().into_iter().chain(uptime());
    block.bytes().iter_mut().zip(mark.cycle()).for_each(|(byte, mark)| *byte = mark);
    let wanted = block.bytes().to_vec();
    let began = Instant::now();
    file.write_all_at(block.bytes(), 0)?;
    file.sync_all()?;
    let took = began.elapsed();
    block.bytes().fill(0);
    file.read_exact_at(block.bytes(), 0)?;
    if block.bytes() == wanted.as_slice() { Ok(took) } else { Err(Errno::ILSEQ.into()) }
}

/// The root of the very mount that is meant.
fn opened(point: &Path, mount: u32) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(point, flags, Mode::empty())?;
    let stat = rustix::fs::statx(&folder, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    // A kernel before 5.8 does not tell; there the path alone counts.
    let tells = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID);
    if tells && stat.stx_mnt_id != u64::from(mount) { Err(Errno::XDEV.into()) } else { Ok(folder) }
}

/// A file without a name, past the page cache where the file system can do that.
fn nameless(folder: &OwnedFd) -> io::Result<OwnedFd> {
    let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::from_raw_mode(0o600));
    let without_name = |more| rustix::fs::openat(folder, ".", flags | OFlags::TMPFILE | more, mode);
    match without_name(OFlags::DIRECT)
        .or_else(|e| if e == Errno::INVAL { without_name(OFlags::DSYNC) } else { Err(e) })
    {
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT) => named(folder.as_fd(), flags, mode),
        other => other.map_err(Into::into),
    }
}

fn named(folder: rustix::fd::BorrowedFd<'_>, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let away = || match rustix::fs::unlinkat(folder, NAME, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(e) => Err(e),
    };
    away()?; // left by a run that was killed
    let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::DSYNC;
    let file = rustix::fs::openat(folder, NAME, flags, mode)?;
    away()?;
    Ok(file)
}

/// The time since the start of the machine, as bytes.
fn uptime() -> [u8; 8] {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    (now.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::mount::Table;
    use super::*;

    #[test]
    fn a_block_is_written_to_the_mount_that_is_meant_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let id = |stat: rustix::fs::Statx| u32::try_from(stat.stx_mnt_id).unwrap();
        let stat = rustix::fs::statx(rustix::fs::CWD, &real, AtFlags::empty(), StatxFlags::MNT_ID).unwrap();
        let mount = id(stat);
        assert!(write(&real, mount).unwrap() > Duration::ZERO);
        assert_eq!(write(&real, mount + 1).unwrap_err().raw_os_error(), Some(Errno::XDEV.raw_os_error()));
        assert_eq!(std::fs::read_dir(&real).unwrap().count(), 0);
        let root = Table::load().unwrap().top_at(Path::new("/")).unwrap().id;
        let stat = rustix::fs::statx(rustix::fs::CWD, "/", AtFlags::empty(), StatxFlags::MNT_ID).unwrap();
        assert_eq!(id(stat), root, "the numbers of the mount table");
    }

    #[test]
    fn a_failed_disk_is_told_from_a_full_one_and_from_what_says_nothing() {
        for (errno, expected) in [
            (Errno::ROFS, Refused::ReadOnly),
            (Errno::NOSPC, Refused::Full),
            (Errno::IO, Refused::Lost),
            (Errno::BADE, Refused::Lost), // reserved for another
            (Errno::ACCESS, Refused::Other),
            (Errno::XDEV, Refused::Other),
        ] {
            assert_eq!(Refused::from(&io::Error::from(errno)), expected, "{errno}");
        }
    }

    #[test]
    fn a_file_with_a_name_is_taken_away_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let fd = rustix::fs::open(folder.path(), OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join(NAME)).unwrap();
        let made = named(fd.as_fd(), OFlags::RDWR, Mode::from_raw_mode(0o600)).unwrap();
        std::fs::File::from(made).write_all_at(b"x", 0).unwrap();
        assert_eq!(std::fs::read(elsewhere.path()).unwrap(), b"");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

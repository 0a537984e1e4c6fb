//! Files taken away, so that they are gone for good or come back.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::place::{denied, folder_of, link};
use crate::Fail;

/// Takes a file away and syncs its folder; says whether it was there. A symbolic link is not a file of ours.
pub fn remove(path: &Path) -> Result<bool, Fail> {
    let cannot = |e: Errno| denied(format!("cannot remove {}", path.display()), &e.into());
    let (folder, name) = folder_of(path)?;
    let found = match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(false),
        Err(e) => return Err(cannot(e)),
    };
    if found.is_symlink() {
        return Err(link(path));
    }
    if found.is_dir() {
        return Err(Fail::failed(format!("{} is a folder", path.display())));
    }
    // Out of the way first, so that it can come back when that is not sure to last.
    let aside = temporary(name);
    rustix::fs::renameat(&folder, name, &folder, &aside).map_err(cannot)?;
    if let Err(e) = rustix::fs::fsync(&folder) {
        return Err(match rustix::fs::renameat(&folder, &aside, &folder, name) {
            Ok(()) => cannot(e),
            Err(undo) => cannot(e).and_undo_failed(cannot(undo)),
        });
    }
    // Best effort, as above.
    let _ = rustix::fs::unlinkat(&folder, &aside, AtFlags::empty());
    Ok(true)
}

/// What we call a file of ours beside one of somebody's, until it is in its place or out of it.
pub(in crate::sys) fn temporary(name: &OsStr) -> PathBuf {
    PathBuf::from(format!(".{}.ims-{}", name.display(), std::process::id()))
}

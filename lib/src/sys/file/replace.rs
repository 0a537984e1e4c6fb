//! Files replaced: the new one written beside the old one, both exchanged, the folder synced.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, XattrFlags, renameat_with};
use rustix::io::Errno;

use super::place::{Existing, denied, existing, folder_of, is_link, link, not_regular};
use super::remove::temporary;
use crate::{Exit, Fail};

/// Replaces or creates a file: a temporary one beside it, owner, mode and extended attributes, fsync, both exchanged,
/// fsync of the folder. On failure the old file is as it was and the temporary one is gone; where even that fails,
/// the failure is `broken`.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Fail> {
    Staged::write(path, bytes)?.commit()
}

/// A file's new content, safely on the disk beside it but not yet in its place.
#[derive(Debug)]
pub struct Staged {
    folder: OwnedFd,
    path: PathBuf,
    temporary: PathBuf,
    /// The file that stood there when it was written.
    old: Option<Inode>,
    is_in_place: bool,
}

/// A file itself, whatever it is called.
type Inode = (u64, u64);

impl Staged {
    /// Writes and syncs the new content beside the file.
    pub fn write(path: &Path, bytes: &[u8]) -> Result<Self, Fail> {
        let cannot = |e: &io::Error| denied(format!("cannot write {}", path.display()), e);
        let (folder, name) = folder_of(path)?;
        let temporary = temporary(name);
        if is_link(folder.as_fd(), name) {
            return Err(link(path));
        }
        let old = match existing(folder.as_fd(), name).map_err(|e| cannot(&e))? {
            Existing::Nothing => None,
            Existing::Regular(old) => Some(old),
            Existing::Other => return Err(not_regular(path)),
        };
        match rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {} // left by a run that was killed, under a pid used again
            Err(e) => return Err(cannot(&e.into())),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&folder, &temporary, flags, Mode::from_raw_mode(0o600))
            .map_err(|e| cannot(&e.into()))?;
        let mut staged = Self { folder, path: path.to_owned(), temporary, old: None, is_in_place: false };
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes).map_err(|e| cannot(&e))?;
        match old {
            Some(old) => {
                like(&file, &old).map_err(|e| cannot(&e))?;
                staged.old = Some(inode(&rustix::fs::fstat(&old).map_err(|e| cannot(&e.into()))?));
            }
            None => rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644)).map_err(|e| cannot(&e.into()))?,
        }
        file.sync_all().map_err(|e| cannot(&e))?;
        Ok(staged)
    }

    /// Where the new content stands until then, for a checker to read.
    pub fn at(&self) -> PathBuf {
        self.path.with_file_name(&self.temporary)
    }

    /// Puts the new content in its place and syncs the folder. The old file stays beside it until the new one is
    /// sure to last, and is put back when it is not, or when it is not the file that was there before.
    pub fn commit(mut self) -> Result<(), Fail> {
        let cannot = |e: Errno| denied(format!("cannot write {}", self.path.display()), &e.into());
        let name = self.path.file_name().unwrap_or_default();
        let swap = |flags| renameat_with(&self.folder, &self.temporary, &self.folder, name, flags);
        let way = if self.old.is_some() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        match swap(way) {
            Ok(()) => {}
            // A file system that cannot, NFS for one.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::renameat(&self.folder, &self.temporary, &self.folder, name).map_err(cannot)?;
                self.is_in_place = true;
                return rustix::fs::fsync(&self.folder)
                    .map_err(|e| cannot(e).with_exit(Exit::Broken).hint("it is written and may not last"));
            }
            Err(Errno::NOENT | Errno::EXIST) => return Err(changed(&self.path)),
            Err(e) => return Err(cannot(e)),
        }
        let found = match self.old {
            Some(_) => inode_of(self.folder.as_fd(), self.temporary.as_os_str()),
            None => Ok(None),
        };
        let lasts = found.map_err(cannot).and_then(|found| {
            if found != self.old {
                return Err(changed(&self.path));
            }
            rustix::fs::fsync(&self.folder).map_err(cannot)
        });
        let Err(fail) = lasts else { return Ok(()) }; // the old file goes with us
        let undone = match self.old {
            Some(_) => swap(way),
            None => renameat_with(&self.folder, name, &self.folder, &self.temporary, way),
        };
        self.is_in_place = undone.is_err(); // then the old one is all there is of it
        match undone.map_err(cannot) {
            Ok(()) => Err(fail),
            Err(undo) => Err(fail.and_undo_failed(undo)),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_in_place {
            // Best effort: the name says whose it is, and the next run takes it away.
            let _ = rustix::fs::unlinkat(&self.folder, &self.temporary, AtFlags::empty());
        }
    }
}

fn inode(stat: &rustix::fs::Stat) -> Inode {
    (stat.st_dev, stat.st_ino)
}

fn inode_of(folder: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<Option<Inode>> {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Some(inode(&stat)))
}

fn changed(path: &Path) -> Fail {
    Fail::failed(format!("{} was changed by somebody else just now", path.display())).hint("run it again")
}

/// Gives a new file the owner, mode and extended attributes of the old one.
pub(in crate::sys) fn like(new: &std::fs::File, old: &std::fs::File) -> io::Result<()> {
    let meta = old.metadata()?;
    let mine = new.metadata()?;
    if (meta.uid(), meta.gid()) != (mine.uid(), mine.gid()) {
        std::os::unix::fs::fchown(new, Some(meta.uid()), Some(meta.gid()))?;
    }
    let mut names = vec![0u8; 65536];
    let length = match rustix::fs::flistxattr(old, &mut names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(e) => return Err(e.into()),
    };
    for name in names.get(..length).unwrap_or_default().split(|b| *b == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0u8; 65536];
        let length = rustix::fs::fgetxattr(old, name, &mut value)?;
        rustix::fs::fsetxattr(new, name, value.get(..length).unwrap_or_default(), XattrFlags::empty())?;
    }
    rustix::fs::fchmod(new, Mode::from_raw_mode(meta.mode() & 0o7777))?;
    Ok(())
}

//! Originals kept beside a file under another name, so that the very file can be given back: its bytes, owner,
//! mode, times and extended attributes.

use std::io::{self, Write};
use std::path::Path;

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::file::{Existing, denied, existing, folder_of, like, temporary};
use crate::{Exit, Fail};

/// Keeps a file under another name in the same folder, unless that name is taken; says whether it did.
///
/// It is a hard link, which costs no space and cannot be half made; where the file system has none, a copy.
pub fn keep(file: &Path, kept: &Path) -> Result<bool, Fail> {
    let cannot = |e: &io::Error| {
        Fail::io(Exit::Failed, format!("cannot keep {} as {}", file.display(), kept.display()), e)
    };
    let (folder, name) = folder_of(file)?;
    let other = kept.file_name().unwrap_or_default();
    match rustix::fs::linkat(&folder, name, &folder, other, AtFlags::empty()) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(false),
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::MLINK | Errno::NOSYS) => {
            return copy(file, kept).map_err(|e| cannot(&e));
        }
        Err(e) => return Err(cannot(&e.into())),
    }
    if let Err(e) = rustix::fs::fsync(&folder) {
        let fail = cannot(&e.into());
        return Err(match rustix::fs::unlinkat(&folder, other, AtFlags::empty()) {
            Ok(()) => fail,
            Err(undo) => fail.and_undo_failed(cannot(&undo.into())),
        });
    }
    Ok(true)
}

/// Copies a file with its owner, mode and extended attributes; the name stands there whole or not at all.
fn copy(file: &Path, kept: &Path) -> io::Result<bool> {
    let refused = |fail: Fail| io::Error::other(fail.to_string());
    let (folder, name) = folder_of(file).map_err(refused)?;
    let Existing::Regular(mut old) = existing(folder.as_fd(), name)? else {
        return Err(io::Error::other("not a regular file"));
    };
    let kept = kept.file_name().unwrap_or_default();
    let temporary = temporary(kept);
    match rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {} // left by a run that was killed, under a pid used again
        Err(e) => return Err(e.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut new =
        std::fs::File::from(rustix::fs::openat(&folder, &temporary, flags, Mode::from_raw_mode(0o600))?);
    let made = io::copy(&mut old, &mut new)
        .and_then(|_| new.flush())
        .and_then(|()| like(&new, &old))
        .and_then(|()| new.sync_all())
        .and_then(|()| {
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            rustix::fs::renameat_with(&folder, &temporary, &folder, kept, flags).map_err(Into::into)
        });
    match made {
        Ok(()) => rustix::fs::fsync(&folder).map(|()| true).map_err(Into::into),
        Err(e) => {
            rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty())?;
            if e.kind() == io::ErrorKind::AlreadyExists { Ok(false) } else { Err(e) }
        }
    }
}

/// Puts a kept original back in its file's place; the other name is gone afterwards.
pub fn give_back(kept: &Path, file: &Path) -> Result<(), Fail> {
    let cannot =
        |e: Errno| denied(format!("cannot give back {} from {}", file.display(), kept.display()), &e.into());
    let (folder, name) = folder_of(file)?;
    let other = kept.file_name().unwrap_or_default();
    let inode = |name| rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| stat.st_ino);
    let original = inode(other).map_err(cannot)?;
    if inode(name) == Ok(original) {
        // Both names are the same file; rename(2) would leave both.
        rustix::fs::unlinkat(&folder, other, AtFlags::empty()).map_err(cannot)?;
    } else {
        rustix::fs::renameat(&folder, other, &folder, name).map_err(cannot)?;
    }
    rustix::fs::fsync(&folder).map_err(cannot)
}

/// Takes away what runs of ours that were killed left beside a file; call it under the lock of its writers.
pub fn sweep(file: &Path) -> Result<(), Fail> {
    let (folder, name) = folder_of(file)?;
    let cannot =
        |e: Errno| Fail::io(Exit::Failed, format!("cannot clean up beside {}", file.display()), &e.into());
    let prefix = format!(".{}.ims-", name.display());
    let entries = rustix::fs::Dir::read_from(&folder).map_err(cannot)?;
    for entry in entries {
        let entry = entry.map_err(cannot)?;
        let found = entry.file_name().to_string_lossy().into_owned();
        let is_ours = found
            .strip_prefix(&prefix)
            .is_some_and(|pid| !pid.is_empty() && pid.chars().all(|c| c.is_ascii_digit()));
        if is_ours {
            rustix::fs::unlinkat(&folder, &found, AtFlags::empty()).map_err(cannot)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn a_kept_file_comes_back_as_the_very_file_it_was() {
        for keep_it in [keep, |file: &Path, kept: &Path| Ok(copy(file, kept).unwrap())] {
            let folder = tempfile::tempdir().unwrap();
            let (file, kept) = (folder.path().join("main.cf"), folder.path().join("main.cf.pre-ha"));
            std::fs::File::create(&file).unwrap().write_all(b"old").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
            let left = folder.path().join(format!(".main.cf.pre-ha.ims-{}", std::process::id()));
            std::fs::File::create(&left).unwrap();
            assert!(keep_it(&file, &kept).unwrap());
            assert!(!keep_it(&file, &kept).unwrap(), "the first one stays");
            super::super::file::replace(&file, b"new").unwrap();
            assert_eq!(std::fs::read(&kept).unwrap(), b"old");
            give_back(&kept, &file).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), b"old");
            assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
            sweep(&kept).unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_file_that_was_kept_and_not_changed_comes_back_too() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("a"), folder.path().join("a.pre-ha"));
        std::fs::File::create(&file).unwrap();
        keep(&file, &kept).unwrap();
        give_back(&kept, &file).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_what_our_own_runs_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".a.ims-12", ".a.ims-", ".a.ims-x", ".b.ims-12", "a"] {
            std::fs::File::create(folder.path().join(name)).unwrap();
        }
        sweep(&folder.path().join("a")).unwrap();
        assert!(!folder.path().join(".a.ims-12").exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}

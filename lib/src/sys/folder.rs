//! Folders that a node loses when it boots, made again with their owner and mode.

use std::path::Path;

use nix::unistd::User;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::sys::file::folder_of;
use crate::{Exit, Fail};

/// Makes a folder unless it is there; one that is there keeps its owner and mode. A run that is killed leaves none or
/// the whole.
pub fn make(path: &Path, owner: &str, mode: u32) -> Result<bool, Fail> {
    let cannot = |e: &std::io::Error| Fail::io(Exit::Failed, format!("cannot make {}", path.display()), e);
    let (parent, name) = folder_of(path)?;
    match rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => {}
        Err(e) => return Err(cannot(&e.into())),
        Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() => return Ok(false),
        Ok(_) => return Err(Fail::failed(format!("{} is not a folder", path.display()))),
    }
    let user = User::from_name(owner)
        .map_err(|e| cannot(&e.into()))?
        .ok_or_else(|| Fail::failed(format!("cannot make {}: no user '{owner}' here", path.display())))?;
    let temporary = format!(".{}.ims-{}", name.display(), std::process::id());
    match rustix::fs::mkdirat(&parent, &temporary, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(Errno::EXIST) => {} // left by a run that was killed, under a pid used again
        Err(e) => return Err(cannot(&e.into())),
    }
    let done = (|| -> std::io::Result<bool> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&parent, &temporary, flags, Mode::empty())?;
        std::os::unix::fs::fchown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode))?;
        match rustix::fs::renameat_with(&parent, &temporary, &parent, name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false), // made by somebody else meanwhile
            Err(e) => Err(e.into()),
        }
    })();
    if !matches!(done, Ok(true)) {
        // Best effort: it is empty, and its name says whose it is.
        let _ = rustix::fs::unlinkat(&parent, &temporary, AtFlags::REMOVEDIR);
    }
    done.map_err(|e| cannot(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_is_made_once_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dovecot");
        assert!(make(&path, "root", 0o750).unwrap());
        assert!(!make(&path, "root", 0o755).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o750);
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
        assert!(make(&folder.path().join("link"), "root", 0o755).is_err());
        assert!(make(&folder.path().join("x"), "nobody-of-that-name", 0o755).is_err());
        assert!(
            make(&folder.path().join("x"), "root", 0o755).unwrap(),
            "a failure leaves no half-made folder"
        );
    }
}

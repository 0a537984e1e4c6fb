//! A folder of root's own for a moment: what a server's checker is to read before it counts.

use std::path::{Path, PathBuf};

use fs_err as fs;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::os::unix::fs::DirBuilderExt;

use super::file;
use crate::{Exit, Fail, Host};

/// A folder below `/run/ims` that only root can enter, gone when it is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder.
    pub fn new(host: &Host) -> Result<Self, Fail> {
        let cannot = |e: &std::io::Error| Fail::io(Exit::Failed, "cannot make a folder for a checker", e);
        let above = host.path("/run/ims");
        fs::create_dir_all(&above).map_err(|e| cannot(&e))?;
        let path = above.join(format!("check-{}", std::process::id()));
        if file::is_there(&path)? {
            clear(&path).map_err(|e| cannot(&e))?; // of a run that was killed, under a pid used again
        }
        std::fs::DirBuilder::new().mode(0o700).create(&path).map_err(|e| cannot(&e))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, as old as one that nobody writes any more: Postfix naps until its main.cf is two
    /// seconds old.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fail> {
        let path = self.0.join(name);
        file::replace(&path, bytes)?;
        let long_ago = Timespec { tv_sec: 0, tv_nsec: 0 };
        let times = Timestamps { last_access: long_ago, last_modification: long_ago };
        rustix::fs::utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| Fail::io(Exit::Failed, format!("cannot date {}", path.display()), &e.into()))
    }
}

/// Removes the files in a folder and the folder; never more than one level.
fn clear(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        fs::remove_file(entry?.path())?;
    }
    fs::remove_dir(path)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: it is in /run, and the next run with this pid clears it.
        let _ = clear(&self.0);
    }
}

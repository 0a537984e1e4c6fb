//! Configuration files laid below a folder: templates filled in, with the owner and mode each needs.

use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;
use nix::unistd::User;

use super::super::script;

/// The owner of all mailboxes, by number: it needs no entry in a node's passwd.
pub const MAIL_UID: u32 = 5000;

/// Fills `@key@` in a template.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (key, value)| text.replace(&format!("@{key}@"), value))
}

/// A node's file tree as this process reaches it: `/`, `/proc/PID/root`, or a test's folder.
#[derive(Debug, Clone)]
pub struct Tree(PathBuf);

impl Tree {
    /// The tree whose `/` is this folder.
    pub fn below(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Where the node's path is.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Makes a folder and its parents.
    pub fn folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(self.path(path))
    }

    /// Makes a folder that a server owns and nobody else enters.
    pub fn folder_of(&self, path: &Path, uid: u32) -> io::Result<()> {
        self.folder(path)?;
        let path = self.path(path);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o700))?;
        chown(&path, Some(uid), Some(uid_group(uid)))
    }

    /// Writes a file that everyone may read.
    pub fn file(&self, path: &Path, text: &str) -> io::Result<()> {
        self.written(path, text, 0o644)
    }

    /// Writes a script.
    pub fn script(&self, path: &Path, text: &str) -> io::Result<()> {
        self.written(path, text, 0o755)
    }

    fn written(&self, path: &Path, text: &str, mode: u32) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            self.folder(folder)?;
        }
        let path = self.path(path);
        fs::write(&path, text)?;
        fs::set_permissions(&path, PermissionsExt::from_mode(mode))?;
        // Postfix reads a main.cf again and again until it is two seconds old, lest it reads one that is being edited.
        fs::File::options()
            .write(true)
            .open(&path)?
            .set_modified(SystemTime::now() - Duration::from_secs(10))?;
        if mode & 0o111 == 0 { Ok(()) } else { script::settle(&path) }
    }
}

/// The number of a user that a package made.
pub fn uid_of(name: &str) -> io::Result<u32> {
    match User::from_name(name)? {
        Some(user) => Ok(user.uid.as_raw()),
        None => Err(io::Error::other(format!("no user '{name}': is its package installed?"))),
    }
}

fn uid_group(uid: u32) -> u32 {
    User::from_uid(uid.into()).ok().flatten().map_or(uid, |user| user.gid.as_raw())
}

//! One edit of the registry: read under its lock, changed in memory, put in its place at once.

use std::path::{Path, PathBuf};

use ims::change::Change;
use ims::registry::{PATH, Registry};
use ims::sys::lock::Lock;
use ims::sys::{file, kept};
use ims::{Fail, Host};

use crate::cli;

/// The registry while it is edited. Others wait until it is dropped, unless it is only a dry run.
pub struct Draft {
    /// What it is to say.
    pub registry: Registry,
    _lock: Option<Lock>,
    path: PathBuf,
    old: Option<Vec<u8>>,
    /// Whether what was read had entries: a file of comments alone is somebody's and stays.
    had_entries: bool,
    dry_run: bool,
}

impl Draft {
    /// Reads the registry as it stands, under its lock.
    pub fn open(host: &Host, change: &cli::Change) -> Result<Self, Fail> {
        let lock = if change.dry_run { None } else { Some(Lock::named(host, "registry", change.timeout.0)?) };
        let path = host.path(PATH);
        if !change.dry_run && path.parent().is_some_and(Path::is_dir) {
            kept::sweep(&path)?;
        }
        let old = file::read(&path)?;
        let registry = Registry::parse(old.as_deref().unwrap_or_default(), &path)?;
        let had_entries = !registry.is_empty();
        Ok(Self { registry, _lock: lock, path, old, had_entries, dry_run: change.dry_run })
    }

    /// Puts it in the file's place; with the last entry the file goes too. A dry run only tells.
    pub fn commit(self) -> Result<Change, Fail> {
        let new = if !self.registry.is_empty() {
            Some(self.registry.bytes())
        } else if self.had_entries {
            None
        } else {
            self.old.clone()
        };
        let told = Change::of(Path::new(PATH), self.old.as_deref(), new.as_deref(), self.dry_run);
        if told.changed && !self.dry_run {
            match &new {
                Some(bytes) => file::replace(&self.path, bytes)?,
                None => drop(file::remove(&self.path)?),
            }
        }
        Ok(told)
    }
}

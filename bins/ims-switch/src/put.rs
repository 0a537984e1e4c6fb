//! Files that are written together: all of them are judged before one is touched, and one that somebody made to say
//! something else is not replaced unless that was asked for.

use std::path::{Path, PathBuf};

use ims::change::Change;
use ims::sys::file;
use ims::{Exit, Fail, Host, Out};

/// A file that is to be written, and what stands there.
pub struct Put {
    path: PathBuf,
    shown: PathBuf,
    old: Option<Vec<u8>>,
    new: Vec<u8>,
    /// Whether the new content was made of the old one.
    is_merged: bool,
}

/// How files are written.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether a file that says something else is replaced.
    pub force_replace: bool,
    /// Whether the change is only shown.
    pub dry_run: bool,
}

/// Where a folder that was named really is, or a failure when it is not there.
pub fn folder(host: &Host, named: &Path) -> Result<PathBuf, Fail> {
    let folder = place(host, named);
    if file::is_folder(&folder)? {
        return Ok(folder);
    }
    Err(Fail::usage(format!("{} is no folder", named.display())).hint("make it first"))
}

/// Where a path that was named really is: one that is not absolute is that of the person who typed it.
pub fn place(host: &Host, named: &Path) -> PathBuf {
    if named.is_absolute() { host.path(named) } else { named.to_owned() }
}

impl Put {
    /// A file of that name in a folder, which is shown to people as `shown`. Where what stands there means the
    /// `same`, it stays as it is.
    pub fn new(
        (folder, shown): (&Path, &Path),
        name: &Path,
        text: &str,
        same: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Self, Fail> {
        let path = folder.join(name);
        let old = file::read(&path)?;
        let new = match &old {
            Some(old) if same(old) => old.clone(),
            Some(_) | None => text.as_bytes().to_vec(),
        };
        Ok(Self { path, shown: shown.join(name), old, new, is_merged: false })
    }

    /// A file whose new content was made of the old one, with whatever of it must stay: it is written without a word
    /// about replacing.
    pub fn merged((folder, shown): (&Path, &Path), name: &Path, new: Vec<u8>) -> Result<Self, Fail> {
        let path = folder.join(name);
        let old = file::read(&path)?;
        Ok(Self { path, shown: shown.join(name), old, new, is_merged: true })
    }
}

/// Writes the files, in folders that are made where they are missing, and prints what was changed.
pub fn all(puts: &[Put], manner: Manner, out: &mut Out) -> Result<Exit, Fail> {
    let differs = |put: &&Put| !put.is_merged && put.old.as_ref().is_some_and(|old| *old != put.new);
    let other: Vec<String> = puts.iter().filter(differs).map(|put| put.shown.display().to_string()).collect();
    if !other.is_empty() && !manner.force_replace && !manner.dry_run {
        return Err(Fail::refused(format!("{} says something else", other.join(", "))).hint(
            "nothing was written; look at the difference with --dry-run, then add --force-replace, or write \
             elsewhere with --to",
        ));
    }
    let mut written = false;
    for put in puts {
        let change = Change::of(&put.shown, put.old.as_deref(), Some(&put.new), manner.dry_run);
        if change.changed && !manner.dry_run {
            let half = |fail: Fail| if written { fail.with_exit(Exit::Broken) } else { fail };
            let folder = put.path.parent().unwrap_or(&put.path);
            let cannot = |e: &_| Fail::io(Exit::Failed, format!("cannot make {}", folder.display()), e);
            fs_err::create_dir_all(folder).map_err(|e| half(cannot(&e)))?;
            file::replace(&put.path, &put.new).map_err(half)?;
            written = true;
        }
        if change.changed && manner.dry_run {
            out.text(&change.diff)?;
        }
        out.record(&change)?;
    }
    Ok(Exit::Ok)
}

//! The groups that were read, written as group files: all of them are checked before one is written.

use std::path::{Path, PathBuf};

use ims::change::Change;
use ims::group::{FOLDER, Group};
use ims::sys::file;
use ims::sys::lock::Lock;
use ims::{Exit, Fail, Host, Out};

use crate::cli::import::Import;
use crate::import::Draft;

/// A file that is to be written, and what stands there.
struct Put {
    path: PathBuf,
    shown: PathBuf,
    old: Option<Vec<u8>>,
    new: Vec<u8>,
}

/// Writes the groups' files; one that says the same already stays as it is.
pub fn groups(host: &Host, asked: &Import, drafts: &[Draft], out: &mut Out) -> Result<Exit, Fail> {
    let to = asked.to.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
    let writes_here = asked.to.is_none() && !asked.dry_run;
    let _lock = if writes_here { Some(Lock::named(host, "groups", asked.timeout.0)?) } else { None };
    let folder = if to.is_absolute() { host.path(&to) } else { to.clone() };
    if writes_here {
        let cannot = |e: &_| Fail::io(Exit::Failed, format!("cannot make {}", to.display()), e);
        fs_err::create_dir_all(&folder).map_err(|e| cannot(&e))?;
    } else if asked.to.is_some() && !file::is_folder(&folder)? {
        return Err(Fail::usage(format!("{} is no folder", to.display())).hint("make it first"));
    }
    let mut puts = Vec::new();
    let mut other: Vec<String> = Vec::new();
    for draft in drafts {
        let put = put(&folder, &to, draft)?;
        if put.old.as_ref().is_some_and(|old| *old != put.new) {
            other.push(put.shown.display().to_string());
        }
        puts.push(put);
    }
    if asked.dry_run || (other.is_empty() || asked.force_replace) {
        return write(&puts, asked.dry_run, out);
    }
    Err(Fail::refused(format!("{} says something else", other.join(", "))).hint(
        "nothing was written; look at the difference with --dry-run, then add --force-replace, or write elsewhere \
         with --to",
    ))
}

/// What a draft would write. A file that means the same, in another order or with comments, is left as it is.
fn put(folder: &Path, to: &Path, draft: &Draft) -> Result<Put, Fail> {
    let name = format!("{}.toml", draft.name);
    let (path, shown) = (folder.join(&name), to.join(&name));
    let mut wanted = draft.parse(&shown)?;
    let old = file::read(&path)?;
    let mut new = wanted.text.clone().into_bytes();
    let there = old.as_deref().and_then(|old| std::str::from_utf8(old).ok());
    if let Some(Ok(there)) = there.map(|text| Group::parse(draft.name.clone(), text, &path)) {
        wanted.text.clone_from(&there.text);
        if wanted == there {
            new = there.text.into_bytes();
        }
    }
    Ok(Put { path, shown, old, new })
}

fn write(puts: &[Put], dry_run: bool, out: &mut Out) -> Result<Exit, Fail> {
    let mut written = false;
    for put in puts {
        let change = Change::of(&put.shown, put.old.as_deref(), Some(&put.new), dry_run);
        if change.changed && !dry_run {
            let half = |fail: Fail| if written { fail.with_exit(Exit::Broken) } else { fail };
            file::replace(&put.path, &put.new).map_err(half)?;
            written = true;
        }
        if change.changed && dry_run {
            out.text(&change.diff)?;
        }
        out.record(&change)?;
    }
    Ok(Exit::Ok)
}

//! Whom the files of an instance belong to. On a shared disk it is numbers that count: a user must have the same one
//! on every node.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ims::Host;
use ims::instance::Instance;
use ims::layout::Layout;
use ims::place::Place;
use ims::sys::user;

use super::files;
use super::record::{Aspect, Finding};

/// The last uid of a server's user on Linux, by login.defs(5); mailboxes of virtual users belong to numbers above it,
/// which need no name.
const LAST_SYSTEM_UID: u32 = 999;

/// A file or folder, whose it is, and who can write it.
struct Seen {
    path: PathBuf,
    uid: u32,
    mode: u32,
    is_folder: bool,
    /// Whether it is the root, a folder of the instance or configuration, and not something in such a folder.
    is_its_own: bool,
}

/// Files of users that this node does not know, files that anyone can write, and configuration that a server reads as
/// root from a user's file.
pub fn findings(host: &Host, instance: &Instance) -> Vec<Finding> {
    let mut findings = Vec::new();
    let seen = seen(host, instance);
    let mut strangers: BTreeMap<u32, &Seen> = BTreeMap::new();
    for seen in &seen {
        if seen.is_its_own || instance.layout == Layout::Iplanet5 || seen.uid <= LAST_SYSTEM_UID {
            strangers.entry(seen.uid).or_insert(seen);
        }
        let is_sticky = seen.is_folder && seen.mode & 0o1000 != 0;
        if seen.mode & 0o002 != 0 && !is_sticky {
            let path = seen.path.display();
            let what = format!("anyone can write {path}");
            findings.push(down(instance, &seen.path, what, format!("chmod o-w {path}")));
        }
    }
    for (uid, seen) in strangers.into_iter().filter(|(uid, _)| *uid != 0) {
        let path = seen.path.display();
        match user::name(uid) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let what = format!("{path} belongs to the uid {uid}, which has no name on this node");
                let mend = "give the server's user the same uid on every node";
                findings.push(down(instance, &seen.path, what, mend));
            }
            Err(fail) => {
                let mend = "look why the name service does not answer";
                let at = Place::file(&seen.path);
                findings.push(Finding::unknown(instance, Aspect::Owner, at, fail.to_string(), mend));
            }
        }
    }
    let config = files::config(instance);
    let allowed: Vec<u32> = match instance.layout {
        Layout::PostfixDovecot => vec![0],
        // The original's files belong to its server user, as its folder does.
        Layout::Iplanet5 => {
            let folders = files::folders(instance);
            let of_folders = seen.iter().filter(|seen| folders.contains(&seen.path)).map(|seen| seen.uid);
            of_folders.chain([0]).collect()
        }
    };
    for seen in seen.iter().filter(|seen| config.contains(&seen.path) && !allowed.contains(&seen.uid)) {
        let path = seen.path.display();
        let what = format!("{path} is read by root and belongs to the uid {}", seen.uid);
        findings.push(down(instance, &seen.path, what, format!("chown {} {path}", own(&allowed))));
    }
    findings
}

fn own(allowed: &[u32]) -> u32 {
    allowed.first().copied().unwrap_or_default()
}

fn down(instance: &Instance, path: &Path, what: String, mend: impl Into<String>) -> Finding {
    Finding::down(instance, Aspect::Owner, Place::file(path), what, mend)
}

/// The root, the instance's folders with what is in them, and its configuration files, as far as they can be seen.
fn seen(host: &Host, instance: &Instance) -> Vec<Seen> {
    let folders = files::folders(instance);
    let inside = folders.iter().flat_map(|folder| {
        let entries = fs_err::read_dir(host.path(folder)).into_iter().flatten().flatten();
        entries.map(|entry| folder.join(entry.file_name())).collect::<Vec<_>>()
    });
    let config = files::config(instance);
    let own: Vec<PathBuf> =
        [instance.root.clone()].into_iter().chain(folders.clone()).chain(config).collect();
    let mut paths: Vec<PathBuf> = own.iter().cloned().chain(inside).collect();
    paths.sort();
    paths.dedup();
    let look = |path: PathBuf| {
        let meta = fs_err::symlink_metadata(host.path(&path)).ok()?;
        // The mode of a symbolic link means nothing.
        let mode = if meta.is_symlink() { 0 } else { meta.mode() };
        let is_its_own = own.contains(&path);
        Some(Seen { path, uid: meta.uid(), mode, is_folder: meta.is_dir(), is_its_own })
    };
    paths.into_iter().filter_map(look).collect()
}

//! Whom the files of an instance belong to. On a shared disk it is numbers that count: a user must have the same one
//! on every node.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
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

/// What is wrong with the owners and modes of an instance's files.
pub fn findings(host: &Host, instance: &Instance) -> Vec<Finding> {
    let (seen, unseen) = seen(host, instance);
    let mut findings: Vec<Finding> = open_to_anyone(instance, &seen).collect();
    findings.extend(unseen);
    findings.extend(strangers(instance, &seen));
    findings.extend(of_users(instance, &seen));
    findings
}

/// Files and folders that anyone can write.
fn open_to_anyone<'a>(instance: &'a Instance, seen: &'a [Seen]) -> impl Iterator<Item = Finding> + 'a {
    let is_sticky = |seen: &Seen| seen.is_folder && seen.mode & 0o1000 != 0;
    let open = seen.iter().filter(move |seen| seen.mode & 0o002 != 0 && !is_sticky(seen));
    open.map(|seen| {
        let path = seen.path.display();
        down(instance, seen, format!("anyone can write {path}"), format!("chmod o-w {path}"))
    })
}

/// Files of users that this node does not know, one of each.
fn strangers(instance: &Instance, seen: &[Seen]) -> Vec<Finding> {
    let is_a_servers =
        |seen: &&Seen| seen.is_its_own || instance.layout == Layout::Iplanet5 || seen.uid <= LAST_SYSTEM_UID;
    let mut of_each: BTreeMap<u32, &Seen> = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.uid != 0).filter(is_a_servers) {
        of_each.entry(seen.uid).or_insert(seen);
    }
    let judge = |(uid, seen): (u32, &Seen)| match user::name(uid) {
        Ok(Some(_)) => None,
        Ok(None) => {
            let path = seen.path.display();
            let what = format!("{path} belongs to the uid {uid}, which has no name on this node");
            Some(down(instance, seen, what, "give the server's user the same uid on every node"))
        }
        Err(fail) => {
            let (at, mend) = (Place::file(&seen.path), "look why the name service does not answer");
            Some(Finding::unknown(instance, Aspect::Owner, at, fail.to_string(), mend))
        }
    };
    of_each.into_iter().filter_map(judge).collect()
}

/// Configuration that a server reads as root and a user can write.
fn of_users(instance: &Instance, seen: &[Seen]) -> Vec<Finding> {
    let folders = files::folders(instance);
    let owners: Vec<u32> = match instance.layout {
        Layout::PostfixDovecot => Vec::new(),
        // The original's files belong to its server's user, as its folder does.
        Layout::Iplanet5 | Layout::Messaging6 => {
            seen.iter().filter(|seen| folders.contains(&seen.path)).map(|seen| seen.uid).collect()
        }
    };
    let config = files::config(instance);
    let of_others = seen.iter().filter(|seen| seen.uid != 0 && !owners.contains(&seen.uid));
    of_others
        .filter(|seen| config.contains(&seen.path))
        .map(|seen| {
            let path = seen.path.display();
            let what = format!("{path} is read by root and belongs to the uid {}", seen.uid);
            let owner = owners.first().copied().unwrap_or_default();
            down(instance, seen, what, format!("chown {owner} {path}"))
        })
        .collect()
}

fn down(instance: &Instance, seen: &Seen, what: String, mend: impl Into<String>) -> Finding {
    Finding::down(instance, Aspect::Owner, Place::file(&seen.path), what, mend)
}

/// The root, the instance's folders with what is in them, and its configuration files; and the first of them that cannot
/// be looked at. What is not there has nobody.
fn seen(host: &Host, instance: &Instance) -> (Vec<Seen>, Option<Finding>) {
    let mut unseen = None;
    let mut cannot = |path: &Path, error: &io::Error| {
        if error.kind() != ErrorKind::NotFound {
            unseen.get_or_insert_with(|| files::unseen(instance, Aspect::Owner, path, error));
        }
    };
    let folders = files::folders(instance);
    let mut inside = Vec::new();
    for folder in &folders {
        match fs_err::read_dir(host.path(folder)).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => inside.extend(entries.iter().map(|entry| folder.join(entry.file_name()))),
            Err(e) => cannot(folder, &e),
        }
    }
    let config = files::config(instance);
    let own: Vec<PathBuf> =
        [instance.root.clone()].into_iter().chain(folders.clone()).chain(config).collect();
    let mut paths: Vec<PathBuf> = own.iter().cloned().chain(inside).collect();
    paths.sort();
    paths.dedup();
    let look = |path: PathBuf| {
        let meta = fs_err::symlink_metadata(host.path(&path)).inspect_err(|e| cannot(&path, e)).ok()?;
        // The mode of a symbolic link means nothing.
        let mode = if meta.is_symlink() { 0 } else { meta.mode() };
        let is_its_own = own.contains(&path);
        Some(Seen { path, uid: meta.uid(), mode, is_folder: meta.is_dir(), is_its_own })
    };
    let seen = paths.into_iter().filter_map(look).collect();
    (seen, unseen)
}

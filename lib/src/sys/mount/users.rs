//! Who uses a file system: processes with a folder, a program, a file or a mapping on it, and mount namespaces of
//! others in which it is mounted on its own account.
//!
//! A file system is told by its device number and a process by its pid: never by a path, never by a name.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Table;
use crate::sys::block::Number;
use crate::{Exit, Fail};

/// A process that uses a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Its pid.
    pub pid: u32,
    /// Its command, as the kernel shortens it.
    pub command: String,
    /// What it has there: `folder`, `root`, `program`, `file`, `mapping`, `namespace`.
    pub uses: Vec<String>,
}

/// The processes that use a file system; those that end meanwhile are not told.
///
/// # Errors
/// Unknown when `/proc` cannot be read.
pub fn users(device: Number) -> Result<Vec<User>, Fail> {
    find(|pid| uses(pid, device), device)
}

/// The mount namespaces of others in which it is mounted so that an unmount here does not reach it, each by one of its
/// processes. The kernel counts these as no use of ours, yet they keep the file system alive.
pub fn holders_apart(device: Number) -> Result<Vec<User>, Fail> {
    find(|_| Vec::new(), device)
}

fn find(uses: impl Fn(u32) -> Vec<String>, device: Number) -> Result<Vec<User>, Fail> {
    let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, "cannot read /proc", e);
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([namespace("self")]);
    for entry in fs_err::read_dir("/proc").map_err(|e| cannot(&e))? {
        let name = entry.map_err(|e| cannot(&e))?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let mut uses = uses(pid);
        let namespace = namespace(&pid.to_string());
        if namespace.is_some() && seen.insert(namespace) && is_mounted_apart(pid, device) {
            uses.push("namespace".to_owned());
        }
        if !uses.is_empty() {
            found.push(User { pid, command: command(pid), uses });
        }
    }
    found.sort_by_key(|user| user.pid);
    Ok(found)
}

fn uses(pid: u32, device: Number) -> Vec<String> {
    let mut uses = Vec::new();
    for (link, name) in [("cwd", "folder"), ("root", "root"), ("exe", "program")] {
        if is_on(Path::new(&format!("/proc/{pid}/{link}")), device) {
            uses.push(name.to_owned());
        }
    }
    if let Ok(files) = fs_err::read_dir(format!("/proc/{pid}/fd"))
        && files.flatten().any(|file| is_on(&file.path(), device))
    {
        uses.push("file".to_owned());
    }
    let maps = fs_err::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    if maps.lines().any(|line| line.split_whitespace().nth(3).and_then(hex) == Some(device)) {
        uses.push("mapping".to_owned());
    }
    uses
}

/// Whether what a link of /proc leads to stands on the device; asked of the kernel's memory, not of the disk.
fn is_on(link: &Path, device: Number) -> bool {
    rustix::fs::statx(CWD, link, AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE)
        .is_ok_and(|stat| (stat.stx_dev_major, stat.stx_dev_minor) == (device.major, device.minor))
}

/// The device number in a line of `maps`, such as `fe:01`.
fn hex(word: &str) -> Option<Number> {
    let (major, minor) = word.split_once(':')?;
    Some(Number { major: u32::from_str_radix(major, 16).ok()?, minor: u32::from_str_radix(minor, 16).ok()? })
}

fn namespace(process: &str) -> Option<std::path::PathBuf> {
    fs_err::read_link(format!("/proc/{process}/ns/mnt")).ok()
}

/// Whether the file system is mounted in the mount namespace of a process in a way that an unmount here does not
/// reach: a copy that follows ours (`master:`) or shares with it (`shared:`) goes with it.
fn is_mounted_apart(pid: u32, device: Number) -> bool {
    let Ok(theirs) = Table::of(&pid.to_string()) else { return false };
    theirs.of_device(device).any(|mounted| mounted.peers.is_empty())
}

fn command(pid: u32) -> String {
    fs_err::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_the_file_that_it_holds_open() {
        let file = tempfile::tempfile().unwrap();
        let device = Number::of(rustix::fs::fstat(&file).unwrap().st_dev);
        let ours = |users: Vec<User>| users.into_iter().find(|user| user.pid == std::process::id());
        let user = ours(users(device).unwrap()).unwrap();
        assert!(user.uses.iter().any(|word| word == "file"), "{user:?}");
    }

    #[test]
    fn nobody_uses_a_device_that_is_not_there() {
        assert_eq!(users(Number { major: 4095, minor: 1 }).unwrap(), []);
    }
}

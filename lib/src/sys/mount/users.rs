//! Who uses a file system: processes with a folder, a program, a file, a mapping or a bound socket on it, mount
//! namespaces of others in which it stays mounted, and the kernel itself.
//!
//! A file system is told by the numbers of its device and its mounts, and a process by its pid: never by a path, never
//! by a name. What stands on a server elsewhere is not touched, for that may hang.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, StatxFlags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reach::{Namespaces, pids};
use super::{Mounted, Table, kernel};
use crate::sys::block::Number;
use crate::sys::process::Process;
use crate::sys::sock;
use crate::{Fail, Host};

/// A process that uses a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Its pid.
    pub pid: u32,
    /// Its command, as the kernel shortens it.
    pub command: String,
    /// When it began; absent when it has ended meanwhile.
    pub since: Option<Timestamp>,
    /// What it has there: `folder`, `root`, `program`, `file`, `mapping`, `socket`, `namespace`.
    pub uses: Vec<String>,
}

/// All who use a file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// The processes.
    pub processes: Vec<User>,
    /// What the kernel itself uses, in words.
    pub kernel: Vec<String>,
}

/// One who looks for the users of a file system.
#[derive(Debug)]
pub struct Search {
    device: Number,
    namespaces: Namespaces,
    /// The numbers of all its mounts, in whatever namespace; no two mounts of a node have the same.
    mounts: BTreeSet<u64>,
    /// What is not touched.
    servers: Vec<PathBuf>,
}

impl Search {
    /// Begins to look for the users of the file system on a device.
    ///
    /// # Errors
    /// Unknown when `/proc` cannot be read.
    pub fn of(device: Number) -> Result<Self, Fail> {
        let namespaces = Namespaces::load()?;
        let all = || namespaces.tables().flat_map(Table::iter);
        let mounts =
            all().filter(|mounted| mounted.device == device).map(|mounted| mounted.id.into()).collect();
        let servers =
            all().filter(|mounted| is_elsewhere(mounted)).map(|mounted| mounted.point.clone()).collect();
        Ok(Self { device, namespaces, mounts, servers })
    }

    /// The mount namespaces of others in which it stays mounted when it is unmounted at a folder of ours, each by one of
    /// its processes. The kernel counts these as no use of ours, yet they keep the file system alive.
    pub fn apart(&self, point: &Path) -> Vec<User> {
        let user = |pid| User { uses: vec!["namespace".to_owned()], ..described(pid) };
        self.namespaces.apart(self.device, point).into_iter().map(user).collect()
    }

    /// All who use it, so that it cannot be unmounted at a folder of ours or lives on after that; those that end
    /// meanwhile are not told.
    pub fn users(&self, point: &Path) -> Result<Users, Fail> {
        let apart = self.namespaces.apart(self.device, point);
        let bound = self.with_bound_sockets();
        let mut processes = Vec::new();
        for pid in pids()? {
            let mut uses = self.uses(pid);
            uses.extend(bound.contains(&pid).then(|| "socket".to_owned()));
            uses.extend(apart.contains(&pid).then(|| "namespace".to_owned()));
            if !uses.is_empty() {
                processes.push(User { uses, ..described(pid) });
            }
        }
        Ok(Users { processes, kernel: self.kernel() })
    }

    /// The overlays that are made of it, in words: the kernel counts these as no use of ours either.
    pub fn overlays(&self) -> Vec<String> {
        kernel::overlays(&self.points(), self.namespaces.tables())
    }

    /// What the kernel itself uses, in words.
    pub fn kernel(&self) -> Vec<String> {
        kernel::uses(&self.points(), self.namespaces.tables())
    }

    /// Where it is mounted, in whatever namespace.
    fn points(&self) -> Vec<PathBuf> {
        let mounts = self.namespaces.tables().flat_map(|table| table.of_device(self.device));
        mounts.map(|mounted| mounted.point.clone()).collect()
    }

    /// What a process has there.
    pub fn uses(&self, pid: u32) -> Vec<String> {
        let mut uses = Vec::new();
        for (link, name) in [("cwd", "folder"), ("root", "root"), ("exe", "program")] {
            if self.is_on(Path::new(&format!("/proc/{pid}/{link}"))) {
                uses.push(name.to_owned());
            }
        }
        if let Ok(files) = fs_err::read_dir(format!("/proc/{pid}/fd"))
            && files.flatten().any(|file| self.is_on(&file.path()))
        {
            uses.push("file".to_owned());
        }
        let maps = fs_err::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        if maps.lines().any(|line| line.split_whitespace().nth(3).and_then(hex) == Some(self.device)) {
            uses.push("mapping".to_owned());
        }
        uses
    }

    /// Whether what a link of /proc leads to stands on it; asked of the kernel's memory, not of the disk.
    fn is_on(&self, link: &Path) -> bool {
        // A socket or a pipe has no path. The text of the link touches nothing; following it may ask a server.
        let Ok(leads_to) = fs_err::read_link(link) else { return false };
        if !leads_to.is_absolute() || self.servers.iter().any(|server| leads_to.starts_with(server)) {
            return false;
        }
        let asked = StatxFlags::TYPE | StatxFlags::MNT_ID;
        rustix::fs::statx(CWD, link, AtFlags::STATX_DONT_SYNC, asked).is_ok_and(|stat| {
            // By the mount: on Btrfs the device of a file is not the one in the mount table. By the device: a mount that
            // was taken out of every table lives on in its files.
            let knows_mount = stat.stx_mask & StatxFlags::MNT_ID.bits() != 0;
            let is_on_device =
                (stat.stx_dev_major, stat.stx_dev_minor) == (self.device.major, self.device.minor);
            is_on_device || knows_mount && self.mounts.contains(&stat.stx_mnt_id)
        })
    }

    /// The processes with a Unix socket that is bound there, as far as this network namespace shows.
    fn with_bound_sockets(&self) -> BTreeSet<u32> {
        // A kernel that does not tell hides a few who are found by their folder all the same.
        let inodes = sock::bound_on(self.device).unwrap_or_default();
        let owners = sock::owners(&Host::below(Path::new("/")), &inodes).unwrap_or_default();
        owners.into_values().flatten().map(|owner| owner.pid).collect()
    }
}

/// Whether to look at what is there may ask a server.
fn is_elsewhere(mounted: &Mounted) -> bool {
    let fstype = mounted.fstype.as_str();
    ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "ocfs2", "gfs2", "lustre", "glusterfs", "autofs"]
        .contains(&fstype)
        || fstype.starts_with("fuse")
}

/// A process without what it uses.
fn described(pid: u32) -> User {
    let command = fs_err::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
    let since = i32::try_from(pid).ok().and_then(Process::of).and_then(|process| process.since());
    User { pid, command, since, uses: Vec::new() }
}

/// The device number in a line of `maps`, such as `fe:01`.
fn hex(word: &str) -> Option<Number> {
    let (major, minor) = word.split_once(':')?;
    Some(Number { major: u32::from_str_radix(major, 16).ok()?, minor: u32::from_str_radix(minor, 16).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_the_file_that_it_holds_open() {
        let file = tempfile::tempfile().unwrap();
        let device = Number::of(rustix::fs::fstat(&file).unwrap().st_dev);
        let users = Search::of(device).unwrap().users(Path::new("/no/such/mount")).unwrap();
        let user = users.processes.into_iter().find(|user| user.pid == std::process::id()).unwrap();
        assert!(user.uses.iter().any(|word| word == "file"), "{user:?}");
        let age = Timestamp::now().duration_since(user.since.unwrap());
        assert!(age.as_secs().abs() < 3600, "{age:?}");
    }

    #[test]
    fn a_process_is_found_by_the_socket_that_it_bound() {
        let folder = tempfile::tempdir().unwrap();
        let _bound = std::os::unix::net::UnixDatagram::bind(folder.path().join("log")).unwrap();
        let device = Number::of(rustix::fs::stat(folder.path()).unwrap().st_dev);
        let search = Search::of(device).unwrap();
        assert!(search.with_bound_sockets().contains(&std::process::id()));
    }

    #[test]
    fn nobody_uses_a_device_that_is_not_there() {
        let users = Search::of(Number { major: 4095, minor: 1 }).unwrap().users(Path::new("/")).unwrap();
        assert_eq!(users, Users::default());
    }
}

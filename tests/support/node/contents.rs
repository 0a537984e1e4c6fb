//! What is in a node: its files, its addresses, its mounts, its processes.

use std::fs;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Child;

use nix::sched::CloneFlags;

use super::super::disk::{Cable, Disk};
use super::super::must::Must;
use super::super::{script, thread};
use super::Node;

impl Node {
    /// Writes a file, with the folders above it.
    pub fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let (path, content) = (path.as_ref(), content.as_ref());
        let written = self.enter(|| {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::write(path, content)
        });
        written.must(format!("write {} of {}", path.display(), self.name()));
    }

    /// Writes a file that can be run.
    pub fn script(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let (path, content) = (path.as_ref(), content.as_ref());
        let written = self.enter(|| {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            script::write(path, content)
        });
        written.must(format!("write the program {} of {}", path.display(), self.name()));
    }

    /// Reads a file, if it is there.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        let path = path.as_ref();
        self.enter(|| fs::read_to_string(path))
    }

    /// The path of something in the node, for the host. It crosses no symbolic link to an absolute path rightly:
    /// `file` and `read` do.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        PathBuf::from(format!("/proc/{}/root", self.pid())).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether one of its interfaces has this address, and can use it.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.inside(|| UdpSocket::bind((address, 0)).is_ok())
    }

    /// Whether something of this disk is mounted in it.
    pub fn has_mounted(&self, disk: &Disk) -> bool {
        let pid = self.pid();
        let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).must("read a node's mounts");
        let device = self.with(|up| up.cables.iter().find(|cable| cable.is_to(disk)).map(Cable::numbers));
        device.is_some_and(|device| mounts.lines().any(|line| line.split(' ').nth(2) == Some(&device)))
    }

    /// Whether something is mounted at a folder of it.
    pub fn has_mounted_at(&self, folder: &str) -> bool {
        let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", self.pid()));
        let mounts = mounts.must("read a node's mounts");
        mounts.lines().any(|line| line.split(' ').nth(4) == Some(folder))
    }

    /// Whether something of this disk is mounted in it, and whether it has this address; it may lose its power at any
    /// moment, and one without has neither.
    pub fn holds(&self, disk: &Disk, address: IpAddr) -> [bool; 2] {
        let held = self.if_up(|up| {
            let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", up.pid)).unwrap_or_default();
            let device = up.cables.iter().find(|cable| cable.is_to(disk)).map(Cable::numbers);
            let has_mounted = device
                .is_some_and(|device| mounts.lines().any(|line| line.split(' ').nth(2) == Some(&device)));
            let bound = || UdpSocket::bind((address, 0)).is_ok();
            let has_address = thread::try_inside(&up.pidfd, CloneFlags::CLONE_NEWNET, bound).unwrap_or(false);
            [has_mounted, has_address]
        });
        held.unwrap_or_default()
    }

    /// The processes in it, pid 1 among them, as the host sees them; a node without power has none.
    pub fn processes(&self) -> Vec<u32> {
        let processes = self.if_up(|up| {
            let starter = up.starter.as_ref().map(Child::id);
            up.cgroup.processes().into_iter().filter(|pid| Some(*pid) != starter).collect()
        });
        processes.unwrap_or_default()
    }

    /// The name of its control group, among those of the beds.
    pub fn control_group(&self) -> String {
        self.with(|up| up.cgroup.name().to_owned())
    }
}

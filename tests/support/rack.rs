//! What nodes stand in: a bridge in a network namespace of its own, and a folder in RAM that exists in a mount
//! namespace of its own. Both are held by file descriptors alone, so they end with the test process, however it
//! ends.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::sched::CloneFlags;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags};

use super::must::Must;
use super::netlink::Netlink;
use super::thread;

/// Where the rack's folder is, for those in its mount namespace: a folder that every system has.
pub const PLACE: &str = "/mnt";

/// The name of the bridge.
pub const BRIDGE: &str = "bridge";

/// The place of one bed's nodes.
pub struct Rack {
    /// The mount namespace that a node's begins as a copy of.
    pub mounts: OwnedFd,
    /// The network namespace with the bridge.
    pub network: OwnedFd,
    folder: OwnedFd,
}

impl Rack {
    /// Builds an empty one.
    pub fn build() -> Self {
        thread::apart(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET, || {
            let everything = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
            rustix::mount::mount_change("/", everything).must("keep mounts private");
            let programs = open(programs()).must("open the folder of the ims programs");
            mount("tmpfs", Path::new(PLACE), "tmpfs", "mode=755").must("mount the rack's folder");
            for folder in ["shared", "shared/calls", "shared/bin", "bin", "disks"] {
                fs::create_dir(Path::new(PLACE).join(folder)).must("lay out the rack's folder");
            }
            rustix::mount::mount_bind(super::fd_path(&programs), format!("{PLACE}/bin"))
                .must("bind the folder of the ims programs");
            fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").must("keep the bridge silent");
            let netlink = Netlink::open().must("speak netlink");
            netlink.add_bridge(BRIDGE).and_then(|()| netlink.switch(BRIDGE, true)).must("make a bridge");
            Self {
                mounts: open("/proc/thread-self/ns/mnt").must("hold the rack's mount namespace"),
                network: open("/proc/thread-self/ns/net").must("hold the rack's network namespace"),
                folder: open(PLACE).must("hold the rack's folder"),
            }
        })
    }

    /// The path of something in the rack's folder, for any process of the host.
    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        super::fd_path(&self.folder).join(below)
    }

    /// Does something to the bridge's side of the wires.
    pub fn wires(&self, work: impl FnOnce(&Netlink) -> io::Result<()> + Send) -> io::Result<()> {
        thread::inside(&self.network, CloneFlags::CLONE_NEWNET, || work(&Netlink::open()?))
    }
}

/// Where cargo put the six commands of this build.
pub fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_ims-switch")).parent().unwrap().to_owned()
}

/// Mounts a file system.
pub fn mount(source: &str, at: &Path, kind: &str, options: &str) -> io::Result<()> {
    let options = std::ffi::CString::new(options)?;
    rustix::mount::mount(source, at, kind, MountFlags::empty(), Some(options.as_c_str()))?;
    Ok(())
}

fn open(path: impl AsRef<Path>) -> rustix::io::Result<OwnedFd> {
    // A namespace's file cannot be entered by an O_PATH descriptor; a folder needs no more than read.
    rustix::fs::open(path.as_ref(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

//! Mounting by fsopen(2) and its family, where the kernel says in words what it does not like, and by mount(2)
//! where the kernel is too old for that; unmounting, never lazily and never by force.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_create_exclusive, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount,
};
use serde::{Deserialize, Serialize};

use crate::sys::block::Number;

/// A mount to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The block device.
    pub device: PathBuf,
    /// Its number: the path may lead to another one meanwhile.
    pub number: Number,
    /// The folder, without any symbolic link on the way.
    pub point: PathBuf,
    /// The type of the file system.
    pub fstype: String,
    /// Options as mount(8) takes them, separated by commas.
    pub options: String,
}

/// Why the kernel would not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whether it said that the device or the folder is busy.
    pub busy: bool,
    /// The file system is in use on this very node, where this mount table does not show it.
    pub here: bool,
    /// The reason in words.
    pub words: String,
}

impl Refusal {
    fn new(errno: Errno, said: &[String]) -> Self {
        let mut words = plain(errno);
        if !said.is_empty() {
            words = format!("{} ({words})", said.join("; "));
        }
        let here = said.iter().any(|line| line.contains("reusing existing filesystem"));
        Self { busy: errno == Errno::BUSY, here, words }
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::new(errno, &[])
    }
}

fn plain(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// One option of mount(8), by whom it is for.
enum For {
    /// The mount.
    Mount(MountAttrFlags, MountFlags),
    /// The file system as the kernel knows every one.
    Kernel(MountFlags),
    /// fstab and the tools around it.
    Nobody,
    /// The file system's own driver.
    Driver,
}

fn whom(option: &str) -> For {
    use MountAttrFlags as A;
    use MountFlags as M;
    match option {
        "nodev" => For::Mount(A::MOUNT_ATTR_NODEV, M::NODEV),
        "nosuid" => For::Mount(A::MOUNT_ATTR_NOSUID, M::NOSUID),
        "noexec" => For::Mount(A::MOUNT_ATTR_NOEXEC, M::NOEXEC),
        "noatime" => For::Mount(A::MOUNT_ATTR_NOATIME, M::NOATIME),
        "nodiratime" => For::Mount(A::MOUNT_ATTR_NODIRATIME, M::NODIRATIME),
        "relatime" => For::Mount(A::MOUNT_ATTR_RELATIME, M::RELATIME),
        "strictatime" => For::Mount(A::MOUNT_ATTR_STRICTATIME, M::STRICTATIME),
        "nosymfollow" => For::Mount(A::MOUNT_ATTR_NOSYMFOLLOW, M::NOSYMFOLLOW),
        "sync" => For::Kernel(M::SYNCHRONOUS),
        "dirsync" => For::Kernel(M::DIRSYNC),
        "lazytime" => For::Kernel(M::LAZYTIME),
        "" | "defaults" | "rw" | "dev" | "suid" | "exec" | "async" | "atime" | "diratime" | "auto"
        | "noauto" | "nofail" | "_netdev" => For::Nobody,
        option if option.starts_with("x-") || option.starts_with("comment=") => For::Nobody,
        _ => For::Driver,
    }
}

/// Mounts a device. A file system that this node has in use already, in whatever namespace, is not mounted again.
pub fn attach(call: &Call) -> Result<(), Refusal> {
    let context = match fsopen(call.fstype.as_str(), FsOpenFlags::FSOPEN_CLOEXEC) {
        Ok(context) => context,
        Err(Errno::NOSYS) => return attach_as_of_old(call),
        Err(Errno::NODEV) => {
            let words = format!("this kernel knows no file system {}", call.fstype);
            return Err(Refusal { busy: false, here: false, words });
        }
        Err(e) => return Err(e.into()),
    };
    let with_reason = |errno| Refusal::new(errno, &said(context.as_fd()));
    let mut attributes = MountAttrFlags::empty();
    fsconfig_set_string(&context, "source", &call.device).map_err(with_reason)?;
    for option in call.options.split(',') {
        match (whom(option), option.split_once('=')) {
            (For::Nobody, _) => {}
            (For::Mount(attribute, _), _) => attributes |= attribute,
            (For::Driver, Some((key, value))) => {
                fsconfig_set_string(&context, key, value).map_err(with_reason)?;
            }
            (For::Kernel(_) | For::Driver, _) => fsconfig_set_flag(&context, option).map_err(with_reason)?,
        }
    }
    match fsconfig_create_exclusive(&context) {
        // A kernel before 6.6 does not know the exclusive way. Any other no is the file system's own, and asking a
        // second time would only be answered with EBUSY.
        Err(Errno::OPNOTSUPP) => fsconfig_create(&context).map_err(with_reason)?,
        other => other.map_err(with_reason)?,
    }
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).map_err(with_reason)?;
    // A mount that is put nowhere is gone when its descriptor is closed. A Btrfs has a number of its own.
    let number = Number::of(rustix::fs::fstat(&mount)?.st_dev);
    if number != call.number && call.fstype != "btrfs" {
        let words = format!("{} became another device meanwhile ({number})", call.device.display());
        return Err(Refusal { busy: false, here: false, words });
    }
    move_mount(mount.as_fd(), "", CWD, &call.point, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    Ok(())
}

/// What the kernel said in words on a mount context: lines such as `e ext4: Unknown parameter 'x'`.
fn said(context: BorrowedFd<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = [0u8; 1024];
    while let Ok(length) = rustix::io::read(context, &mut line) {
        if length == 0 {
            break;
        }
        let text = String::from_utf8_lossy(line.get(..length).unwrap_or_default()).into_owned();
        let text = text.trim();
        lines.push(text.get(2..).filter(|_| text.get(1..2) == Some(" ")).unwrap_or(text).to_owned());
    }
    lines
}

fn attach_as_of_old(call: &Call) -> Result<(), Refusal> {
    let mut flags = MountFlags::empty();
    let mut data = Vec::new();
    for option in call.options.split(',') {
        match whom(option) {
            For::Nobody => {}
            For::Mount(_, flag) | For::Kernel(flag) => flags |= flag,
            For::Driver => data.push(option),
        }
    }
    let data = std::ffi::CString::new(data.join(",")).map_err(|_| Errno::INVAL)?;
    rustix::mount::mount(&call.device, &call.point, call.fstype.as_str(), flags, data.as_c_str())?;
    Ok(())
}

/// Writes out everything the file system mounted at a folder still has in memory.
pub fn sync(point: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let folder = rustix::fs::open(point, flags, Mode::empty())?;
    rustix::fs::syncfs(&folder).map_err(Into::into)
}

/// Unmounts what is mounted at a folder, as long as nobody uses it.
pub fn detach(point: &Path) -> Result<(), Refusal> {
    rustix::mount::unmount(point, UnmountFlags::NOFOLLOW).map_err(Refusal::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_words_come_with_its_refusal() {
        let refusal = attach(&Call {
            device: "/dev/null".into(),
            number: Number { major: 1, minor: 3 },
            point: "/no/such/folder".into(),
            fstype: "ext4".into(),
            options: "nodev,nosuchoption".into(),
        })
        .unwrap_err();
        assert_eq!(refusal.words, "ext4: Unknown parameter 'nosuchoption' (Invalid argument)");
        assert!(!refusal.busy);
    }
}

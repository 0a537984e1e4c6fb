//! Which devices of this node are part of a mounted Btrfs. Its mounts have numbers of their own in the mount table, none of a device.

pub mod progress;

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::block::Number;
use crate::Host;

/// The devices of the mounted Btrfs that a device is part of, this one among them; none when it is part of none, whatever mount
/// namespace that would be in.
///
/// The kernel answers from memory (`/sys/fs/btrfs/UUID/devices`), so this never waits for a disk.
pub fn devices_with(number: Number) -> io::Result<Vec<Number>> {
    let mounted = match fs_err::read_dir("/sys/fs/btrfs") {
        Ok(mounted) => mounted,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    for filesystem in mounted {
        let devices = devices_in(&filesystem?.path().join("devices"))?;
        if devices.contains(&number) {
            return Ok(devices);
        }
    }
    Ok(Vec::new())
}

/// Which of the data, the metadata and the system part of a mounted Btrfs have space of which there is one copy alone, or
/// all copies on one device.
pub fn unmirrored(host: &Host, uuid: &str) -> Vec<&'static str> {
    let folder = host.path("/sys/fs/btrfs").join(uuid).join("allocation");
    let has_one = |part: &&str| {
        ["single", "dup", "raid0"].iter().any(|profile| folder.join(part).join(profile).is_dir())
    };
    ["data", "metadata", "system"].into_iter().filter(has_one).collect()
}

/// Lets the kernel forget a device that is part of no mounted Btrfs, so that none is mounted with it.
pub fn forget(device: &Path) -> io::Result<()> {
    let name = device.as_os_str().as_bytes();
    let mut asked = kernel::Args { fd: 0, name: [0; 4088] };
    let room = asked.name.get_mut(..name.len()).filter(|room| room.len() < 4087);
    room.ok_or(rustix::io::Errno::NAMETOOLONG)?.copy_from_slice(name);
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let control = rustix::fs::open("/dev/btrfs-control", flags, Mode::empty())?;
    // SAFETY: the kernel reads one structure of the size that is part of the request's number.
    #[allow(unsafe_code)]
    let done = unsafe { kernel::forget(control.as_raw_fd(), &raw const asked) };
    match done.map_err(io::Error::from) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()), // it knew none
        Err(e) => Err(e),
    }
}

/// Requests of `/dev/btrfs-control`, from `include/uapi/linux/btrfs.h`.
#[allow(unsafe_code)]
mod kernel {
    /// `struct btrfs_ioctl_vol_args`.
    #[repr(C)]
    pub struct Args {
        pub fd: i64,
        pub name: [u8; 4088],
    }

    nix::ioctl_write_ptr!(
        /// `BTRFS_IOC_FORGET_DEV`.
        forget,
        0x94,
        5,
        Args
    );
}

fn devices_in(folder: &Path) -> io::Result<Vec<Number>> {
    let is_gone = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        // Not the folder of a file system, or it is unmounted this moment.
        Err(e) if is_gone(&e) || e.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        match fs_err::read_to_string(entry?.path().join("dev")) {
            Ok(text) => numbers.extend(text.trim().parse::<Number>()),
            Err(e) if is_gone(&e) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(numbers)
}

//! How far a mounted Btrfs is with what it rebuilds: replacing a device, balancing, scrubbing.
//!
//! The kernel answers from memory. Requests and structures: `include/uapi/linux/btrfs.h`.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Work of a mounted file system on itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// What it does: `replace`, `balance`, `scrub`.
    pub what: &'static str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is; an estimate.
    pub total: u64,
}

/// What is under way in the file system that is mounted at a folder, whose devices have these numbers within it and
/// these lengths in bytes.
pub fn work(point: &Path, devices: &[(u64, u64)]) -> io::Result<Vec<Work>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(point, flags, Mode::empty())?;
    let raw = folder.as_raw_fd();
    let mut found = Vec::new();
    found.extend(replace(raw)?);
    found.extend(balance(raw)?);
    found.extend(scrub(raw, devices)?);
    Ok(found)
}

fn replace(raw: i32) -> io::Result<Option<Work>> {
    const STATUS: u64 = 1;
    const STARTED: u64 = 1;
    let mut asked = kernel::Replace([0; 325]);
    asked.0[0] = STATUS;
    // SAFETY: the kernel reads and writes one structure of the size that is part of the request's number.
    #[allow(unsafe_code)]
    unsafe { kernel::replace(raw, &raw mut asked) }.map_err(io::Error::from)?;
    // cmd, result, then the status: its state and its progress in thousandths.
    Ok((asked.0[2] == STARTED).then(|| Work { what: "replace", done: asked.0[3].min(1000), total: 1000 }))
}

fn balance(raw: i32) -> io::Result<Option<Work>> {
    const RUNNING: u64 = 1;
    let mut asked = kernel::Balance([0; 128]);
    // SAFETY: the kernel writes one structure of the size that is part of the request's number.
    #[allow(unsafe_code)]
    let answer = unsafe { kernel::balance(raw, &raw mut asked) };
    if !is_under_way(answer)? || asked.0[1] & RUNNING == 0 {
        return Ok(None);
    }
    // flags, state, three times 136 bytes of arguments, then: expected, considered, completed.
    let (total, done) = (asked.0[53], asked.0[55]);
    Ok(Some(Work { what: "balance", done: done.min(total), total }))
}

fn scrub(raw: i32, devices: &[(u64, u64)]) -> io::Result<Option<Work>> {
    let mut work: Option<Work> = None;
    for (device, length) in devices {
        let mut asked = kernel::Scrub([0; 128]);
        asked.0[0] = *device;
        // SAFETY: the kernel reads and writes one structure of the size that is part of the request's number.
        #[allow(unsafe_code)]
        let answer = unsafe { kernel::scrub(raw, &raw mut asked) };
        if is_under_way(answer)? {
            // devid, start, end, flags, then the progress, whose fourteenth number is the place on the device.
            let work = work.get_or_insert(Work { what: "scrub", done: 0, total: 0 });
            work.done = work.done.saturating_add(asked.0[4 + 13].min(*length));
            work.total = work.total.saturating_add(*length);
        }
    }
    Ok(work)
}

/// Nothing of the kind is under way, or no such device is there any more.
fn is_under_way(answer: nix::Result<i32>) -> io::Result<bool> {
    match answer.map_err(io::Error::from) {
        Ok(_) => Ok(true),
        Err(e)
            if [Errno::NOTCONN, Errno::NODEV]
                .map(|errno| Some(errno.raw_os_error()))
                .contains(&e.raw_os_error()) =>
        {
            Ok(false)
        }
        Err(e) => Err(e),
    }
}

/// Requests, each with a structure of 64-bit words.
#[allow(unsafe_code)]
mod kernel {
    /// `struct btrfs_ioctl_dev_replace_args`.
    #[repr(C)]
    pub struct Replace(pub [u64; 325]);
    /// `struct btrfs_ioctl_balance_args`.
    #[repr(C)]
    pub struct Balance(pub [u64; 128]);
    /// `struct btrfs_ioctl_scrub_args`.
    #[repr(C)]
    pub struct Scrub(pub [u64; 128]);

    nix::ioctl_readwrite!(
        /// `BTRFS_IOC_DEV_REPLACE`.
        replace,
        0x94,
        53,
        Replace
    );
    nix::ioctl_read!(
        /// `BTRFS_IOC_BALANCE_PROGRESS`.
        balance,
        0x94,
        34,
        Balance
    );
    nix::ioctl_readwrite!(
        /// `BTRFS_IOC_SCRUB_PROGRESS`.
        scrub,
        0x94,
        29,
        Scrub
    );
}

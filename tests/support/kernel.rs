//! The ioctls of the loop driver, each behind a safe function.
//!
//! Numbers and structures: Linux, include/uapi/linux/loop.h.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc::{c_int, c_ulong, ioctl};

const LOOP_CTL_GET_FREE: c_ulong = 0x4C82;
const LOOP_CONFIGURE: c_ulong = 0x4C0A;
const LOOP_SET_STATUS64: c_ulong = 0x4C04;
const LOOP_GET_STATUS64: c_ulong = 0x4C05;

const LO_FLAGS_AUTOCLEAR: u32 = 4;
const LO_FLAGS_DIRECT_IO: u32 = 16;

#[repr(C)]
#[derive(Clone, Copy)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

impl LoopInfo {
    const EMPTY: Self = Self {
        device: 0,
        inode: 0,
        rdevice: 0,
        offset: 0,
        size_limit: 0,
        number: 0,
        encrypt_type: 0,
        encrypt_key_size: 0,
        flags: LO_FLAGS_AUTOCLEAR,
        file_name: [0; 64],
        crypt_name: [0; 64],
        encrypt_key: [0; 32],
        init: [0; 2],
    };
}

#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// Finds (or makes) a loop device that nobody uses; another may take it before us.
pub fn loop_free(control: &File) -> std::io::Result<u32> {
    // SAFETY: this request takes no argument and touches no memory of ours.
    let number = checked(unsafe { ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
    u32::try_from(number).map_err(std::io::Error::other)
}

/// Puts a loop device over a file, with direct I/O; it frees itself when its last user closes it.
///
/// The kernel goes without direct I/O where the file's own file system has none. That is an error here: each
/// device would have a cache of its own, and nodes would see different bytes.
pub fn loop_configure(device: &File, backing: impl AsFd) -> std::io::Result<()> {
    let config = LoopConfig {
        fd: u32::try_from(backing.as_fd().as_raw_fd()).map_err(std::io::Error::other)?,
        block_size: 0,
        info: LoopInfo { flags: LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO, ..LoopInfo::EMPTY },
        reserved: [0; 8],
    };
    // SAFETY: the request reads one LoopConfig, which lives until the call is over.
    checked(unsafe { ioctl(device.as_raw_fd(), LOOP_CONFIGURE, &raw const config) })?;
    let mut info = LoopInfo::EMPTY;
    // SAFETY: the request writes one LoopInfo, which lives until the call is over.
    checked(unsafe { ioctl(device.as_raw_fd(), LOOP_GET_STATUS64, &raw mut info) })?;
    if info.flags & LO_FLAGS_DIRECT_IO == 0 {
        return Err(std::io::Error::other("the file system of cargo's target folder has no direct I/O"));
    }
    Ok(())
}

/// Makes a loop device show the first `bytes` of its file alone; what lies behind answers with an error.
pub fn loop_limit(device: &File, bytes: u64) -> std::io::Result<()> {
    let info = LoopInfo { size_limit: bytes, ..LoopInfo::EMPTY };
    // SAFETY: the request reads one LoopInfo, which lives until the call is over.
    checked(unsafe { ioctl(device.as_raw_fd(), LOOP_SET_STATUS64, &raw const info) })?;
    Ok(())
}

fn checked(answer: c_int) -> std::io::Result<c_int> {
    if answer < 0 { Err(std::io::Error::last_os_error()) } else { Ok(answer) }
}

//! Block devices read past the page cache, as another node sees them: superblocks and guard blocks.
//!
//! A device that hangs holds whoever reads it for good, SIGKILL or not: everything here but [`number_of`] belongs
//! into a [`super::hand`].

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::str::FromStr;

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::{Exit, Fail};

/// What direct I/O is aligned to: the largest sector of the disks on sale.
const SECTOR: usize = 4096;

/// The kernel's number of a device: what a disk is known by, and never its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Number {
    /// The driver's half.
    pub major: u32,
    /// The device's half.
    pub minor: u32,
}

impl Number {
    /// The number in a `st_dev` or `st_rdev`.
    pub fn of(raw: u64) -> Self {
        Self { major: rustix::fs::major(raw), minor: rustix::fs::minor(raw) }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

impl FromStr for Number {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        text.split_once(':')
            .and_then(|(major, minor)| Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? }))
            .ok_or_else(|| Fail::usage(format!("not a device number: '{}'", text.escape_debug())))
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = Fail;

    fn try_from(text: String) -> Result<Self, Fail> {
        text.parse()
    }
}

/// The number of the block device at a path; links are followed, nothing on the device is touched.
pub fn number_of(path: &Path) -> Result<Number, Fail> {
    let stat = rustix::fs::stat(path).map_err(|e| {
        let fail = Fail::io(Exit::Unknown, format!("cannot find {}", path.display()), &e.into());
        if e == rustix::io::Errno::NOENT { fail.hint("is the disk attached to this node?") } else { fail }
    })?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::BlockDevice {
        Ok(Number::of(stat.st_rdev))
    } else {
        Err(Fail::usage(format!("{} is not a block device", path.display())))
    }
}

/// An open block device.
#[derive(Debug)]
pub struct Device {
    fd: OwnedFd,
    number: Number,
}

impl Device {
    /// Opens a device to be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with(path, OFlags::RDONLY)
    }

    /// Opens a device to be read and written.
    pub fn open_to_write(path: &Path) -> io::Result<Self> {
        Self::with(path, OFlags::RDWR)
    }

    /// Whether nothing on this node has the device to itself: a file system that is mounted in whatever mount namespace,
    /// or lives on after that; a device that is made of it; a program that checks it.
    pub fn is_free(path: &Path) -> io::Result<bool> {
        match Self::with(path, OFlags::RDONLY | OFlags::EXCL) {
            Ok(_) => Ok(true),
            Err(e) if e.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn with(path: &Path, access: OFlags) -> io::Result<Self> {
        // O_DIRECT: the page cache of this node may be older than what another node wrote.
        let flags = access | OFlags::DIRECT | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&fd)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::BlockDevice {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a block device"));
        }
        Ok(Self { fd, number: Number::of(stat.st_rdev) })
    }

    /// For requests of its own kind.
    pub(super) fn raw(&self) -> std::os::fd::RawFd {
        self.fd.as_raw_fd()
    }

    /// The number of the device that was opened.
    pub const fn number(&self) -> Number {
        self.number
    }

    /// Drops what this node's page cache remembers of the device.
    ///
    /// The kernel drops it at the last close, but multipathd or a device-mapper table may keep the device open for
    /// good. A mount would then read a superblock of the time when this node had the volume, see a clean journal,
    /// and never replay what another node acknowledged since.
    pub fn forget_cached(&self) -> io::Result<()> {
        // SAFETY: BLKFLSBUF takes no argument and touches no memory of this process; the descriptor is open.
        #[allow(unsafe_code)]
        let done = unsafe { kernel::flush_buffers(self.fd.as_raw_fd()) };
        done.map(drop).map_err(io::Error::from)
    }

    /// Reads from the disk itself.
    pub fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let sector = u64::try_from(SECTOR).map_err(io::Error::other)?;
        let before = usize::try_from(offset % sector).map_err(io::Error::other)?;
        let mut room = Aligned::new((before + length).next_multiple_of(SECTOR));
        let start = offset - offset % sector;
        let read = rustix::io::pread(&self.fd, room.bytes(), start)?;
        let got = room.bytes().get(before..read).and_then(|bytes| bytes.get(..length));
        got.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Writes onto the disk itself: when this returns, every node that reads sees it.
    ///
    /// `offset` and the length must be multiples of the device's own sector. A disk that loses power may lose it.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut room = Aligned::new(bytes.len());
        room.bytes().copy_from_slice(bytes);
        let written = rustix::io::pwrite(&self.fd, room.bytes(), offset)?;
        if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

/// Requests to block devices, from the kernel's include/uapi/linux/fs.h.
#[allow(unsafe_code)]
mod kernel {
    nix::ioctl_none!(
        /// BLKFLSBUF: writes out and forgets the cached buffers.
        flush_buffers,
        0x12,
        97
    );
}

/// Memory that starts where direct I/O wants it.
pub(super) struct Aligned {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl Aligned {
    pub(super) fn new(length: usize) -> Self {
        let memory = vec![0; length + SECTOR];
        let start = memory.as_ptr().align_offset(SECTOR);
        Self { memory, start, length }
    }

    pub(super) fn bytes(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_its_number() {
        let number: Number = "259:3".parse().unwrap();
        assert_eq!((number.major, number.minor, number.to_string().as_str()), (259, 3, "259:3"));
        for bad in ["", "8", "8:", "8:x", "8:1:2", "/dev/sda"] {
            assert!(bad.parse::<Number>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_device_is_unknown_and_a_folder_is_none() {
        assert_eq!(number_of(Path::new("/no/such/device")).unwrap_err().exit(), Exit::Unknown);
        assert_eq!(number_of(Path::new("/")).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn memory_for_direct_io_starts_at_a_sector() {
        let mut room = Aligned::new(8192);
        assert_eq!((room.bytes().as_ptr().align_offset(SECTOR), room.bytes().len()), (0, 8192));
    }
}

//! Persistent reservations of a disk: who may write to it, as the disk itself sees to (SPC-4 §5.13, `NVMe` 1.4 §8.8), through
//! the kernel's `include/uapi/linux/pr.h`. For a device of several paths the kernel registers on each of them.
//!
//! The kernel tells nobody what is registered, so the disk is asked (`request`).

mod report;
mod request;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::block::{Device, Number};

/// The key of a registrant, which chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u64);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:016x}", self.0)
    }
}

/// What a disk says of its reservations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How often registrations changed since the disk has power.
    pub generation: u32,
    /// The keys that are registered, each once for every path.
    pub keys: Vec<Key>,
    /// Who reserved the disk.
    pub held: Option<Held>,
}

/// A reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Whose it is; zero where it belongs to all registrants.
    pub key: Key,
    /// What it forbids to whom.
    pub kind: Kind,
}

/// The kinds of reservations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Registrants alone may write: the kind that we take.
    RegistrantsWrite,
    /// Any other, by its number in SPC-4 table 50.
    Other(u8),
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    /// The disk did it.
    Yes,
    /// The disk refused: another holds the reservation, or the key is not (or no longer) registered.
    Conflict,
}

/// `PR_WRITE_EXCLUSIVE_REG_ONLY`.
const REGISTRANTS_WRITE: u32 = 3;
/// `PR_FL_IGNORE_KEY`.
const WHATEVER_WAS: u32 = 1;
/// `PR_STS_RESERVATION_CONFLICT`.
const CONFLICT: i32 = 0x18;
/// The status CHECK CONDITION.
const CHECK: i32 = 2;

impl Device {
    /// Registers a key of this node, whatever key it had before.
    pub fn register(&self, key: Key) -> io::Result<Done> {
        let wanted = kernel::Registration { old: 0, new: key.0, flags: WHATEVER_WAS, pad: 0 };
        // SAFETY: the kernel reads the structure, which lives during the call; the descriptor is open.
        #[allow(unsafe_code)]
        done(|| unsafe { kernel::register(self.raw(), &raw const wanted) })
    }

    /// Takes this node's key away, and with it the reservation if that was its own.
    pub fn unregister(&self, key: Key) -> io::Result<Done> {
        let wanted = kernel::Registration { old: key.0, new: 0, flags: 0, pad: 0 };
        // SAFETY: as above.
        #[allow(unsafe_code)]
        done(|| unsafe { kernel::register(self.raw(), &raw const wanted) })
    }

    /// Reserves the disk for registrants; this node's own reservation stays as it is.
    pub fn reserve(&self, key: Key) -> io::Result<Done> {
        let wanted = kernel::Reservation { key: key.0, kind: REGISTRANTS_WRITE, flags: 0 };
        // SAFETY: as above.
        #[allow(unsafe_code)]
        done(|| unsafe { kernel::reserve(self.raw(), &raw const wanted) })
    }

    /// Takes the key of another away, who can write no more from then on, and the reservation over if it was its own.
    pub fn preempt(&self, ours: Key, theirs: Key) -> io::Result<Done> {
        // Documentation/block/pr.rst has it the other way round; drivers/scsi/sd.c and drivers/nvme/host/pr.c give the first to
        // the disk as the key of who asks, and the second as that of who loses.
        let wanted = kernel::Preempt { old: ours.0, new: theirs.0, kind: REGISTRANTS_WRITE, flags: 0 };
        // SAFETY: as above.
        #[allow(unsafe_code)]
        done(|| unsafe { kernel::preempt(self.raw(), &raw const wanted) })
    }
}

/// The kernel answers 0, the status of SCSI, or an error of its own (`enum pr_status`); `NVMe` drivers give a conflict as
/// EBADE.
fn done(ask: impl Fn() -> nix::Result<i32>) -> io::Result<Done> {
    // A unit attention is told once for each event on each path, and the request not done.
    let answers = std::iter::repeat_with(ask).take(4);
    let mut last = Ok(CHECK);
    for answer in answers {
        last = answer;
        if last != Ok(CHECK) {
            break;
        }
    }
    match last {
        Ok(0) => Ok(Done::Yes),
        Ok(status) if status & 0xFF == CONFLICT => Ok(Done::Conflict),
        Ok(status) => Err(io::Error::other(format!("the disk answered with status {status:#x}"))),
        Err(nix::errno::Errno::EBADE) => Ok(Done::Conflict),
        Err(errno) => Err(errno.into()),
    }
}

/// The paths of a disk that has several; the device itself of one that has none.
pub fn paths(device: &Path) -> io::Result<Vec<PathBuf>> {
    let number = super::block::number_of(device).map_err(io::Error::other)?;
    let paths = std::fs::read_dir(format!("/sys/dev/block/{number}/slaves"))?
        .map(|path| Ok(Path::new("/dev").join(path?.file_name())))
        .collect::<io::Result<Vec<_>>>()?;
    Ok(if paths.is_empty() { vec![device.to_owned()] } else { paths })
}

/// Whether a device is a disk as a whole, by one path or several: a partition, or a volume of a device mapper, shares the
/// disk with others, whom its reservation would keep off too.
fn is_whole(number: Number) -> io::Result<bool> {
    let at = |below: &str| format!("/sys/dev/block/{number}/{below}");
    if std::fs::exists(at("partition"))? {
        return Ok(false);
    }
    match std::fs::read_to_string(at("dm/uuid")) {
        Ok(uuid) => Ok(uuid.starts_with("mpath-")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(e) => Err(e),
    }
}

/// Whether an error says that the disk, or its driver, knows no reservations.
pub fn is_unknown_to_disk(error: &io::Error) -> bool {
    let unknown = [Errno::NOTTY, Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS];
    error.raw_os_error().is_some_and(|raw| unknown.iter().any(|errno| errno.raw_os_error() == raw))
}

/// The requests of `linux/pr.h`.
#[allow(unsafe_code)]
mod kernel {
    #[repr(C)]
    pub struct Registration {
        pub old: u64,
        pub new: u64,
        pub flags: u32,
        pub pad: u32,
    }
    #[repr(C)]
    pub struct Reservation {
        pub key: u64,
        pub kind: u32,
        pub flags: u32,
    }
    #[repr(C)]
    pub struct Preempt {
        pub old: u64,
        pub new: u64,
        pub kind: u32,
        pub flags: u32,
    }
    nix::ioctl_write_ptr!(
        /// `IOC_PR_REGISTER`.
        register,
        b'p',
        200,
        Registration
    );
    nix::ioctl_write_ptr!(
        /// `IOC_PR_RESERVE`.
        reserve,
        b'p',
        201,
        Reservation
    );
    nix::ioctl_write_ptr!(
        /// `IOC_PR_PREEMPT_ABORT`.
        preempt,
        b'p',
        204,
        Preempt
    );
}

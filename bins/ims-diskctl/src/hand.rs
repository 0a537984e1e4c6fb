//! What may hang, done by a child of ours (`ims::sys::hand`): reading the disk, claiming it, mounting, syncing,
//! unmounting.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::Fail;
use ims::lease::Lease;
use ims::sys::block::{Device, Number};
use ims::sys::mount::{self, Call, Refusal};
use ims::sys::reservation::Seen as Reserved;
use ims::sys::{file, hand};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::filesystem::Filesystem;
use crate::filesystem::ext4;
use crate::guard::claim::{self, Claimed};
use crate::guard::mmp::{self, Block};
use crate::guard::reservation::{self, Came};
use crate::guard::sanlock;
use crate::layer::tools;
use crate::mirror;
use crate::users;

/// The words that lead this program into [`serve`].
pub const WORDS: &[&str] = &["hand"];

/// What a hand is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Question {
    /// What is on the device, and is the mount point there? Answered by [`Seen`].
    Look {
        /// The device.
        device: PathBuf,
        /// The mount point.
        mount: PathBuf,
        /// The lease, if it has one.
        lease: Option<Lease>,
    },
    /// Claim the volume, if its guard still is as judged. Answered by a [`Claimed`].
    Claim(claim::Wanted),
    /// Reserve the disk, or give that up. Answered by a `Result<Came, String>`.
    Reserve(reservation::Wanted),
    /// Take the lease, or give it up. Answered by a `Result<sanlock::Came, String>`.
    Lease(sanlock::Wanted),
    /// Mount. Answered by a `Result<(), Refusal>`.
    Mount(Call),
    /// Write out what is in memory. Answered by a `Result<(), String>`.
    Sync(PathBuf),
    /// Run a tool to its end. Answered by a `Result<Ended, String>`.
    Tool {
        /// Its command line.
        words: Vec<String>,
        /// After how long it is ended.
        patience: Duration,
    },
    /// Unmount. Answered by a `Result<(), Refusal>`.
    Unmount(PathBuf),
    /// Who uses it? Answered by a `Result<Users, String>`.
    Users(users::Wanted),
    /// Signal those who still use it. Answered by a `Result<Vec<Process>, String>`: those who were.
    Signal(users::Signal),
    /// Whether nothing on this node has the device to itself, a mount above all. Answered by a `Result<bool, String>`.
    IsFree(PathBuf),
    /// How well is it?
    Check(check::Question),
    /// How are its legs?
    Mirror(mirror::Question),
}

/// What was seen of a volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    /// The mount point.
    pub place: Place,
    /// What stands on the device, or why that can not be told.
    pub disk: Result<Disk, String>,
    /// What the disk says of its reservations; absent when it knows none. A disk that was taken away from this node may
    /// tell that alone: what the node has not written yet is in the way of reading.
    pub reserved: Result<Option<Reserved>, String>,
    /// What is known of its lease, if it has one.
    pub lease: Option<Result<sanlock::Seen, String>>,
}

/// A mount point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// A folder, by its path without symbolic links.
    Folder(PathBuf),
    /// Nothing is there.
    Missing,
    /// Something else, or it can not be told: why.
    Unusable(String),
}

/// What stands on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The device's number.
    pub number: Number,
    /// The file system; absent when there is none that we know.
    pub filesystem: Option<Filesystem>,
    /// The guard block; absent when there is none.
    pub guard: Option<Result<Block, String>>,
}

impl Disk {
    /// Where the guard block stands, and how often a living holder writes it.
    pub fn mmp(&self) -> Option<ext4::Place> {
        self.filesystem.as_ref()?.ext4()?.mmp
    }
}

/// Answers questions until nobody asks any more.
pub fn serve(starter: u32) -> Result<ims::Exit, Fail> {
    hand::serve(starter, answer)?;
    Ok(ims::Exit::Ok)
}

fn answer(question: Question) -> serde_json::Value {
    match question {
        Question::Look { device, mount, lease } => {
            let opened = Device::open(&device).map_err(|e| words(&e));
            let on = |opened: &Device| opened.reservations().map_err(|e| words(&e));
            let reserved = opened.as_ref().map_err(Clone::clone).and_then(on);
            let lease = lease.map(|lease| sanlock::look(&lease));
            let disk = opened.and_then(|opened| disk(&opened));
            value(&Seen { place: place(&mount), disk, reserved, lease })
        }
        Question::Claim(wanted) => value(&claim(&wanted).unwrap_or_else(Claimed::Failed)),
        Question::Reserve(wanted) => value::<Result<Came, String>>(&reservation::carry_out(&wanted)),
        Question::Lease(wanted) => value(&sanlock::carry_out(&wanted)),
        Question::Mount(call) => value(&mount_anew(&call)),
        Question::Sync(point) => value(&mount::sync(&point).map_err(|e| words(&e))),
        Question::Tool { words, patience } => value(&tools::run(&words, patience)),
        Question::Unmount(point) => value(&mount::detach(&point)),
        Question::Users(wanted) => value(&wanted.find().map_err(|fail| fail.to_string())),
        Question::Signal(signal) => value(&signal.send().map_err(|fail| fail.to_string())),
        Question::IsFree(device) => value(&Device::is_free(&device).map_err(|e| words(&e))),
        Question::Check(question) => check::answer(question),
        Question::Mirror(question) => mirror::answer(question),
    }
}

/// Mounts what stands on the disk, and not what this node remembers of it.
fn mount_anew(call: &Call) -> Done {
    let forget = Device::open(&call.device).and_then(|device| device.forget_cached());
    forget.map_err(|e| Refusal {
        busy: false,
        here: false,
        words: format!("the cache of {} cannot be dropped: {}", call.device.display(), words(&e)),
    })?;
    mount::attach(call)
}

/// An answer as it goes over the pipe.
pub fn value<A: Serialize>(answer: &A) -> serde_json::Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// An error in words.
pub fn words(error: &std::io::Error) -> String {
    let fail = Fail::io(ims::Exit::Unknown, "x", error).to_string();
    fail.trim_start_matches("x: ").to_owned()
}

fn place(mount: &Path) -> Place {
    match file::real_folder(mount) {
        Ok(Some(path)) => Place::Folder(path),
        Ok(None) => Place::Missing,
        Err(e) => Place::Unusable(words(&e)),
    }
}

fn disk(device: &Device) -> Result<Disk, String> {
    let filesystem = Filesystem::read(device)?;
    let superblock = filesystem.as_ref().and_then(Filesystem::ext4);
    let guard = superblock.and_then(|superblock| superblock.mmp.map(|place| (place, superblock)));
    let guard = guard.map(|(place, superblock)| {
        let bytes = device.read(place.offset, mmp::LENGTH).map_err(|e| words(&e))?;
        Block::parse(&bytes, superblock.checksum_seed).map_err(ToOwned::to_owned)
    });
    Ok(Disk { number: device.number(), filesystem, guard })
}

fn claim(wanted: &claim::Wanted) -> Result<Claimed, String> {
    let device = Device::open_to_write(&wanted.device).map_err(|e| words(&e))?;
    if device.number() != wanted.number {
        return Err(format!("{} is another device now", wanted.device.display()));
    }
    let filesystem = Filesystem::read(&device)?;
    let superblock = filesystem.as_ref().and_then(Filesystem::ext4).ok_or("the file system is gone")?;
    let place = superblock.mmp.ok_or("the guard is gone")?;
    let guard = claim::Guard {
        device: &device,
        superblock,
        offset: place.offset,
        interval: Duration::from_secs(place.interval_s.into()),
    };
    guard.claim(wanted)
}

/// What a hand answers to [`Question::Mount`] and [`Question::Unmount`].
pub type Done = Result<(), Refusal>;

//! What may hang, done by a child of ours (`ims::sys::hand`): reading the disk, clearing its guard, mounting, syncing,
//! unmounting.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ims::Fail;
use ims::sys::block::{Device, Number};
use ims::sys::mount::{self, Call, Refusal};
use ims::sys::{file, hand};
use serde::{Deserialize, Serialize};

use crate::filesystem::ext4::{self, Superblock, Wrong};
use crate::guard::mmp::{self, Block};

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
    },
    /// Make the guard block clean, if it still is as judged and stays so for a while. Answered by a [`Cleared`].
    Clear {
        /// The device.
        device: PathBuf,
        /// Its number, as judged.
        number: Number,
        /// The guard block, as judged.
        judged: Block,
        /// For how long it must not change before.
        watch: Duration,
    },
    /// Mount. Answered by a `Result<(), Refusal>`.
    Mount(Call),
    /// Write out what is in memory. Answered by a `Result<(), String>`.
    Sync(PathBuf),
    /// Unmount. Answered by a `Result<(), Refusal>`.
    Unmount(PathBuf),
}

/// What was seen of a volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    /// The mount point.
    pub place: Place,
    /// What stands on the device, or why that can not be told.
    pub disk: Result<Disk, String>,
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
    pub superblock: Option<Superblock>,
    /// The guard block; absent when there is none.
    pub guard: Option<Result<Block, String>>,
}

/// What came of clearing a guard block.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Cleared {
    /// It is clean.
    Yes,
    /// It was not as judged any more; this is how it was found.
    Moved(Block),
    /// It could not be done; the block is as it was.
    Failed(String),
}

/// Answers questions until nobody asks any more.
pub fn serve(starter: u32) -> Result<ims::Exit, Fail> {
    hand::serve(starter, answer)?;
    Ok(ims::Exit::Ok)
}

fn answer(question: Question) -> serde_json::Value {
    match question {
        Question::Look { device, mount } => value(&Seen { place: place(&mount), disk: disk(&device) }),
        Question::Clear { device, number, judged, watch } => {
            value(&clear(&device, number, &judged, watch).unwrap_or_else(Cleared::Failed))
        }
        Question::Mount(call) => value(&mount::attach(&call)),
        Question::Sync(point) => value(&mount::sync(&point).map_err(|e| words(&e))),
        Question::Unmount(point) => value(&mount::detach(&point)),
    }
}

fn value<A: Serialize>(answer: &A) -> serde_json::Value {
    serde_json::to_value(answer).unwrap_or_default()
}

fn words(error: &std::io::Error) -> String {
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

fn disk(path: &Path) -> Result<Disk, String> {
    let device = Device::open(path).map_err(|e| words(&e))?;
    let superblock = match superblock(&device)? {
        Ok(superblock) => superblock,
        Err(Wrong::NotExt4) => return Ok(Disk { number: device.number(), superblock: None, guard: None }),
        Err(Wrong::Damaged(why)) => return Err(format!("the superblock is damaged: {why}")),
    };
    let guard = superblock.mmp.map(|place| {
        let bytes = device.read(place.offset, mmp::LENGTH).map_err(|e| words(&e))?;
        Block::parse(&bytes, superblock.checksum_seed).map_err(ToOwned::to_owned)
    });
    Ok(Disk { number: device.number(), superblock: Some(superblock), guard })
}

/// Reads the superblock, once more if it looks damaged: its holder may just have been writing it.
fn superblock(device: &Device) -> Result<Result<Superblock, Wrong>, String> {
    let read = || device.read(ext4::OFFSET, ext4::LENGTH).map_err(|e| words(&e));
    match Superblock::parse(&read()?) {
        Err(Wrong::Damaged(_)) => Ok(Superblock::parse(&read()?)),
        other => Ok(other),
    }
}

/// How long the read, the comparison and the write may take together before another may have come between.
const SWIFT: Duration = Duration::from_millis(500);

fn clear(path: &Path, number: Number, judged: &Block, watch: Duration) -> Result<Cleared, String> {
    let device = Device::open_to_write(path).map_err(|e| words(&e))?;
    if device.number() != number {
        return Err(format!("{} is another device now", path.display()));
    }
    let superblock = superblock(&device)?.map_err(|_| "the superblock is damaged".to_owned())?;
    let place = superblock.mmp.ok_or("the guard is gone")?;
    let length = usize::try_from(superblock.block_size).map_err(|e| e.to_string())?;
    let read = || -> Result<(Vec<u8>, Block), String> {
        let bytes = device.read(place.offset, length).map_err(|e| words(&e))?;
        let block = Block::parse(&bytes, superblock.checksum_seed)?;
        Ok((bytes, block))
    };
    let (_, before) = read()?;
    if before != *judged {
        return Ok(Cleared::Moved(before));
    }
    std::thread::sleep(watch);
    let began = Instant::now();
    let (bytes, now) = read()?;
    if now != *judged {
        return Ok(Cleared::Moved(now));
    }
    let clean = mmp::cleared(&bytes, superblock.checksum_seed).ok_or("the guard block is cut short")?;
    device.write(place.offset, &clean).map_err(|e| words(&e))?;
    if began.elapsed() > SWIFT {
        // This node stood still in between, and somebody may have begun to rely on what was overwritten.
        device.write(place.offset, &bytes).map_err(|e| words(&e))?;
        return Err("it took too long to be sure that nobody else wrote meanwhile".to_owned());
    }
    Ok(Cleared::Yes)
}

/// What a hand answers to [`Question::Mount`] and [`Question::Unmount`].
pub type Done = Result<(), Refusal>;

//! What `check` asks of a hand, since any of it may hang with the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::sys::mount::{self, Count};
use ims::sys::sample::{self, Refused};
use ims::sys::xfs;
use serde::{Deserialize, Serialize};

use super::record::Usage;
use super::smart;
use crate::hand::{value, words};

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub enum Question {
    /// How full is what is mounted there, and what does it know of its own damage? Answered by a `Result<Room, String>`.
    Room(PathBuf),
    /// Does it take a block, by the number of the mount? Answered by a `Result<u64, No>`, in microseconds.
    Write(PathBuf, u32),
    /// What does a disk say of itself? Answered by an `Option<Smart>`.
    Smart(PathBuf, Duration),
}

/// How full a file system is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room {
    /// Its space, in bytes.
    pub space: Option<Usage>,
    /// Its inodes.
    pub inodes: Option<Usage>,
    /// How many kinds of its parts XFS has found damaged; absent of other file systems.
    pub sick: Option<u32>,
}

/// Why a block was not taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct No {
    /// What it means.
    pub refused: Refused,
    /// The kernel's words.
    pub words: String,
}

/// Answers a question.
pub fn answer(question: Question) -> serde_json::Value {
    match question {
        Question::Room(point) => value(&room(&point).map_err(|e| words(&e))),
        Question::Write(point, mount) => value(&write(&point, mount)),
        Question::Smart(disk, timeout) => value(&smart::ask(&disk, timeout)),
    }
}

fn room(point: &Path) -> io::Result<Room> {
    let (space, inodes) = mount::room(point)?;
    let usage = |count: Count| Usage::of(count.total, count.free, count.available);
    // Another file system does not know the request, and nothing is known of its damage.
    let sick = xfs::sick(point).ok().map(u32::count_ones);
    Ok(Room { space: usage(space), inodes: usage(inodes), sick })
}

fn write(point: &Path, mount: u32) -> Result<u64, No> {
    let took =
        sample::write(point, mount).map_err(|e| No { refused: Refused::from(&e), words: words(&e) })?;
    Ok(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
}

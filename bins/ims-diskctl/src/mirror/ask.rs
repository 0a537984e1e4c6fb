//! What `mirror` asks of a hand, since any of it may hang with a disk: the superblocks of all legs, and what a mounted
//! file system is at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::Host;
use ims::sys::block::{Device, Number};
use ims::sys::btrfs::progress;
use ims::sys::{btrfs, disks};
use serde::{Deserialize, Serialize};

use super::btrfs::{Seen, digest};
use super::record::Resync;
use super::roots;
use crate::filesystem::Uuid;
use crate::filesystem::btrfs::{LENGTH, OFFSET, Superblock};
use crate::hand::{value, words};

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub enum Question {
    /// What do the legs of this Btrfs say, one of which is the device with this number? Answered by a
    /// `Result<Vec<Seen>, String>`.
    Legs(Number, Uuid),
    /// What is the Btrfs that is mounted at a folder at, with these devices? Answered by a `Result<Option<Resync>, String>`.
    Work(PathBuf, Vec<(u64, u64)>),
    /// Let the kernel forget these devices of Btrfs. Answered by a `Result<(), String>`.
    Forget(Vec<PathBuf>),
}

/// Answers a question.
pub fn answer(question: Question) -> serde_json::Value {
    match question {
        Question::Legs(number, uuid) => value(&legs(number, uuid)),
        Question::Forget(devices) => {
            value(&devices.iter().try_for_each(|device| btrfs::forget(device)).map_err(|e| words(&e)))
        }
        Question::Work(point, devices) => value(&work(&point, &devices)),
    }
}

fn work(point: &Path, devices: &[(u64, u64)]) -> Result<Option<Resync>, String> {
    let work = progress::work(point, devices).map_err(|e| words(&e))?;
    Ok(work.first().map(|work| Resync::of(work.what, work.done, work.total, None)))
}

/// How often the legs of a mounted file system are read again, since a commit may be under way.
const TRIES: u32 = 20;

/// Reads the legs: of a mounted file system those that the kernel has, else whatever disk of this node is one.
pub fn legs(number: Number, uuid: Uuid) -> Result<Vec<Seen>, String> {
    let host = Host::below(Path::new("/"));
    let mounted = btrfs::devices_with(number).map_err(|e| words(&e))?;
    let mut tries = 0;
    loop {
        let mut found: Vec<Seen> = Vec::new();
        for device in disks::all(&host).map_err(|e| words(&e))? {
            let is_candidate = mounted.is_empty() || mounted.contains(&device.1);
            // One leg may have several devices: the paths below a multipath device, and that itself.
            let known = |leg: &Seen| {
                found.iter().any(|other| other.superblock.device_uuid == leg.superblock.device_uuid)
            };
            if let Some(leg) =
                leg(&device, uuid, !mounted.is_empty())?.filter(|leg| is_candidate && !known(leg))
            {
                found.push(leg);
            }
        }
        tries += 1;
        let are_alike = found.windows(2).all(|pair| match pair {
            [one, other] => {
                one.digest == other.digest && one.superblock.generation == other.superblock.generation
            }
            _ => true,
        });
        if mounted.is_empty() || are_alike || tries == TRIES {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(10)); // a commit writes one leg after the other
    }
}

/// A leg; none when the device is none, or is not there.
fn leg((device, number): &(PathBuf, Number), uuid: Uuid, is_mounted: bool) -> Result<Option<Seen>, String> {
    let told = |e: &std::io::Error| format!("cannot read {}: {}", device.display(), words(e));
    let opened = match Device::open(device) {
        Ok(opened) if opened.number() == *number => opened,
        // Not the device that the kernel names so: a folder /dev of some other kind.
        Ok(_) => return Ok(None),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound || e.raw_os_error() == Some(ENXIO) => {
            return Ok(None);
        }
        Err(e) => return Err(told(&e)),
    };
    // A device that ends before; or one that fails, and is as good as missing.
    let Ok(bytes) = opened.read(OFFSET, LENGTH) else { return Ok(None) };
    let Ok(superblock) = Superblock::parse(&bytes) else { return Ok(None) };
    if superblock.uuid != uuid {
        return Ok(None);
    }
    let digest = digest(&bytes);
    // Of more than two legs none may have all of the tree; of a mounted file system it changes while it is read, and its
    // legs are written together.
    let roots = if superblock.devices == 2 && !is_mounted {
        roots::digest(&bytes, &|at, length| opened.read(at, length)).map_err(|e| told(&e))?
    } else {
        None
    };
    Ok(Some(Seen { device: device.clone(), number: *number, digest, roots, superblock }))
}

/// No such device or address: a drive without a disk in it.
const ENXIO: i32 = 6;

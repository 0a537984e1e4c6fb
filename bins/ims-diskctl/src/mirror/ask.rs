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

/// How often legs that differ are read again, since a commit may be under way, here or on the node that has it.
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
            let Some(leg) = leg(&device, uuid, !mounted.is_empty())?.filter(|_| is_candidate) else {
                continue;
            };
            let is_same = |other: &&Seen| other.superblock.device_uuid == leg.superblock.device_uuid;
            match found.iter().find(is_same) {
                None => found.push(leg),
                Some(other) => is_one(&host, other, &leg)?,
            }
        }
        tries += 1;
        let are_alike = found.windows(2).all(|pair| match pair {
            [one, other] => one.is_like(other),
            _ => true,
        });
        if are_alike || tries == TRIES {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(10)); // a commit writes one leg after the other
    }
}

/// Makes sure that two devices with the same leg on them are one: a multipath device and the paths below it. A copy, such
/// as a snapshot that the array shows beside the disk itself, has the same numbers, and nobody can tell which is meant.
fn is_one(host: &Host, one: &Seen, other: &Seen) -> Result<(), String> {
    let stack = |leg: &Seen| disks::stack(host, leg.number).map_err(|fail| fail.to_string());
    if one.is_like(other) && is_stacked(&stack(one)?, &stack(other)?) {
        return Ok(());
    }
    let (one, other, place) = (one.device.display(), other.device.display(), one.superblock.device);
    Err(format!("{one} and {other} both say that they are device {place} of it; one is a copy: detach that"))
}

/// Whether one of two devices stands on the other; each is given with all that it stands on, itself first.
fn is_stacked(one: &[PathBuf], other: &[PathBuf]) -> bool {
    let is_on = |upper: &[PathBuf], lower: &[PathBuf]| lower.first().is_some_and(|disk| upper.contains(disk));
    is_on(one, other) || is_on(other, one)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipath_device_and_its_paths_are_one_and_a_snapshot_is_another() {
        let stack = |names: &str| names.split(' ').map(PathBuf::from).collect::<Vec<_>>();
        for (one, other, expected) in [
            ("dm-0 sda sdb", "sdb", true),
            ("sda", "dm-1 dm-0 sda sdb", true),
            ("sda", "sdb", false),
            ("dm-1 sda", "dm-2 sda", false),
        ] {
            assert_eq!(is_stacked(&stack(one), &stack(other)), expected, "{one} and {other}");
        }
    }
}

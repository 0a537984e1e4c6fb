//! The legs of a Btrfs on several devices, judged by the superblock of each. Pure.
//!
//! Every commit counts up a generation and writes it on every leg that is there. A leg that was not is behind; legs that
//! were written apart have the same generation at most by chance, and then other roots.

use std::path::PathBuf;

use ims::sys::block::Number;
use serde::{Deserialize, Serialize};

use super::degraded::Degraded;
use super::record::{Leg, LegState};
use crate::filesystem::btrfs::Superblock;

/// A leg as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its device.
    pub device: PathBuf,
    /// Its device's number.
    pub number: Number,
    /// Its superblock.
    pub superblock: Superblock,
    /// A checksum of what is the same on legs that are alike; see [`digest`].
    pub digest: u32,
    /// A checksum of its tree of roots, where it could be read whole.
    pub roots: Option<u32>,
}

impl Seen {
    /// Whether another leg was written together with this one, as far as it can be told.
    pub fn is_like(&self, other: &Self) -> bool {
        let is_same = |(one, other): (u32, u32)| one == other;
        self.superblock.generation == other.superblock.generation
            && self.digest == other.digest
            && self.roots.zip(other.roots).is_none_or(is_same)
    }
}

/// A checksum of the parts of a superblock that every commit writes alike on each leg: flags, generation, roots, sizes,
/// label, chunks, the roots of the last commits. The log's roots may differ after a power cut, and each leg has an item
/// of its own.
pub fn digest(bytes: &[u8]) -> u32 {
    let parts = [0x38..0x60, 0x70..0xC8, 0x12B..0xDCB];
    parts.into_iter().fold(0, |sum, part| crc32c::crc32c_append(sum, bytes.get(part).unwrap_or_default()))
}

/// Every leg, the missing ones last; `before` is what this node remembers of a start without all of them.
pub fn legs(seen: &[Seen], before: Option<&Degraded>) -> Vec<Leg> {
    let newest = seen.iter().map(|leg| leg.superblock.generation).max().unwrap_or(0);
    let is_newest = |leg: &Seen| leg.superblock.generation == newest;
    let latest: Vec<&Seen> = seen.iter().filter(|leg| is_newest(leg)).collect();
    let are_alike = latest.iter().all(|leg| latest.iter().all(|other| leg.is_like(other)));
    let are_all_alike = are_alike && seen.len() > 1 && seen.iter().all(is_newest);
    // Whoever was left out of a start here and was written since was written by somebody else.
    let is_left_out = |leg: &Seen| before.is_some_and(|before| !before.has(leg));
    let is_apart = |leg: &Seen| {
        is_left_out(leg) && before.is_some_and(|before| leg.superblock.generation > before.generation)
    };
    let are_some_ours = !seen.iter().all(is_left_out);
    let judge = |leg: &Seen| {
        if are_all_alike && are_some_ours {
            LegState::Present
        } else if are_some_ours && seen.iter().any(is_apart) || is_newest(leg) && !are_alike {
            LegState::Split
        } else if is_left_out(leg) || !is_newest(leg) {
            LegState::Stale
        } else {
            LegState::Present
        }
    };
    let mut legs: Vec<Leg> = seen
        .iter()
        .map(|leg| Leg {
            place: Some(leg.superblock.device.to_string()),
            device: Some(leg.device.clone()),
            number: Some(leg.number),
            uuid: Some(leg.superblock.device_uuid.to_string()),
            state: judge(leg),
            generation: Some(leg.superblock.generation),
        })
        .collect();
    legs.sort_by(|a, b| a.place.cmp(&b.place));
    legs.extend(missing(seen));
    legs
}

/// A leg for each device that the newest superblock counts and nobody saw.
fn missing(seen: &[Seen]) -> Vec<Leg> {
    let newest = seen.iter().max_by_key(|leg| leg.superblock.generation);
    let wanted = newest.map_or(0, |leg| leg.superblock.devices);
    let places: Vec<u64> = seen.iter().map(|leg| leg.superblock.device).collect();
    // Devices are counted from 1; where one was taken away since, nobody knows the number of the missing one.
    let free: Vec<u64> = (1..=wanted).filter(|place| !places.contains(place)).collect();
    let count = wanted.saturating_sub(u64::try_from(seen.len()).unwrap_or(u64::MAX));
    let are_known = u64::try_from(free.len()).is_ok_and(|free| free == count);
    let one = |index: u64| Leg {
        place: usize::try_from(index)
            .ok()
            .and_then(|index| free.get(index))
            .filter(|_| are_known)
            .map(ToString::to_string),
        device: None,
        number: None,
        uuid: None,
        state: LegState::Missing,
        generation: None,
    };
    (0..count).map(one).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::filesystem::Uuid;

    /// A leg of a mirror of two.
    pub fn seen(device: u64, generation: u64, digest: u32) -> Seen {
        let superblock = Superblock {
            uuid: Uuid([7; 16]),
            label: String::new(),
            generation,
            devices: 2,
            device,
            length: 0,
            device_uuid: Uuid([u8::try_from(device).unwrap(); 16]),
            has_log: false,
        };
        let number = format!("8:{device}").parse().unwrap();
        Seen { device: format!("/dev/sd{device}").into(), number, superblock, digest, roots: None }
    }

    /// An earlier start with these legs alone.
    pub fn started(with: &[u64], generation: u64) -> Degraded {
        let legs = with.iter().map(|device| seen(*device, 0, 0).superblock.device_uuid.to_string()).collect();
        let uuid = Uuid([7; 16]).to_string();
        Degraded { uuid, generation, legs, missing: 1, time: jiff::Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_leg_is_judged_by_what_it_missed_and_by_what_this_node_remembers() {
        use LegState::{Missing, Present, Split, Stale};
        for (why, found, before, expected) in [
            ("alike", vec![seen(1, 9, 1), seen(2, 9, 1)], None, vec![Present, Present]),
            ("one is missing", vec![seen(1, 9, 1)], None, vec![Present, Missing]),
            ("one missed a commit", vec![seen(1, 9, 1), seen(2, 8, 2)], None, vec![Present, Stale]),
            ("as many commits, apart", vec![seen(1, 9, 1), seen(2, 9, 2)], None, vec![Split, Split]),
            ("the one it started with", vec![seen(1, 12, 1)], Some(started(&[1], 9)), vec![Present, Missing]),
            ("the one it started without", vec![seen(2, 9, 1)], Some(started(&[1], 9)), vec![Stale, Missing]),
            (
                "the other came back as it was",
                vec![seen(1, 12, 1), seen(2, 9, 2)],
                Some(started(&[1], 9)),
                vec![Present, Stale],
            ),
            (
                "the other was written too",
                vec![seen(1, 12, 1), seen(2, 10, 2)],
                Some(started(&[1], 9)),
                vec![Split, Split],
            ),
            (
                "the other was written more",
                vec![seen(1, 12, 1), seen(2, 15, 2)],
                Some(started(&[1], 9)),
                vec![Split, Split],
            ),
            (
                "mended since",
                vec![seen(1, 20, 1), seen(2, 20, 1)],
                Some(started(&[1], 9)),
                vec![Present, Present],
            ),
        ] {
            let states: Vec<LegState> = legs(&found, before.as_ref()).iter().map(|leg| leg.state).collect();
            assert_eq!(states, expected, "{why}");
        }
        let apart = [Seen { roots: Some(1), ..seen(1, 9, 1) }, Seen { roots: Some(2), ..seen(2, 9, 1) }];
        assert_eq!(legs(&apart, None)[0].state, Split, "the superblocks are alike");
        let on_one = [Seen { roots: Some(1), ..seen(1, 9, 1) }, seen(2, 9, 1)];
        assert_eq!(legs(&on_one, None)[1].state, Present, "the tree stands on one leg alone");
        assert_eq!(legs(&[seen(2, 9, 1)], None)[1].place.as_deref(), Some("1"));
        assert_eq!(legs(&[seen(5, 9, 1)], None)[1].place, None, "its number cannot be told");
        assert_eq!(legs(&[], None), []);
    }
}

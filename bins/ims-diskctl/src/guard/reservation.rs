//! A persistent reservation as a guard: the disk itself lets nobody write but the node that took the volume.
//!
//! A node registers its key when it takes a volume and not before, reserves the disk for registrants, and takes its key
//! away when it gives the volume up. So one key alone is registered, once for each path, and whoever takes that away from
//! a node, which is an act of the disk, has fenced it from the volume: also one that was frozen and thaws.

use ims::sys::block::{Device, Number};
use ims::sys::reservation::{Done, Held, Key, Kind, Seen, paths};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

use crate::filesystem::checksum;
use crate::hand::words;

/// What our keys begin with: `im`.
const OURS: u64 = 0x696D;

/// The key of a node: `im`, and checksums of its name (two of one kind, which tell names of one length apart by 32 bits), so
/// that every node can tell whose a key is.
pub fn key(node: &str) -> Key {
    let low = u64::from(checksum(!0, node.as_bytes()));
    let high = u64::from(checksum(0, node.as_bytes())) & 0xFFFF;
    Key(OURS << 48 | high << 32 | low)
}

/// How a disk stands to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody reserved it.
    Free,
    /// This node did.
    Ours,
    /// Another node did, by this key.
    Theirs(Key),
    /// Somebody did whose way is not ours: another program's.
    Strange(Held),
}

/// How a disk stands to the node of this key.
pub fn standing(seen: &Seen, us: Key) -> Standing {
    match seen.held {
        None => Standing::Free,
        Some(Held { key, kind: Kind::RegistrantsWrite }) if key == us => Standing::Ours,
        Some(Held { key, kind: Kind::RegistrantsWrite }) if key.0 >> 48 == OURS => Standing::Theirs(key),
        Some(held @ Held { kind: Kind::RegistrantsWrite | Kind::Other(_), .. }) => Standing::Strange(held),
    }
}

/// A key that is registered and no node's: another program's, who may write whoever reserves the disk.
pub fn stranger(seen: &Seen) -> Option<Key> {
    seen.keys.iter().copied().find(|key| key.0 >> 48 != OURS)
}

/// Whether nobody could write to the disk but us and one whose key is about to be taken away.
pub fn excludes_others(seen: &Seen, us: Key, preempted: Option<Key>) -> bool {
    seen.keys.iter().all(|key| *key == us || Some(*key) == preempted)
}

/// What is to be done to a disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// The device.
    pub device: PathBuf,
    /// Its number, as judged.
    pub number: Number,
    /// The key of this node.
    pub us: Key,
    /// What is to be done.
    pub deed: Deed,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Reserve the disk, if nobody else has.
    Reserve,
    /// Take the key of another away, and the reservation over.
    Preempt(Key),
    /// Give the reservation up.
    GiveUp,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Came {
    /// It is as wanted, as the disk says after it.
    Done,
    /// Another was faster; this is what the disk says.
    Another(Seen),
}

/// Does it, and asks the disk whether it is done. An error says what went wrong; whether anything was done can be seen by
/// another look.
pub fn carry_out(wanted: &Wanted) -> Result<Came, String> {
    let device = Device::open_to_write(&wanted.device).map_err(|e| words(&e))?;
    if device.number() != wanted.number {
        return Err(format!("{} is another device now", wanted.device.display()));
    }
    let us = wanted.us;
    let seen = || {
        let seen = device.reservations().map_err(|e| words(&e))?;
        seen.ok_or_else(|| "the disk knows no reservations any more".to_owned())
    };
    let ours = |done: std::io::Result<Done>| done.map_err(|e| words(&e));
    match wanted.deed {
        Deed::Reserve => {
            ours(device.register(us))?;
            // After a restart the disk may know this node by another port: the same key then, and not the same registrant.
            if ours(device.reserve(us))? == Done::Conflict && standing(&seen()?, us) == Standing::Ours {
                ours(device.preempt(us, us))?;
            }
        }
        Deed::Preempt(theirs) => {
            ours(device.register(us))?;
            ours(device.preempt(us, theirs))?;
        }
        Deed::GiveUp => {
            let done = device.unregister(us);
            if !seen()?.keys.contains(&us) {
                return Ok(Came::Done);
            }
            give_up_by_one_path(&wanted.device, us).map_err(|e| words(&e))?;
            if !seen()?.keys.contains(&us) {
                return Ok(Came::Done);
            }
            ours(done)?;
            return Err("the disk keeps this node's key".to_owned());
        }
    }
    let now = seen()?;
    if standing(&now, us) == Standing::Ours && now.keys.contains(&us) {
        return Ok(Came::Done);
    }
    ours(device.unregister(us))?;
    Ok(Came::Another(now))
}

/// Takes this node's key away by the first path that does it. The kernel does so by all of them or none; of a path that is
/// lost, and of an earlier session of this node, the key can only be taken away like another's.
fn give_up_by_one_path(device: &Path, us: Key) -> io::Result<()> {
    let give_up = |path: &PathBuf| {
        let path = Device::open_to_write(path)?;
        path.register(us)?;
        path.preempt(us, us)?;
        path.unregister(us)
    };
    let _ = paths(device)?.iter().any(|path| give_up(path).is_ok_and(|done| done == Done::Yes)); // the disk tells
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(keys: &[Key], held: Option<(Key, Kind)>) -> Seen {
        Seen { generation: 1, keys: keys.to_vec(), held: held.map(|(key, kind)| Held { key, kind }) }
    }

    #[test]
    fn every_node_knows_every_key() {
        assert_eq!(key("mail-1").to_string(), "0x696dc9c1a01d4ab4");
        assert_ne!(key("mail-1"), key("mail-2"));
    }

    #[test]
    fn a_disk_stands_to_a_node_as_its_reservation_says() {
        let (us, them, fence_scsi) = (key("mail-1"), key("mail-2"), Key(0x1234_0000));
        let writers = Kind::RegistrantsWrite;
        for (held, expected) in [
            (None, Standing::Free),
            (Some((us, writers)), Standing::Ours),
            (Some((them, writers)), Standing::Theirs(them)),
            (Some((fence_scsi, writers)), Standing::Strange(Held { key: fence_scsi, kind: writers })),
            (Some((us, Kind::Other(3))), Standing::Strange(Held { key: us, kind: Kind::Other(3) })),
        ] {
            assert_eq!(standing(&seen(&[us, them], held), us), expected);
        }
    }

    #[test]
    fn others_are_excluded_when_no_key_but_ours_is_left() {
        let (us, them, third) = (key("mail-1"), key("mail-2"), key("mail-3"));
        assert!(excludes_others(&seen(&[us, us], None), us, None));
        assert!(!excludes_others(&seen(&[us, them], None), us, None));
        assert!(excludes_others(&seen(&[them, us], None), us, Some(them)));
        assert!(!excludes_others(&seen(&[them, third], None), us, Some(them)));
    }
}

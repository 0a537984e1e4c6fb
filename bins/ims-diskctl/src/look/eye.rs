//! The one who looks at volumes, whatever a disk does.

use std::time::Duration;

use ims::sys::block::{self, Number};
use ims::sys::btrfs;
use ims::sys::hand::{Hand, Heard};
use ims::sys::mount::{Mounted, Table};
use ims::sys::reservation::Key;
use ims::{Exit, Fail, Host, State};

use super::Found;
use crate::guard::mmp::Sequence;
use crate::guard::reservation;
use crate::hand::{Place, Question, Seen};
use crate::names::Names;
use crate::record;
use crate::volume::Volume;

/// One who looks, with a hand to do it and a deadline.
#[derive(Debug)]
pub struct Eye {
    hand: Hand,
    names: Names,
    name: String,
    us: Key,
    /// What the volume stands on.
    layers: Vec<record::Layer>,
    /// Why it sees nothing any more: its hand hangs, and an answer that came late would be taken for another's.
    blind: Option<String>,
}

impl Eye {
    /// An eye with a hand of its own.
    pub fn open(host: &Host, hand: Hand) -> Result<Self, Fail> {
        let name = host.name().to_owned();
        let (us, layers) = (reservation::key(&name), Vec::new());
        Ok(Self { hand, names: Names::load(host)?, us, name, layers, blind: None })
    }

    /// The same for a volume that stands on these layers.
    #[must_use]
    pub fn on(self, layers: &[record::Layer]) -> Self {
        Self { layers: layers.to_vec(), ..self }
    }

    /// The hand, for other questions.
    pub fn hand(&mut self) -> &mut Hand {
        &mut self.hand
    }

    /// The pid of the hand.
    pub fn pid(&self) -> u32 {
        self.hand.pid()
    }

    /// Ends its hand at once, whatever that does.
    pub fn close(self) {
        self.hand.end();
    }

    /// Has its hand, which has nothing more to do, stay until this process ends.
    pub fn rest(self) {
        self.hand.rest();
    }

    /// Whether a disk did not answer it in time, after which it sees no other.
    pub const fn is_blind(&self) -> bool {
        self.blind.is_some()
    }

    /// Looks at a volume; a disk that does not answer in time is told as such.
    pub fn look(&mut self, volume: &Volume, patience: Duration) -> Result<Found, Fail> {
        let number = block::number_of(&volume.device)?;
        if self.blind.is_none() {
            self.hand.ask(&Question::Look {
                device: volume.device.clone(),
                mount: volume.mount.clone(),
                lease: volume.lease.clone(),
            })?;
            match self.hand.answer(patience, None)? {
                Heard::Answer(seen) => return self.found(volume, number, seen),
                Heard::Silence | Heard::Stopped(_) => {
                    self.blind = Some(format!("it did not answer within {}", ims::span::Span(patience)));
                }
            }
        }
        let why = self.blind.clone().unwrap_or_default();
        let lease = volume.lease.as_ref().map(|_| Err(why.clone()));
        let seen =
            Seen { place: Place::Unusable(why.clone()), reserved: Err(why.clone()), disk: Err(why), lease };
        self.found(volume, number, seen)
    }

    fn found(&self, volume: &Volume, number: Number, seen: Seen) -> Result<Found, Fail> {
        let table = Table::load()?;
        let disk = match seen.disk {
            Ok(disk) if disk.number != number => Err("it became another device meanwhile".to_owned()),
            other => other,
        };
        let parts = parts(number)?;
        let mounts: Vec<Mounted> =
            table.iter().filter(|mounted| is_of(mounted, number, &parts)).cloned().collect();
        let mut found = Found {
            us: self.name.clone(),
            number,
            is_apart: mounts.is_empty() && !parts.is_empty(),
            mounts,
            top: None,
            nested: Vec::new(),
            place: seen.place,
            disk,
            signer: None,
            reserved: seen.reserved,
            standing: None,
            reserved_by: None,
            rival: None,
            layers: self.layers.clone(),
            lease: seen.lease,
        };
        found.top = table.top_at(found.point(volume)).cloned();
        found.nested =
            found.mounted_there().map(|there| table.on(there.id).cloned().collect()).unwrap_or_default();
        if let Ok(Some(seen)) = &found.reserved {
            found.standing = Some(reservation::standing(seen, self.us));
            found.reserved_by = seen.held.map(|held| self.names.reserver(held.key));
        }
        found.signer = found.guard().and_then(|block| self.names.signer(block));
        found.rival = self.rival(&found);
        Ok(found)
    }

    /// The other node that signs the guard of what is mounted here. A name that is no known node's may be that of this
    /// machine, on which the node is a container.
    fn rival(&self, found: &Found) -> Option<String> {
        let block = found.guard().filter(|block| matches!(block.sequence(), Sequence::Held(_)))?;
        let is_here = found.mounted() == State::Up && !block.is_claim();
        let another = |signer: &&String| **signer != self.name && self.names.is_node(signer);
        found.signer.as_ref().filter(|_| is_here).filter(another).cloned()
    }
}

/// Every device of the mounted Btrfs that a device is part of; none where it is part of none.
pub(super) fn parts(number: Number) -> Result<Vec<Number>, Fail> {
    btrfs::devices_with(number)
        .map_err(|e| Fail::io(Exit::Unknown, "cannot tell which Btrfs is mounted here", &e))
}

/// Whether a mount is of a device, or of the mounted Btrfs that the device is part of.
pub(super) fn is_of(mounted: &Mounted, number: Number, parts: &[Number]) -> bool {
    let is_one_of_parts = || block::number_of(&mounted.source).is_ok_and(|source| parts.contains(&source));
    mounted.device == number || mounted.fstype == "btrfs" && is_one_of_parts()
}

//! The record of a volume as it was found.

use ims::State;
use ims::sys::mount::Mounted;
use jiff::Timestamp;

use super::Found;
use crate::filesystem::Filesystem;
use crate::guard::mmp::{Block, Sequence};
use crate::guard::reservation::Standing;
use crate::guard::sanlock::Standing as Leased;
use crate::hand::Disk;
use crate::record::{self, Guard, GuardKind, GuardState, Lease, LeaseState, Reservation};
use crate::volume::{DiskGroup, Volume};

/// The state of a volume, by its own and those of its layers; and why, where the layers make it so.
fn state(own: State, layers: &[record::Layer]) -> (State, Option<String>) {
    let why = |layer: &record::Layer| {
        let why = layer.why.clone().unwrap_or_else(|| "it is not active here in all its parts".to_owned());
        Some(format!("{}: {why}", layer.layer))
    };
    let is_held = |layer: &&record::Layer| layer.held_by.is_some() && layer.state != State::Down;
    if let Some(unknown) = layers.iter().find(|layer| layer.state == State::Unknown) {
        return (State::Unknown, why(unknown));
    }
    match own {
        State::Up => layers
            .iter()
            .find(|layer| layer.state != State::Up)
            .map_or((own, None), |layer| (State::Partial, why(layer))),
        State::Down => layers.iter().find(is_held).map_or((own, None), |layer| {
            let said = format!("it is not mounted, and {} is active here: release it", layer.layer);
            (State::Partial, Some(said))
        }),
        State::Partial | State::Unknown => (own, None),
    }
}

impl record::Volume {
    /// A volume whose device is not there, as what it stands on is not active.
    pub fn asleep(volume: &Volume) -> Self {
        Self {
            resource: volume.name.clone(),
            device: volume.device.clone(),
            number: None,
            mount: volume.mount.clone(),
            fstype: None,
            uuid: None,
            label: None,
            state: State::Down,
            mounted_at: Vec::new(),
            options: None,
            guard: Guard::unknown(),
            reservation: None,
            lease: None,
            needs_recovery: None,
            errors: None,
            layers: Vec::new(),
            mounts: None,
            users: Vec::new(),
            kernel_users: Vec::new(),
            sync_ms: None,
            changed: false,
            why: None,
        }
    }

    /// The same on its layers.
    #[must_use]
    pub fn on(mut self, layers: Vec<record::Layer>) -> Self {
        let (state, why) = state(self.state, &layers);
        self.state = state;
        self.why = why.or(self.why);
        self.layers = layers;
        self
    }
}

impl record::DiskGroup {
    /// A disk group on its layers.
    pub fn of(group: &DiskGroup, layers: Vec<record::Layer>, changed: bool) -> Self {
        let all = |state: State| layers.iter().all(|layer| layer.state == state);
        let state = match () {
            () if layers.iter().any(|layer| layer.state == State::Unknown) => State::Unknown,
            () if all(State::Up) => State::Up,
            () if all(State::Down) => State::Down,
            () => State::Partial,
        };
        let why = layers.iter().find(|layer| layer.why.is_some() && layer.state != State::Up);
        let why = why.and_then(|layer| Some(format!("{}: {}", layer.layer, layer.why.as_ref()?)));
        let resource = group.name.clone();
        Self { resource, state, changed, why: why.filter(|_| state != State::Up), layers }
    }
}

impl Guard {
    /// A guard that could not be read.
    const fn unknown() -> Self {
        Self {
            kind: GuardKind::Unknown,
            state: None,
            held_by: None,
            held_by_device: None,
            written_by: None,
            last_sign: None,
            age_s: None,
            sequence: None,
            interval_s: None,
            wait_s: None,
        }
    }
}

impl Found {
    /// Why the state is what it is, where that is not plain.
    fn why(&self, volume: &Volume) -> Option<String> {
        if let (State::Up, Some(Standing::Theirs(_) | Standing::Strange(_)), Some(who)) =
            (self.mounted(), self.standing, &self.reserved_by)
        {
            return Some(format!("it is reserved for {who}, and this node can write nothing any more"));
        }
        if let (State::Up, Some(who)) = (self.mounted(), &self.rival) {
            return Some(format!("{who} signs its guard too: two nodes have it mounted"));
        }
        if let Err(why) = &self.disk {
            return Some(format!("cannot read {}: {why}", volume.device.display()));
        }
        if let (State::Up, Some(lease)) = (self.mounted(), self.lease_standing()) {
            match lease {
                Ok(Leased::Ours) => {}
                Ok(Leased::Free) => return Some("it is mounted here, and nobody has its lease".to_owned()),
                Ok(Leased::Theirs(host)) => {
                    return Some(format!("it is mounted here, and its lease is {}'s", host.node()));
                }
                Err(why) => return Some(format!("cannot tell who has its lease: {why}")),
            }
        }
        if let Some(Err(why)) = &self.lease {
            return Some(format!("cannot tell who has its lease: {why}"));
        }
        if let Ok(Disk { guard: Some(Err(why)), .. }) = &self.disk {
            return Some(format!("cannot read the guard of {}: {why}", volume.device.display()));
        }
        match (self.mounted(), self.mounted_there(), &self.top) {
            (State::Partial, Some(_), _) => Some("it is mounted read-only".to_owned()),
            (State::Partial, None, Some(top)) => {
                Some(format!("device {} ({}) is mounted there", top.device, top.fstype))
            }
            (State::Partial, None, None) if self.is_apart => {
                Some("it is mounted on this node, in another mount namespace".to_owned())
            }
            (State::Partial, None, None) => Some("it is mounted elsewhere on this node".to_owned()),
            (State::Up | State::Down | State::Unknown, _, _) => None,
        }
    }

    /// The record of what was found.
    pub fn record(&self, volume: &Volume, changed: bool) -> record::Volume {
        let filesystem = self.disk.as_ref().ok().and_then(|disk| disk.filesystem.as_ref());
        record::Volume {
            resource: volume.name.clone(),
            device: volume.device.clone(),
            number: Some(self.number.to_string()),
            mount: volume.mount.clone(),
            fstype: self.fstype().map(ToOwned::to_owned),
            uuid: filesystem.map(|filesystem| filesystem.uuid().to_string()),
            label: filesystem
                .map(|filesystem| filesystem.label().to_owned())
                .filter(|label| !label.is_empty()),
            state: self.state(),
            mounted_at: self.mounts.iter().map(|mounted| mounted.point.clone()).collect(),
            options: self.mounted_there().map(Mounted::all_options),
            guard: self.guard_record(Timestamp::now()),
            reservation: self.reservation_record(),
            lease: self.lease_record(volume),
            needs_recovery: filesystem.and_then(Filesystem::needs_recovery),
            errors: filesystem.and_then(Filesystem::error_count),
            layers: Vec::new(),
            mounts: filesystem.and_then(Filesystem::ext4).map(|ext4| ext4.mount_count),
            users: Vec::new(),
            kernel_users: Vec::new(),
            sync_ms: None,
            changed,
            why: self.why(volume),
        }
    }

    /// The file system: what its superblock says, or the kernel where it is mounted.
    fn fstype(&self) -> Option<&str> {
        let filesystem = self.disk.as_ref().ok()?.filesystem.as_ref();
        let mounted = || self.mounts.first().map(|mounted| mounted.fstype.as_str());
        filesystem.map(Filesystem::word).or_else(mounted)
    }

    fn reservation_record(&self) -> Option<Reservation> {
        let seen = self.reserved.as_ref().ok()?.as_ref()?;
        Some(Reservation {
            held_by: self.reserved_by.clone(),
            key: seen.held.map(|held| held.key.to_string()),
            keys: seen.keys.iter().map(ToString::to_string).collect(),
            generation: seen.generation,
        })
    }

    fn lease_record(&self, volume: &Volume) -> Option<Lease> {
        let name = volume.lease.as_ref()?.to_string();
        let standing = self.lease_standing()?;
        let seen = self.lease.as_ref()?.as_ref().ok();
        let here = seen.and_then(|seen| seen.here.as_ref().ok());
        let host = match &standing {
            Ok(Leased::Theirs(host)) => Some(host),
            Ok(Leased::Free | Leased::Ours) | Err(_) => None,
        };
        let state = match &standing {
            Ok(Leased::Free) => LeaseState::Free,
            Ok(Leased::Ours) => LeaseState::Ours,
            Ok(Leased::Theirs(_)) => LeaseState::Held,
            Err(_) => LeaseState::Unknown,
        };
        Some(Lease {
            lease: name,
            state,
            held_by: self.leased_to(),
            host_id: seen.filter(|seen| seen.owner.timestamp != 0).map(|seen| seen.owner.id),
            age_s: host.and_then(|host| host.age_s),
            wait_s: host.map(|host| host.wait().as_secs()),
            watchdog: here.map(|here| here.has_watchdog),
            why: standing.err().or_else(|| seen?.here.as_ref().err().cloned()),
        })
    }

    fn guard_record(&self, now: Timestamp) -> Guard {
        let interval_s = self.disk.as_ref().ok().and_then(Disk::mmp).map(|place| place.interval_s);
        let (kind, state) = match &self.disk {
            Err(_) => (GuardKind::Unknown, Some(GuardState::Unreadable)),
            Ok(Disk { guard: None, .. }) => (GuardKind::None, None),
            Ok(Disk { guard: Some(Err(_)), .. }) => (GuardKind::Mmp, Some(GuardState::Unreadable)),
            Ok(Disk { guard: Some(Ok(block)), .. }) => {
                let state = match block.sequence() {
                    Sequence::Clean => GuardState::Clean,
                    Sequence::Fsck => GuardState::Fsck,
                    Sequence::Held(_) => GuardState::Held,
                };
                (GuardKind::Mmp, Some(state))
            }
        };
        let block = self.guard();
        let is_held = matches!(state, Some(GuardState::Held | GuardState::Fsck));
        let last_sign = block.and_then(Block::last_sign).filter(|time| *time != Timestamp::UNIX_EPOCH);
        Guard {
            kind,
            state,
            held_by: self.signer.clone().filter(|_| is_held),
            held_by_device: block
                .filter(|_| is_held)
                .map(|block| block.device.clone())
                .filter(|device| !device.is_empty()),
            written_by: self.signer.clone(),
            last_sign,
            age_s: last_sign.map(|time| now.as_second() - time.as_second()),
            sequence: block.map(Block::number),
            interval_s,
            wait_s: block.zip(interval_s).map(|(block, interval)| block.wait(interval).as_secs()),
        }
    }
}

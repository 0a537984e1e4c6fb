//! What a volume has of each kind of guard.

use ims::State;

use super::choice::{Kind, Offer, Presence};
use crate::filesystem::Filesystem;
use crate::look::Found;
use crate::record;

/// What a volume has of each kind.
pub fn offers(found: &Found) -> Vec<Offer> {
    let offer = |kind, presence| Offer { kind, presence };
    let mut offers = vec![offer(Kind::Reservation, reservation(found)), offer(Kind::Sanlock, sanlock(found))];
    // Other file systems than ext4 cannot have it.
    let may_have_mmp = found
        .disk
        .as_ref()
        .map_or(true, |disk| disk.filesystem.as_ref().is_none_or(|filesystem| filesystem.ext4().is_some()));
    if may_have_mmp {
        offers.push(offer(Kind::Mmp, mmp(found)));
    }
    offers.extend(by_layers(&found.layers));
    offers
}

/// What the layers have that a volume stands on.
pub fn by_layers(layers: &[record::Layer]) -> Vec<Offer> {
    let of = |layer: &record::Layer| {
        let kind = Kind::of(&layer.layer)?;
        let presence = match layer.state {
            State::Unknown => Presence::Unknown(layer.why.clone().unwrap_or_default()),
            _ if !layer.is_guard => return None,
            State::Up | State::Down | State::Partial => Presence::There,
        };
        Some(Offer { kind, presence })
    };
    layers.iter().filter_map(of).collect()
}

fn reservation(found: &Found) -> Presence {
    let filesystem = found.disk.as_ref().ok().and_then(|disk| disk.filesystem.as_ref());
    if matches!(filesystem, Some(Filesystem::Btrfs(superblock)) if superblock.devices > 1) {
        return Presence::Absent("it would keep the other nodes off one of its devices alone".to_owned());
    }
    match &found.reserved {
        Ok(Some(_)) => Presence::There,
        Ok(None) => Presence::Absent("it is no whole disk that knows SCSI-3 or NVMe reservations".to_owned()),
        Err(why) => Presence::Unknown(why.clone()),
    }
}

fn sanlock(found: &Found) -> Presence {
    let seen = match &found.lease {
        None => return Presence::Absent("no lease was named".to_owned()),
        Some(Ok(seen)) => seen,
        Some(Err(why)) => return Presence::Unknown(why.clone()),
    };
    match &seen.here {
        Ok(here) if here.has_watchdog => Presence::There,
        Ok(_) => Presence::Toothless(
            "sanlock works without the watchdog here (-w 0): nothing stops a node that loses its lease"
                .to_owned(),
        ),
        Err(why) => Presence::Unknown(why.clone()),
    }
}

fn mmp(found: &Found) -> Presence {
    match found.disk.as_ref().map(|disk| &disk.guard) {
        Ok(Some(Ok(_))) => Presence::There,
        Ok(Some(Err(why))) | Err(why) => Presence::Unknown(why.clone()),
        Ok(None) => Presence::Absent("the file system has none".to_owned()),
    }
}

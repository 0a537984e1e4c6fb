//! Which guard of a volume a take goes by. Pure.
//!
//! Guards are ranked by what happens when their holder stood still, another took the volume, and it goes on: whether it
//! can still write. Every guard that a volume has is heeded, whichever is chosen; the choice says which one must let
//! the take through for the volume to be safe.

use ims::Fail;
use ims::layer::Layer;
use schemars::JsonSchema;
use serde::Serialize;

use crate::volume::Wanted;

/// The kinds of guards, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A persistent reservation: the disk itself refuses what another node writes.
    Reservation,
    /// A sanlock lease: a machine that lost it is reset by its watchdog.
    Sanlock,
    /// The role of a DRBD resource: of two nodes that see each other one is primary, and each writes to disks of its own.
    Drbd,
    /// Multiple mount protection of ext4: a holder sees that another has taken over when it next writes its block.
    Mmp,
    /// The host of a ZFS pool, which others do not import.
    Zfs,
    /// The host of a disk group of Veritas, which others do not import.
    Vxvm,
    /// The system ID of an LVM volume group, which others do not activate.
    Lvm,
}

impl Kind {
    /// The guard that a layer is.
    pub const fn of(layer: &Layer) -> Option<Self> {
        match layer {
            Layer::Drbd(_) => Some(Self::Drbd),
            Layer::Zfs(_) => Some(Self::Zfs),
            Layer::Vxvm(_) => Some(Self::Vxvm),
            Layer::Lvm { .. } => Some(Self::Lvm),
            Layer::Md(_) | Layer::Btrfs(_) => None,
        }
    }

    /// The word for people, tables and `--guard`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reservation => "reservation",
            Self::Sanlock => "sanlock",
            Self::Drbd => "drbd",
            Self::Mmp => "mmp",
            Self::Zfs => "zfs",
            Self::Vxvm => "vxvm",
            Self::Lvm => "lvm",
        }
    }

    /// Whether it keeps a holder from writing that stood still while another took the volume.
    pub const fn keeps_thawed_off(self) -> bool {
        match self {
            Self::Reservation | Self::Sanlock => true,
            Self::Drbd | Self::Mmp | Self::Zfs | Self::Vxvm | Self::Lvm => false,
        }
    }

    /// What switches it on.
    const fn way_in(self) -> &'static str {
        match self {
            Self::Reservation => "name a whole disk that knows SCSI-3 or NVMe reservations, or another guard",
            Self::Sanlock => "make a lease and name it with --lease",
            Self::Mmp => {
                "tune2fs -O mmp while no node has it mounted, or say --guard none where something else keeps them off"
            }
            Self::Drbd | Self::Zfs | Self::Vxvm => "name the layer that it stands on with --layer",
            Self::Lvm => {
                "name the volume group with --layer, and give it a system ID (lvmsystemid(7)) or shared locks"
            }
        }
    }
}

/// What a volume has of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It has it.
    There,
    /// It has not: why.
    Absent(String),
    /// It has it, and nothing stops a holder that lost it: why.
    Toothless(String),
    /// It could not be told: why.
    Unknown(String),
}

/// One kind, and what a volume has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The kind.
    pub kind: Kind,
    /// What the volume has of it.
    pub presence: Presence,
}

/// The guard that a take of a device goes by; none only where that was asked for.
///
/// A guard that is stronger than the rest and cannot be told of makes it unknown, for it may be held.
pub fn choose(wanted: Wanted, offers: &[Offer], device: &str) -> Result<Option<Kind>, Fail> {
    let named = match wanted {
        Wanted::Auto => return strongest(offers, device).map(Some),
        Wanted::None => return Ok(strongest(offers, device).ok()),
        Wanted::Reservation => Kind::Reservation,
        Wanted::Sanlock => Kind::Sanlock,
        Wanted::Drbd => Kind::Drbd,
        Wanted::Mmp => Kind::Mmp,
        Wanted::Zfs => Kind::Zfs,
        Wanted::Vxvm => Kind::Vxvm,
        Wanted::Lvm => Kind::Lvm,
    };
    let presence = offers.iter().find(|offer| offer.kind == named).map(|offer| &offer.presence);
    match presence {
        Some(Presence::There | Presence::Toothless(_)) => Ok(Some(named)),
        Some(Presence::Unknown(why)) => Err(unknown(named, why, device)),
        // That of a file system is told by what it lacks.
        Some(Presence::Absent(why)) if named != Kind::Mmp => Err(absent(named, device).because(why)),
        Some(Presence::Absent(_)) | None => Err(absent(named, device)),
    }
}

fn strongest(offers: &[Offer], device: &str) -> Result<Kind, Fail> {
    let mut ranked: Vec<&Offer> = offers.iter().collect();
    ranked.sort_by_key(|offer| offer.kind);
    let mut toothless = None;
    for offer in ranked {
        match &offer.presence {
            Presence::There => return Ok(offer.kind),
            Presence::Unknown(why) => return Err(unknown(offer.kind, why, device)),
            Presence::Toothless(why) => toothless = toothless.or(Some((offer.kind, why))),
            Presence::Absent(_) => {}
        }
    }
    Err(match toothless {
        Some((kind, why)) => Fail::refused(format!("{device} has a guard without teeth, {}", kind.word()))
            .because(why)
            .hint(format!("mend that, or say --guard {} to go by it all the same", kind.word())),
        None if offers.iter().any(|offer| offer.kind == Kind::Mmp) => absent(Kind::Mmp, device),
        None => Fail::refused(format!("{device} has no guard against a second mount")).hint(
            "name a lease with --lease, or say --guard none where something else keeps the other nodes off",
        ),
    })
}

fn unknown(kind: Kind, why: &str, device: &str) -> Fail {
    let what = match kind {
        Kind::Reservation => format!("cannot tell who reserved {device}"),
        Kind::Sanlock => format!("cannot tell who has the lease of {device}"),
        Kind::Mmp => format!("cannot read the guard of {device}"),
        Kind::Drbd | Kind::Zfs | Kind::Vxvm | Kind::Lvm => {
            format!("cannot tell who has the {} layer of {device}", kind.word())
        }
    };
    let fail = Fail::unknown(what).because(why);
    match kind {
        Kind::Reservation => fail.hint("where the disk knows no reservations, say --guard mmp"),
        Kind::Sanlock | Kind::Drbd | Kind::Mmp | Kind::Zfs | Kind::Vxvm | Kind::Lvm => fail,
    }
}

fn absent(kind: Kind, device: &str) -> Fail {
    let what = match kind {
        Kind::Reservation => format!("{device} cannot be reserved"),
        Kind::Sanlock => format!("{device} has no lease"),
        Kind::Mmp => format!("{device} has no guard against a second mount"),
        Kind::Drbd | Kind::Zfs | Kind::Vxvm | Kind::Lvm => {
            format!("{device} stands on no {} layer that guards it", kind.word())
        }
    };
    Fail::refused(what).hint(kind.way_in())
}

#[cfg(test)]
mod tests {
    use ims::Exit;

    use super::*;

    /// What a volume has, a letter a kind (reservation, sanlock, mmp): there, absent, toothless, unknown.
    fn offers(letters: &str) -> Vec<Offer> {
        let kinds = [Kind::Mmp, Kind::Sanlock, Kind::Reservation]; // in no order
        let presence = |letter| match letter {
            't' => Presence::There,
            'a' => Presence::Absent("x".into()),
            'b' => Presence::Toothless("x".into()),
            _ => Presence::Unknown("x".into()),
        };
        kinds
            .iter()
            .zip(letters.chars().rev())
            .map(|(kind, letter)| Offer { kind: *kind, presence: presence(letter) })
            .collect()
    }

    #[test]
    fn the_strongest_that_is_there_is_chosen_and_what_is_unknown_above_it_is_no_no() {
        use Kind::{Mmp, Reservation, Sanlock};
        let (refused, unknown) = (Err(Exit::Refused), Err(Exit::Unknown));
        for (letters, auto, reservation, sanlock, mmp, none) in [
            (
                "ttt",
                Ok(Some(Reservation)),
                Ok(Some(Reservation)),
                Ok(Some(Sanlock)),
                Ok(Some(Mmp)),
                Some(Reservation),
            ),
            ("att", Ok(Some(Sanlock)), refused, Ok(Some(Sanlock)), Ok(Some(Mmp)), Some(Sanlock)),
            ("aat", Ok(Some(Mmp)), refused, refused, Ok(Some(Mmp)), Some(Mmp)),
            ("aaa", refused, refused, refused, refused, None),
            ("utt", unknown, unknown, Ok(Some(Sanlock)), Ok(Some(Mmp)), None),
            ("tuu", Ok(Some(Reservation)), Ok(Some(Reservation)), unknown, unknown, Some(Reservation)),
            ("abt", Ok(Some(Mmp)), refused, Ok(Some(Sanlock)), Ok(Some(Mmp)), Some(Mmp)),
            ("aba", refused, refused, Ok(Some(Sanlock)), refused, None),
            ("aau", unknown, refused, refused, unknown, None),
        ] {
            let exit = |wanted| choose(wanted, &offers(letters), "/dev/x").map_err(|fail| fail.exit());
            assert_eq!(exit(Wanted::Auto), auto, "{letters} auto");
            assert_eq!(exit(Wanted::Reservation), reservation, "{letters} reservation");
            assert_eq!(exit(Wanted::Sanlock), sanlock, "{letters} sanlock");
            assert_eq!(exit(Wanted::Mmp), mmp, "{letters} mmp");
            assert_eq!(exit(Wanted::None), Ok(none), "{letters} none");
        }
    }

    #[test]
    fn a_layer_guards_what_has_no_stronger_guard() {
        let offer = |kind, presence| Offer { kind, presence };
        let none = || {
            [Kind::Reservation, Kind::Sanlock, Kind::Mmp]
                .map(|kind| offer(kind, Presence::Absent("x".into())))
        };
        let mmp = || [offer(Kind::Mmp, Presence::There)];
        let (drbd, lvm) = (offer(Kind::Drbd, Presence::There), offer(Kind::Lvm, Presence::There));
        let unknown = offer(Kind::Drbd, Presence::Unknown("x".into()));
        let with = |more: &[&Offer], offers: &[Offer]| -> Vec<Offer> {
            offers.iter().chain(more.iter().copied()).cloned().collect()
        };
        for (offers, wanted, expected) in [
            (with(&[&lvm], &none()), Wanted::Auto, Ok(Some(Kind::Lvm))),
            (with(&[&lvm], &mmp()), Wanted::Auto, Ok(Some(Kind::Mmp))),
            (with(&[&lvm], &mmp()), Wanted::Lvm, Ok(Some(Kind::Lvm))),
            (with(&[&lvm, &drbd], &mmp()), Wanted::Auto, Ok(Some(Kind::Drbd))),
            (with(&[&unknown], &mmp()), Wanted::Auto, Err(Exit::Unknown)),
            (with(&[], &none()), Wanted::Lvm, Err(Exit::Refused)),
            (with(&[&lvm], &none()), Wanted::None, Ok(Some(Kind::Lvm))),
        ] {
            let chosen = choose(wanted, &offers, "/dev/x").map_err(|fail| fail.exit());
            assert_eq!(chosen, expected, "{wanted:?} of {offers:?}");
        }
    }
}

//! Shows the guards of a volume: who holds it by each, how that is known, and which of them a take goes by.

use std::path::PathBuf;

use ims::sys::block;
use ims::sys::hand::Hand;
use ims::{Exit, Fail, Host, Out, Record};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::choice::{Kind, Offer, Presence, choose};
use super::mmp::Sequence;
use super::offers::{by_layers, offers};
use super::sanlock::Standing;
use crate::cli::Look;
use crate::each::{Order, each};
use crate::hand::WORDS;
use crate::look::{self, Eye, Found};
use crate::naming::Asked;
use crate::plan::last_sign;
use crate::record;
use crate::volume::Volume;

/// One guard that a volume has, or could have.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GuardRecord {
    /// The volume's resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// The path of its device, as it was given.
    pub device: PathBuf,
    /// Where it is, or is to be, mounted.
    pub mount: PathBuf,
    /// The guard.
    pub kind: Kind,
    /// What it says.
    pub state: GuardSays,
    /// Who holds the volume by it; absent when nobody does, or that is not known.
    pub held_by: Option<String>,
    /// How that is known.
    pub known_by: Option<String>,
    /// The holder's last sign of life; absent where the guard tells none.
    pub last_sign: Option<Timestamp>,
    /// How long ago that is, by this node's clock, in seconds; negative when the clocks disagree.
    pub age_s: Option<i64>,
    /// Whether it keeps a holder from writing that stood still while another took the volume.
    pub keeps_thawed_off: bool,
    /// Whether `take` goes by it.
    pub chosen: bool,
    /// Why it is chosen or not, or why it is unknown.
    pub why: String,
}

/// What a guard says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardSays {
    /// Nobody holds the volume.
    Free,
    /// A node holds it, or did when it died.
    Held,
    /// The volume has no such guard.
    Absent,
    /// It could not be told.
    Unknown,
}

impl GuardSays {
    const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }
}

impl Record for GuardRecord {
    const SCHEMA: &'static str = "ims.guard/1";

    fn columns() -> &'static [&'static str] {
        &["device", "guard", "state", "held by", "age", "chosen", "why"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.device.display().to_string(),
            self.kind.word().to_owned(),
            self.state.word().to_owned(),
            self.held_by.clone().unwrap_or_else(|| "-".to_owned()),
            self.age_s.map_or_else(|| "-".to_owned(), |age| format!("{age} s")),
            if self.chosen { "yes" } else { "no" }.to_owned(),
            self.why.clone(),
        ]
    }
}

/// Prints the guards of each volume; the answer is yes where a take has one to go by.
pub fn print(host: &Host, args: &Look, out: &mut Out) -> Result<Exit, Fail> {
    each(&Asked::load(host, &args.volumes)?, Order::Any, out, |volume, told| {
        let layers = look::layers(host, &volume.layers, args.timeout.0)?;
        let found = if look::can_be_looked_at(volume, &layers)? {
            block::number_of(&volume.device)?;
            let mut eye = Eye::open(host, Hand::start(WORDS, None)?)?.on(&layers);
            Some(eye.look(volume, args.timeout.0)?)
        } else {
            None
        };
        let offers = found.as_ref().map_or_else(|| by_layers(&layers), offers);
        let choice = match &found {
            Some(_) => choose(volume.guard, &offers, &volume.called()),
            // What stands on them may have a stronger one, and somebody may hold that.
            None => Err(Fail::unknown(format!("cannot tell all the guards of {}", volume.called()))
                .because("what it stands on is not active here")),
        };
        let now = Timestamp::now();
        for offer in &offers {
            told.record(shown(volume, offer, holder(found.as_ref(), &layers, offer.kind, now), &choice));
        }
        match choice {
            Ok(Some(_)) => Ok(Exit::Ok),
            Ok(None) => Ok(Exit::No),
            Err(fail) if fail.exit() == Exit::Refused => {
                ims::sys::stderr::say(crate::NAME, &fail);
                Ok(Exit::No)
            }
            Err(fail) => Err(fail),
        }
    })
}

/// The record of one guard.
fn shown(
    volume: &Volume,
    offer: &Offer,
    holder: Option<Holder>,
    choice: &Result<Option<Kind>, Fail>,
) -> GuardRecord {
    let now = Timestamp::now();
    let chosen = matches!(choice, Ok(Some(kind)) if *kind == offer.kind);
    let holder = match offer.presence {
        Presence::Absent(_) => None,
        Presence::There | Presence::Toothless(_) | Presence::Unknown(_) => holder,
    };
    let state = match (&offer.presence, &holder) {
        (Presence::Absent(_), _) => GuardSays::Absent,
        (_, Some(Holder { name: Some(_), .. })) => GuardSays::Held,
        (Presence::Unknown(_), _) | (_, None) => GuardSays::Unknown,
        (Presence::There | Presence::Toothless(_), Some(Holder { name: None, .. })) => GuardSays::Free,
    };
    let why = match (&offer.presence, choice) {
        (Presence::Absent(why) | Presence::Unknown(why) | Presence::Toothless(why), _) => why.clone(),
        (Presence::There, Ok(Some(kind))) if *kind == offer.kind => {
            "the strongest that it has, or named".to_owned()
        }
        (Presence::There, Ok(Some(kind))) => format!("heeded beside {}", kind.word()),
        (Presence::There, Ok(None)) => "heeded, though no guard was asked for".to_owned(),
        (Presence::There, Err(_)) => "a stronger one is not known of".to_owned(),
    };
    let last_sign = holder.as_ref().and_then(|holder| holder.last_sign);
    GuardRecord {
        resource: volume.name.clone(),
        device: volume.device.clone(),
        mount: volume.mount.clone(),
        kind: offer.kind,
        state,
        held_by: holder.as_ref().and_then(|holder| holder.name.clone()),
        known_by: holder.map(|holder| holder.known_by),
        last_sign,
        age_s: last_sign.map(|time| now.as_second() - time.as_second()),
        keeps_thawed_off: offer.kind.keeps_thawed_off() && offer.presence == Presence::There,
        chosen,
        why,
    }
}

/// Who holds a volume by a guard.
struct Holder {
    name: Option<String>,
    known_by: String,
    last_sign: Option<Timestamp>,
}

fn holder(found: Option<&Found>, layers: &[record::Layer], kind: Kind, now: Timestamp) -> Option<Holder> {
    match kind {
        Kind::Drbd | Kind::Zfs | Kind::Vxvm | Kind::Lvm => {
            let layer = layers.iter().find(|layer| Kind::of(&layer.layer) == Some(kind))?;
            let known_by = format!("the layer {}, by its own tools", layer.layer);
            Some(Holder { name: layer.held_by.clone(), known_by, last_sign: None })
        }
        Kind::Reservation | Kind::Sanlock | Kind::Mmp => on_disk(found?, kind, now),
    }
}

/// Who holds it by a guard that is read from a disk.
fn on_disk(found: &Found, kind: Kind, now: Timestamp) -> Option<Holder> {
    match kind {
        Kind::Reservation => {
            let seen = found.reserved.as_ref().ok()?.as_ref()?;
            let known_by = match seen.held {
                Some(held) => format!("the disk, which is reserved by the key {}", held.key),
                None => "the disk, which nobody reserved".to_owned(),
            };
            Some(Holder { name: found.reserved_by.clone(), known_by, last_sign: None })
        }
        Kind::Sanlock => {
            let seen = found.lease.as_ref()?.as_ref().ok()?;
            let id = seen.owner.id;
            let (name, known_by, age_s) = match seen.standing() {
                Ok(Standing::Free) => (None, "the lease, which nobody has".to_owned(), None),
                Ok(Standing::Ours) => {
                    (Some(found.us.clone()), format!("the lease, which host {id}, this node, has"), Some(0))
                }
                Ok(Standing::Theirs(host)) => {
                    let known_by = format!("the lease, which host {id} has, and how that renews its place");
                    (Some(host.node().to_owned()), known_by, host.age_s)
                }
                Err(_) => (Some(format!("host {id}")), format!("the lease, which host {id} has"), None),
            };
            Some(Holder { name, known_by, last_sign: age_s.and_then(|age_s| last_sign(now, age_s)) })
        }
        Kind::Drbd | Kind::Zfs | Kind::Vxvm | Kind::Lvm => None,
        Kind::Mmp => {
            let block = found.guard()?;
            let last_sign = block.last_sign();
            let sign = |what: &str| format!("the guard block, which {what}");
            Some(match block.sequence() {
                Sequence::Clean => Holder { name: None, known_by: sign("is clean"), last_sign: None },
                Sequence::Fsck => {
                    Holder { name: Some("e2fsck".to_owned()), known_by: sign("a check has"), last_sign }
                }
                Sequence::Held(number) => {
                    let name = found.signer.clone().or(Some("a node that did not sign".to_owned()));
                    Holder { name, known_by: sign(&format!("its holder counted to {number}")), last_sign }
                }
            })
        }
    }
}

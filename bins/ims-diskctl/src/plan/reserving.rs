//! What a disk's persistent reservation has to do with a take. Pure.

use ims::Fail;
use jiff::Timestamp;

use super::{Step, Taking};
use crate::guard::mmp::Sequence;
use crate::guard::reservation::{Deed, Standing, excludes_others, stranger};
use crate::hand::Disk;
use crate::look::Found;
use crate::proof::Holder;
use crate::volume::Wanted;

/// What is to be done about the reservation.
#[derive(Debug, Default)]
pub struct Reserving {
    /// Before the mount.
    pub before: Option<Step>,
    /// After it: a node that is alive on the volume without a reservation must not be kept off before that is known.
    pub after: Option<Step>,
    /// Why no other node can write, so that no guard block need be watched.
    pub excluded: Option<String>,
}

/// What is to be done about the reservation of a volume that is to be mounted.
pub fn reserving(wanted: &Taking<'_>, found: &Found) -> Result<Reserving, Fail> {
    let device = wanted.volume.device.display();
    let is_wanted = matches!(wanted.guard, Wanted::Auto | Wanted::Reservation);
    // The choice of the guard has told of what must be known and is not.
    let Ok(Some(seen)) = &found.reserved else { return Ok(Reserving::default()) };
    let held = found.guard().is_some_and(|block| matches!(block.sequence(), Sequence::Held(_)));
    let step = |deed, why: &str| Step::Reserve { deed, why: why.to_owned() };
    let who = found.reserved_by.as_deref().unwrap_or("nobody");
    if let Some(key) =
        stranger(seen).filter(|_| is_wanted && !matches!(found.standing, Some(Standing::Strange(_))))
    {
        return Err(Fail::refused(format!("another program has a key on {device}, with which it can write"))
            .because(format!("the key is {key}"))
            .hint("see who uses the disk; sg_persist shows and takes away its keys"));
    }
    Ok(match found.standing {
        None | Some(Standing::Free) if !is_wanted => Reserving::default(),
        None | Some(Standing::Free) => {
            let reserve = Some(step(Deed::Reserve, "so that no other node can write to it"));
            let is_proven = proves(wanted, found).is_ok();
            if held && !is_proven {
                Reserving { after: reserve, ..Reserving::default() }
            } else {
                Reserving { before: reserve, ..Reserving::default() }
            }
        }
        Some(Standing::Ours) => Reserving {
            before: Some(step(Deed::Reserve, "it is reserved for this node already")),
            after: None,
            excluded: excludes_others(seen, wanted.key, None)
                .then(|| "it was reserved for this node, and no other could write".to_owned()),
        },
        Some(Standing::Theirs(key)) => {
            let why = match (wanted.preempt, proves(wanted, found)) {
                (true, _) => format!("{who} can write no more then"),
                (false, Ok(why)) => why,
                (false, Err(why)) => {
                    let fail = Fail::refused(format!("{device} is reserved for {who}")).hint(format!(
                        "release it there, fence {who}, or say --preempt, which takes the disk away from it"
                    ));
                    return Err(match why {
                        Some(why) => fail.because(why),
                        None => fail,
                    });
                }
            };
            Reserving {
                before: Some(step(Deed::Preempt(key), &why)),
                after: None,
                excluded: excludes_others(seen, wanted.key, Some(key))
                    .then(|| format!("{who} cannot write any more")),
            }
        }
        Some(Standing::Strange(_)) => {
            return Err(Fail::refused(format!("{device} is reserved by another program"))
                .because(format!("the key is {who}"))
                .hint("see who uses the disk; sg_persist shows and clears its reservations"));
        }
    })
}

/// Whether the holder of the reservation was fenced: why it counts, or why the proof does not, if there is one.
fn proves(wanted: &Taking<'_>, found: &Found) -> Result<String, Option<String>> {
    let Some(proof) = wanted.proof else { return Err(None) };
    let name = found.reserved_by.as_deref().or(found.signer.as_deref());
    let mut holder = Holder::of(found, name, wanted.us);
    // A reservation has no time. Without a guard block, which has one, the proof counts by its own age: taking the key of
    // the node away fences it from the disk, alive or not.
    if found.reserved_by.is_some() && matches!(&found.disk, Ok(Disk { guard: None, .. })) {
        holder.last_sign = Some(Timestamp::UNIX_EPOCH);
    }
    match proof.proves(&holder, wanted.now) {
        Ok(()) => Ok(proof.told()),
        Err(why) if proof.was_named => Err(Some(format!("{} does not prove it dead: {why}", proof.from))),
        Err(_) => Err(None),
    }
}

//! What a volume's lease has to do with a take. Pure.

use std::time::Duration;

use ims::{Fail, State};
use jiff::{SignedDuration, Timestamp};

use super::{Step, Taking};
use crate::guard::sanlock::{Deed, Host, Standing};
use crate::look::Found;
use crate::proof::Holder;

/// The steps that get the lease of a volume for this node: none without a lease, and where this node has it.
pub fn leasing(wanted: &Taking<'_>, found: &Found) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    let Some(lease) = &found.lease else { return Ok(Vec::new()) };
    let seen = lease
        .as_ref()
        .map_err(|why| Fail::unknown(format!("cannot tell who has the lease of {device}")).because(why))?;
    // What this node's daemon cannot take is no use to it, and there is nothing to judge another's by.
    seen.here
        .as_ref()
        .map_err(|why| Fail::unknown(format!("cannot take the lease of {device}")).because(why))?;
    let standing = seen
        .standing()
        .map_err(|why| Fail::unknown(format!("cannot tell who has the lease of {device}")).because(why))?;
    let take = |watch, why: String| Step::Lease { deed: Deed::Take, watch, why };
    let at_once = |why: &str| take(None, why.to_owned());
    Ok(match standing {
        Standing::Ours => Vec::new(),
        Standing::Free => vec![at_once("nobody has its lease")],
        Standing::Theirs(host) if found.mounted() == State::Up => {
            return Err(Fail::refused(format!(
                "{device} is mounted here, and its lease is {}'s",
                host.node()
            ))
            .hint("release it here, then see who has it"));
        }
        Standing::Theirs(host) => match proves(wanted, &host) {
            Ok(why) => {
                let dead = Holder { name: Some(host.node()), last_sign: None, us: wanted.us, guard: None };
                let watch = wanted.proof.map(|proof| (host.clone(), proof.watch(host.renews_every(), &dead)));
                let free = Step::Lease { deed: Deed::SetFree(host), watch, why };
                vec![free, at_once("its holder is dead")]
            }
            Err(Some(why)) => {
                return Err(Fail::refused(format!("{device} is held by {}", host.node()))
                    .because(why)
                    .hint("without --proof its lease is watched for a sign of life instead"));
            }
            Err(None) => {
                let why = format!("{} may be alive: its lease is watched until it has run out", host.node());
                vec![take(Some((host.clone(), host.wait())), why)]
            }
        },
    })
}

/// Whether the holder of the lease was fenced: why it counts, or why a proof that was named does not.
fn proves(wanted: &Taking<'_>, host: &Host) -> Result<String, Option<String>> {
    let Some(proof) = wanted.proof else { return Err(None) };
    // The lease has the seconds of its holder's machine. This node's daemon saw them change; that was by our own clock, and
    // later than the sign itself.
    let last_sign = host.age_s.and_then(|age| last_sign(wanted.now, age));
    let holder = Holder { name: Some(host.node()), last_sign, us: wanted.us, guard: None };
    match proof.proves(&holder, wanted.now) {
        Ok(()) => Ok(proof.told()),
        Err(why) if proof.was_named => Err(Some(format!("{} does not prove it dead: {why}", proof.from))),
        Err(_) => Err(None),
    }
}

/// When a sign of life was seen that is so many seconds old.
pub fn last_sign(now: Timestamp, age_s: u64) -> Option<Timestamp> {
    let age = SignedDuration::try_from(Duration::from_secs(age_s)).ok()?;
    now.checked_sub(age).ok()
}

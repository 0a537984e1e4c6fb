//! What a volume's guard says about a take. Pure.

use std::path::PathBuf;
use std::time::Duration;

use ims::Fail;

use super::leasing;
use super::reserving::{self, Reserving};
use super::{Step, Taking};
use crate::guard::mmp::Sequence;
use crate::guard::{choice, claim, offers};
use crate::hand::Disk;
use crate::look::Found;
use crate::proof::{Holder, WATCH};

/// The steps that mount a volume which is not mounted here, at a folder that is there.
pub fn by_guard(wanted: &Taking<'_>, found: &Found, disk: &Disk, point: PathBuf) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    choice::choose(wanted.guard, &offers::offers(found), &device.to_string())?;
    let Reserving { before, after, excluded } = reserving::reserving(wanted, found)?;
    let leases = leasing::leasing(wanted, found)?;
    let is_reserved = before.is_some() || after.is_some();
    let mount = |watch, why: &str| Step::Mount { point, watch, why: why.to_owned() };
    let whole = |steps: Vec<Step>| leases.into_iter().chain(before).chain(steps).chain(after).collect();
    let block = match &disk.guard {
        Some(Ok(block)) => block,
        Some(Err(why)) => {
            return Err(Fail::unknown(format!("cannot read the guard of {device}")).because(why));
        }
        None if is_reserved => return Ok(whole(vec![mount(None, "no other node can write to it")])),
        None if found.lease.is_some() => return Ok(whole(vec![mount(None, "this node has its lease")])),
        None if found.layers.iter().any(|layer| layer.is_guard) => {
            return Ok(whole(vec![mount(None, "what it stands on is this node's alone")]));
        }
        None => return Ok(vec![mount(None, "no guard was asked for")]),
    };
    let name = found.signer.as_deref();
    let who = name.unwrap_or("a node that did not sign");
    let interval_s = disk.mmp().map_or(0, |place| place.interval_s);
    let wait = match block.sequence() {
        Sequence::Clean => {
            let (watch, why) = if block.is_claim() && !block.is_claim_of(wanted.us, wanted.boot) {
                proven(wanted, found, interval_s)?.unwrap_or_else(|| {
                    (claim::VOID, format!("{who} began to take it, and may be at it still"))
                })
            } else {
                (Duration::ZERO, "so that no other node takes it at the same moment".to_owned())
            };
            let claim = Step::Claim { judged: block.clone(), watch, why };
            return Ok(whole(vec![claim, mount(None, "its guard is clean")]));
        }
        Sequence::Fsck => {
            return Err(Fail::refused(format!("{device} is being checked by e2fsck on {who}, or was when that died"))
                .hint("let it end; if no node runs it any more, check the file system anew: e2fsck clears the guard"));
        }
        Sequence::Held(_) => block.wait(interval_s),
    };
    let clear = |watch, why| Step::Claim { judged: block.clone(), watch, why };
    if let Some(why) = excluded {
        return Ok(whole(vec![clear(WATCH, why), mount(None, "no other node can write to it")]));
    }
    if let Some((watch, why)) = proven(wanted, found, interval_s)? {
        return Ok(whole(vec![clear(watch, why), mount(None, "its holder is dead")]));
    }
    let why = format!("{who} may be alive: its guard is watched");
    Ok(whole(vec![mount(Some((block.clone(), wait)), &why)]))
}

/// For how long the guard is to be watched, and why, when its holder was fenced; nothing when there is no proof that counts.
fn proven(wanted: &Taking<'_>, found: &Found, interval_s: u16) -> Result<Option<(Duration, String)>, Fail> {
    let Some(proof) = wanted.proof else { return Ok(None) };
    let name = found.signer.as_deref();
    let holder = Holder::of(found, name, wanted.us);
    match proof.proves(&holder, wanted.now) {
        Ok(()) => Ok(Some((proof.watch(Duration::from_secs(interval_s.into()), &holder), proof.told()))),
        Err(why) if proof.was_named => {
            let who = name.unwrap_or("a node that did not sign");
            Err(Fail::refused(format!("{} is held by {who}", wanted.volume.device.display()))
                .because(format!("{} does not prove it dead: {why}", proof.from))
                .hint("without that the guard is watched for a sign of life instead"))
        }
        Err(_) => Ok(None),
    }
}

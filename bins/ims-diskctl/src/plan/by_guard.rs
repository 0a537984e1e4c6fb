//! What a volume's guard says about a take. Pure.

use std::path::PathBuf;
use std::time::Duration;

use ims::Fail;

use super::reserving::{self, Reserving};
use super::{Step, Taking};
use crate::guard::claim;
use crate::guard::mmp::Sequence;
use crate::hand::Disk;
use crate::look::Found;
use crate::proof::Holder;
use crate::volume::Wanted;

/// The steps that mount a volume which is not mounted here, at a folder that is there.
pub fn by_guard(wanted: &Taking<'_>, found: &Found, disk: &Disk, point: PathBuf) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    let Reserving { before, after, excluded } = reserving::reserving(wanted, found)?;
    let is_reserved = before.is_some() || after.is_some();
    let mount = |watch, why: &str| Step::Mount { point, watch, why: why.to_owned() };
    let whole = |steps: Vec<Step>| before.into_iter().chain(steps).chain(after).collect();
    let block = match &disk.guard {
        Some(Ok(block)) => block,
        Some(Err(why)) => {
            return Err(Fail::unknown(format!("cannot read the guard of {device}")).because(why));
        }
        None if is_reserved => return Ok(whole(vec![mount(None, "no other node can write to it")])),
        None if wanted.guard == Wanted::None => return Ok(vec![mount(None, "no guard was asked for")]),
        None => {
            let fail = Fail::refused(format!("{device} has no guard against a second mount"));
            let is_ext4 = disk.filesystem.as_ref().is_some_and(|filesystem| filesystem.ext4().is_some());
            return Err(fail.hint(if is_ext4 {
                "tune2fs -O mmp while no node has it mounted, or say --guard none where something else keeps them off"
            } else {
                "say --guard none where something else keeps the other nodes off"
            }));
        }
    };
    let name = found.signer.as_deref();
    let who = name.unwrap_or("a node that did not sign");
    let wait = match block.sequence() {
        Sequence::Clean => {
            let (watch, why) = if block.is_claim() && !block.is_claim_of(wanted.us, wanted.boot) {
                (claim::VOID, format!("{who} began to take it, and may be at it still"))
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
        Sequence::Held(_) => block.wait(disk.mmp().map_or(0, |place| place.interval_s)),
    };
    let clear = |why| Step::Claim { judged: block.clone(), watch: crate::proof::WATCH, why };
    if let Some(why) = excluded {
        return Ok(whole(vec![clear(why), mount(None, "no other node can write to it")]));
    }
    if let Some(proof) = wanted.proof {
        let holder = Holder { name, last_sign: block.last_sign(), us: wanted.us };
        match proof.proves(&holder, wanted.now) {
            Ok(()) => {
                let fenced = &proof.fenced;
                let why = format!("{who} was fenced by {} at {}", fenced.method, fenced.time);
                return Ok(whole(vec![clear(why), mount(None, "its holder is dead")]));
            }
            Err(why) if proof.was_named => {
                return Err(Fail::refused(format!("{device} is held by {who}"))
                    .because(format!("{} does not prove it dead: {why}", proof.file.display()))
                    .hint("without --proof the guard is watched for a sign of life instead"));
            }
            Err(_) => {}
        }
    }
    let why = format!("{who} may be alive: its guard is watched");
    Ok(whole(vec![mount(Some((block.clone(), wait)), &why)]))
}

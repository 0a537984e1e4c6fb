//! What is to be done: pure functions from what is wanted and what was found to steps, or to the rule that forbids them.

mod release;
mod reserving;

use std::path::PathBuf;
use std::time::Duration;

use ims::sys::reservation::Key;
use ims::{Fail, State};
use jiff::Timestamp;

use crate::guard::claim;
use crate::guard::mmp::{Block, Sequence};
use crate::guard::reservation::{Deed, Standing};
use crate::hand::{Disk, Place};
use crate::look::{Found, paths};
use crate::proof::{Holder, Proof};
use crate::record::VolumeStep;
use crate::volume::{Volume, Wanted};
use reserving::Reserving;

pub use release::release;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Claim the volume by its guard, which is clean, or whose holder is proven dead.
    Claim {
        /// The guard block as it was judged.
        judged: Block,
        /// For how long it must not move before.
        watch: Duration,
        /// Why.
        why: String,
    },
    /// Reserve the disk, or give that up.
    Reserve {
        /// What is to be done.
        deed: Deed,
        /// Why.
        why: String,
    },
    /// Mount at a folder.
    Mount {
        /// The folder.
        point: PathBuf,
        /// The guard block to watch, for how long the kernel does so; absent when the kernel need not wait.
        watch: Option<(Block, Duration)>,
        /// Why.
        why: String,
    },
    /// Write out what is in memory.
    Sync(PathBuf),
    /// Unmount a folder.
    Unmount(PathBuf),
}

impl Step {
    /// The record of a step.
    pub fn record(&self, volume: &Volume) -> VolumeStep {
        let (action, wait, why) = match self {
            Self::Claim { judged, watch, why } if judged.sequence() == Sequence::Clean => {
                ("claim", *watch, why.as_str())
            }
            Self::Claim { watch, why, .. } => ("clear-guard", *watch, why.as_str()),
            Self::Mount { watch, why, .. } => {
                ("mount", watch.as_ref().map_or(Duration::ZERO, |(_, wait)| *wait), why.as_str())
            }
            Self::Reserve { deed, why } => {
                let action = match deed {
                    Deed::Reserve => "reserve",
                    Deed::Preempt(_) => "preempt",
                    Deed::GiveUp => "unreserve",
                };
                (action, Duration::ZERO, why.as_str())
            }
            Self::Sync(_) => ("sync", Duration::ZERO, "so that the unmount has little left to write"),
            Self::Unmount(_) => ("unmount", Duration::ZERO, "so that another node can take it at once"),
        };
        VolumeStep {
            action,
            device: volume.device.clone(),
            mount: volume.mount.clone(),
            wait_s: wait.as_secs(),
            why: why.to_owned(),
        }
    }
}

/// How a volume is to be taken.
#[derive(Debug, Clone)]
pub struct Taking<'a> {
    /// The volume.
    pub volume: &'a Volume,
    /// What must guard it.
    pub guard: Wanted,
    /// The proof that its holder was fenced.
    pub proof: Option<&'a Proof>,
    /// Whether the disk may be taken away from a node that reserved it and may be alive.
    pub preempt: bool,
    /// The name of this node.
    pub us: &'a str,
    /// The key of this node, by which it reserves disks.
    pub key: Key,
    /// Its boot, as [`claim::boot`] tells it.
    pub boot: u32,
    /// The time.
    pub now: Timestamp,
}

/// The steps that take a volume: none when it is mounted there already.
pub fn take(wanted: &Taking<'_>, found: &Found) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    is_not_lost(wanted, found)?;
    let disk =
        found.disk.as_ref().map_err(|why| Fail::unknown(format!("cannot read {device}")).because(why))?;
    match found.mounted() {
        State::Up => return mounted(wanted, found),
        State::Down => {}
        State::Partial | State::Unknown => return Err(in_the_way(wanted.volume, found)),
    }
    if disk.superblock.is_none() {
        let fstype = wanted.volume.fstype.word();
        return Err(Fail::usage(format!("no {fstype} on {device}"))
            .hint("is it the right device? look at it with blkid"));
    }
    let point = match &found.place {
        Place::Folder(path) => path.clone(),
        Place::Missing => {
            let mount = wanted.volume.mount.display();
            return Err(Fail::usage(format!("{mount} is not there")).hint(format!("mkdir -p {mount}")));
        }
        Place::Unusable(why) => {
            return Err(Fail::unknown(format!("cannot use {}", wanted.volume.mount.display())).because(why));
        }
    };
    by_guard(wanted, found, disk, point)
}

/// Nobody has taken the disk away while the volume is mounted here.
fn is_not_lost(wanted: &Taking<'_>, found: &Found) -> Result<(), Fail> {
    match (found.mounted(), found.standing) {
        (State::Up, Some(Standing::Theirs(_) | Standing::Strange(_))) => {
            let who = found.reserved_by.as_deref().unwrap_or_default();
            let device = wanted.volume.device.display();
            Err(Fail::refused(format!("{device} is mounted here, and reserved for {who}"))
                .because("nothing can be written to it any more")
                .hint("release it here, then see who has it"))
        }
        (State::Up | State::Down | State::Partial | State::Unknown, _) => Ok(()),
    }
}

/// What is to be done for a volume that is mounted there: it is reserved, if it was not.
fn mounted(wanted: &Taking<'_>, found: &Found) -> Result<Vec<Step>, Fail> {
    if found.standing != Some(Standing::Free) {
        return Ok(Vec::new());
    }
    let Reserving { before, after, .. } = reserving::reserving(wanted, found)?;
    Ok(before.or(after).into_iter().collect())
}

/// What stands in the way of a mount, on this very node.
fn in_the_way(volume: &Volume, found: &Found) -> Fail {
    let (device, mount) = (volume.device.display(), volume.mount.display());
    match (found.mounted_there(), &found.top) {
        (Some(_), _) => Fail::refused(format!("{device} is mounted read-only on {mount}"))
            .hint("release it first; mind who made it read-only, the kernel does so on errors"),
        (None, Some(top)) => {
            Fail::refused(format!("device {} ({}) is mounted on {mount}", top.device, top.fstype))
                .hint(format!("umount {mount}, or name another folder"))
        }
        (None, None) => {
            Fail::refused(format!("{device} is mounted on {} here already", paths(&found.mounts)))
                .hint("release it there first")
        }
    }
}

fn by_guard(wanted: &Taking<'_>, found: &Found, disk: &Disk, point: PathBuf) -> Result<Vec<Step>, Fail> {
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
            return Err(Fail::refused(format!("{device} has no guard against a second mount")).hint(
                "tune2fs -O mmp while no node has it mounted, or say --guard none where something else keeps them off",
            ));
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
        Sequence::Held(_) => block.wait(
            disk.superblock
                .as_ref()
                .and_then(|superblock| superblock.mmp)
                .map_or(0, |place| place.interval_s),
        ),
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

#[cfg(test)]
mod tests;

//! Mounts a volume here, unless another node has it.

mod fails;
mod lease;
mod legs;
mod reserve;
mod settled;
mod word;

use std::time::{Duration, Instant};

use ims::sys::block;
use ims::sys::clock::Moment;
use ims::sys::hand::{Hand, Heard};
use ims::sys::lock::Lock;
use ims::sys::mount::{Call, Table};
use ims::sys::reservation::Key;
use ims::{Exit, Fail, State};
use jiff::Timestamp;

use super::watch::{self, Watched};
use super::{Site, go_on, show};
use crate::cli::Take;
use crate::each::Told;
use crate::filesystem::checksum;
use crate::guard::claim::{self, Claimed};
use crate::guard::mmp::{Block, Sequence};
use crate::guard::reservation::{self, Deed};
use crate::hand::{Done, Place, Question, WORDS};
use crate::look::{Eye, Found};
use crate::mirror::Start;
use crate::plan::{self, Step, Taking};
use crate::proof::Proof;
use crate::record;
use crate::volume::Volume;

/// A run of `take`.
struct Run<'a> {
    site: &'a Site<'a>,
    args: &'a Take,
    volume: &'a Volume,
    lock: Option<Lock>,
    eye: Eye,
    boot: u32,
    key: Key,
    /// The word of the person who runs it, that a node is off.
    word: Option<Proof>,
    /// How the legs of a mirror are to be started.
    start: Option<Start>,
    /// Whether this run reserved the disk, which is given up when it is not mounted.
    has_reserved: bool,
    /// Whether this run took the lease, which is given up when it is not mounted.
    has_leased: bool,
    /// Whether the mount took so long that another node may have claimed over this one's claim.
    is_late: bool,
}

/// How often the guard is read while it is watched.
const EVERY: Duration = Duration::from_millis(50);

/// Runs `take` on one volume, whose layers are active.
pub fn take(
    site: &Site<'_>,
    args: &Take,
    volume: &Volume,
    layers: &[record::Layer],
    told: &mut Told,
) -> Result<Exit, Fail> {
    let number = block::number_of(&volume.device)?;
    let (lock, eye) = site.eye(number, args.dry_run)?;
    let eye = eye.on(layers);
    let boot = claim::boot()?;
    let key = reservation::key(site.host.name());
    let word = args.confirm_fenced.as_ref().map(Proof::by_word);
    let (has_reserved, has_leased, is_late) = (false, false, false);
    let start = None;
    let mut run =
        Run { site, args, volume, lock, eye, boot, key, word, start, has_reserved, has_leased, is_late };
    let exit = run.taken(told).map_err(|fail| run.given_up(fail))?;
    site.rest(run.lock, run.eye);
    Ok(exit)
}

impl Run<'_> {
    /// Takes it, whatever was found; a failure leaves what this run reserved to whoever ends it.
    fn taken(&mut self, told: &mut Told) -> Result<Exit, Fail> {
        let mut found = self.look()?;
        // Two volumes that are taken at one folder at the same moment would be mounted one over the other.
        let folder = self.lock_folder(&found)?;
        if folder.is_some() && Table::load()?.top_at(found.point(self.volume)) != found.top.as_ref() {
            found = self.look()?;
        }
        loop {
            let steps = self.plan(&found)?;
            let mounts = steps.iter().any(|step| matches!(step, Step::Mount { .. }));
            self.start = if mounts { self.legs(&found)? } else { None };
            if self.args.dry_run {
                let left_out = self.start.iter().flat_map(|start| &start.left_out);
                left_out.for_each(|leg| told.record(record::VolumeStep::leaves_out(self.volume, leg)));
                show(&steps, self.volume, told);
                return Ok(Exit::Ok);
            }
            if steps.is_empty() {
                told.volume(found.record(self.volume, false));
                return Ok(Exit::Ok);
            }
            if self.carry_out(&steps, &found)? {
                break;
            }
            found = self.look()?;
        }
        let found = self.settled()?;
        if let Some(start) = self.start.take() {
            if let Err(fail) = self.are_only(&start, &found) {
                let hint = "see which leg is which (ims-diskctl mirror) before one is wiped";
                return Err(self.unmounted_again(&found, fail, hint));
            }
            start.degraded.into_iter().for_each(|degraded| told.record(degraded));
        }
        told.volume(found.record(self.volume, true));
        Ok(Exit::Ok)
    }

    /// Keeps other runs from the folder where it is to be mounted.
    fn lock_folder(&self, found: &Found) -> Result<Option<Lock>, Fail> {
        match &found.place {
            Place::Folder(path) if !self.args.dry_run && found.mounted() == State::Down => {
                let name = format!("folder-{:08x}", checksum(!0, path.as_os_str().as_encoded_bytes()));
                Lock::named(self.site.host, &name, self.site.deadline.left()).map(Some)
            }
            Place::Folder(_) | Place::Missing | Place::Unusable(_) => Ok(None),
        }
    }

    fn look(&mut self) -> Result<Found, Fail> {
        self.eye.look(self.volume, self.site.deadline.left())
    }

    fn plan(&self, found: &Found) -> Result<Vec<Step>, Fail> {
        let holder = found.holder();
        let proof = match &self.word {
            Some(word) => Some(word.clone()),
            None => Proof::find(self.site.host, self.args.proof.as_deref(), holder.as_deref())?,
        };
        let taking = Taking {
            volume: self.volume,
            guard: self.volume.guard,
            proof: proof.as_ref(),
            preempt: self.args.preempt,
            us: self.site.host.name(),
            key: self.key,
            boot: self.boot,
            now: Timestamp::now(),
        };
        plan::take(&taking, found)
    }

    /// Says whether it is mounted; if not, its guard is another one than was judged, and all is to be planned anew.
    fn carry_out(&mut self, steps: &[Step], found: &Found) -> Result<bool, Fail> {
        let mut done = "not mounted";
        let mut claimed = None;
        for step in steps {
            go_on(&self.site.stop, self.volume, done)?;
            match step {
                Step::Claim { judged, watch, .. } => {
                    if !self.is_still(judged, *watch)? {
                        return Ok(false);
                    }
                    self.keep_word(found, judged)?;
                    claimed = Some(Moment::now());
                    self.claim(judged, found)?;
                    done = "not mounted, and its guard is clean";
                }
                Step::Mount { point, watch, .. } => {
                    let start = self.start.clone();
                    start.iter().try_for_each(|start| self.leave_out(start))?;
                    let more = start.map(|start| start.options).unwrap_or_default();
                    let call = Call {
                        device: self.volume.device.clone(),
                        number: found.number,
                        point: point.clone(),
                        fstype: self.volume.fstype.word().to_owned(),
                        options: self.volume.options.as_str().to_owned() + &more,
                    };
                    match watch {
                        None => {
                            self.mount(call)?;
                            self.is_late = claimed.is_some_and(|claimed| claimed.elapsed() >= claim::VOID);
                        }
                        Some((block, wait)) => {
                            if !self.mount_watching(call, block, *wait)? {
                                return Ok(false);
                            }
                            self.tell_unfenced(found, *wait);
                        }
                    }
                }
                Step::Lease { deed, watch, .. } => {
                    if !self.lease(deed, watch.as_ref(), found)? {
                        return Ok(false);
                    }
                }
                Step::Reserve { deed, .. } => {
                    self.reserve(*deed, found)?;
                    done = "not mounted";
                    // Who was alive may have signed once more before it could write no longer.
                    if matches!(deed, Deed::Preempt(_)) && self.look()?.guard() != found.guard() {
                        return Ok(false);
                    }
                }
                // No step of a take.
                Step::Sync(_) | Step::End(_) | Step::Unmount(_) => {}
            }
        }
        Ok(true)
    }

    /// Whether the guard does not move for so long; when it does and the volume is free, it is to be planned anew.
    fn is_still(&mut self, judged: &Block, time: Duration) -> Result<bool, Fail> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.site.stop.wait(EVERY);
            go_on(&self.site.stop, self.volume, "not mounted")?;
            if self.site.deadline.left().is_zero() {
                return Err(self.out_of_time("waiting whether its guard moves"));
            }
            let found = self.look()?;
            match found.guard() {
                Some(now) if now == judged => {}
                Some(now) if now.sequence() == Sequence::Clean => return Ok(false),
                Some(now) => return Err(self.alive(judged, &now.clone())),
                // Half of it may be written this moment; who claims it reads it once more.
                None => {}
            }
        }
        Ok(true)
    }

    fn claim(&mut self, judged: &Block, found: &Found) -> Result<(), Fail> {
        let device = self.volume.device.display().to_string();
        let wanted = claim::Wanted {
            device: self.volume.device.clone(),
            number: found.number,
            judged: judged.clone(),
            node: self.site.host.name().to_owned(),
            boot: self.boot,
            turns: claim::turns(self.site.host),
        };
        self.eye.hand().ask(&Question::Claim(wanted))?;
        match self.eye.hand().answer(self.site.deadline.left(), None)? {
            Heard::Answer(Claimed::Ours) => Ok(()),
            Heard::Answer(Claimed::Moved(now)) => Err(self.alive(judged, &now)),
            Heard::Answer(Claimed::Failed(why)) => {
                Err(Fail::failed(format!("cannot claim {device}")).because(why))
            }
            Heard::Answer(Claimed::HalfWay(why)) => Err(Fail::broken(format!(
                "{device} is not mounted, and its guard may be this node's claim by now"
            ))
            .because(why)
            .hint("see why the disk fails; then run it again, on this node or another")),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("claiming it")),
        }
    }

    /// Mounts where the kernel need not wait.
    fn mount(&mut self, call: Call) -> Result<(), Fail> {
        self.eye.hand().ask(&Question::Mount(call))?;
        // A mount that has begun is not given up half-way: a signal waits until it is done.
        match self.eye.hand().answer::<Done>(self.site.deadline.left(), None)? {
            Heard::Answer(Ok(())) => Ok(()),
            Heard::Answer(Err(refusal)) => Err(self.refused(&refusal)),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("mounting it")),
        }
    }

    /// Mounts while the kernel watches the guard, and watches it too, so that a living holder is told at once.
    fn mount_watching(&mut self, call: Call, block: &Block, wait: Duration) -> Result<bool, Fail> {
        let hand = Hand::start(WORDS, self.lock.as_ref())?;
        let wanted = watch::Wanted { site: self.site, volume: self.volume, block, wait };
        match watch::mount(hand, &mut self.eye, &wanted, call)? {
            Watched::Mounted => Ok(true),
            Watched::Released => Ok(false),
            Watched::Refused(refusal) => Err(self.refused(&refusal)),
            Watched::Moved(now) => Err(self.alive(block, &now)),
            Watched::Stopped { signal, is_gone } => {
                let device = self.volume.device.display();
                let what = format!("stopped by {signal} while watching the guard of {device}");
                Err(if is_gone {
                    Fail::failed(what).hint("it is not mounted")
                } else {
                    Fail::unknown(what).because("its mount hangs in the kernel").hint("look at it again")
                })
            }
            Watched::OutOfTime { is_gone } => {
                let fail = self.out_of_time("watching its guard for a sign of life");
                Err(if is_gone {
                    fail.hint(format!("the kernel needs {} s; give --timeout more", wait.as_secs()))
                } else {
                    fail
                })
            }
        }
    }
}

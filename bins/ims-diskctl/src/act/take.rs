//! Mounts a volume here, unless another node has it.

mod claim;
mod fails;
mod lease;
mod legs;
mod mount;
mod reserve;
mod settled;
mod word;

use std::time::Duration;

use ims::sys::block;
use ims::sys::clock::Moment;
use ims::sys::lock::Lock;
use ims::sys::mount::{Call, Table};
use ims::sys::reservation::Key;
use ims::{Exit, Fail, State};
use jiff::Timestamp;

use super::{Site, go_on, show};
use crate::cli::Take;
use crate::each::Told;
use crate::filesystem::checksum;
use crate::guard;
use crate::guard::reservation::{self, Deed};
use crate::hand::Place;
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
    let boot = guard::claim::boot()?;
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
                            self.is_late =
                                claimed.is_some_and(|claimed| claimed.elapsed() >= guard::claim::VOID);
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
}

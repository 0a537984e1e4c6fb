//! Unmounts a volume here, so that another node can take it at once.

mod presync;
mod reserved;
mod way;

pub use presync::presync;

use std::path::Path;
use std::time::{Duration, Instant};

use ims::span::millis;
use ims::sys::block;
use ims::sys::hand::Heard;
use ims::sys::mount::Refusal;
use ims::{Exit, Fail, State};
use serde::de::DeserializeOwned;

use super::{Site, go_on, show};
use crate::cli::Release;
use crate::each::Told;
use crate::guard::mmp::{Block, Sequence};
use crate::guard::sanlock;
use crate::hand::{Done, Question};
use crate::look::{Eye, Found};
use crate::owner::Owner;
use crate::plan::{self, Step};
use crate::record::User;
use crate::users::Right;
use crate::volume::Volume;

/// How long the kernel may take to let go of a file system after the last unmount.
const LETS_GO: Duration = Duration::from_secs(2);

/// How often it is tried to unmount what somebody uses: others may come as some are ended.
const ROUNDS: u32 = 5;

/// Who may hold what is mounted nowhere here.
const HELD_BY: &str =
    "another mount namespace of this node has it, or the kernel has not let go of it; look again";

/// A run of `release`.
struct Run<'a> {
    site: &'a Site<'a>,
    args: &'a Release,
    volume: &'a Volume,
    eye: Eye,
    /// Who may be ended.
    right: Right,
    /// Who was, by their last signal.
    ended: Vec<User>,
    /// What could not be written, which is told at the end, for the unmount comes all the same.
    unwritten: Option<String>,
    /// How long the last writing out took.
    sync_took: Option<Duration>,
    /// Whether an unmount was begun.
    is_unmounting: bool,
}

/// Runs `release` on one volume.
pub fn release(site: &Site<'_>, args: &Release, volume: &Volume, told: &mut Told) -> Result<Exit, Fail> {
    let number = block::number_of(&volume.device)?;
    let (lock, eye) = site.eye(number, args.dry_run)?;
    let mut run = Run::open(site, args, volume, eye)?;
    let exit = run.released(told)?;
    site.rest(lock, run.eye);
    Ok(exit)
}

impl<'a> Run<'a> {
    fn open(site: &'a Site<'a>, args: &'a Release, volume: &'a Volume, eye: Eye) -> Result<Self, Fail> {
        let right = if args.kill_users {
            Right::Everybody
        } else {
            Right::Instances(Owner::find(site.host, &args.instance, volume)?)
        };
        let (ended, unwritten, sync_took, is_unmounting) = (Vec::new(), None, None, false);
        Ok(Self { site, args, volume, eye, right, ended, unwritten, sync_took, is_unmounting })
    }

    /// Releases it, whatever was found.
    fn released(&mut self, told: &mut Told) -> Result<Exit, Fail> {
        let found = self.look()?;
        let steps = plan::release(self.volume, &found)?;
        self.nothing_below(&found)?;
        if self.args.dry_run {
            let steps = self.with_ending(steps, &found, told)?;
            show(&steps, self.volume, told);
            return Ok(Exit::Ok);
        }
        let was_held = self.nobody_apart(&found, told)?;
        if steps.is_empty() && !was_held {
            told.volume(found.record(self.volume, false));
            self.is_unreserved(&found)?;
            return Ok(Exit::Ok);
        }
        for step in &steps {
            go_on(&self.site.stop, self.volume, "mounted still")?;
            match step {
                Step::Sync(point) => self.sync(point)?,
                Step::Unmount(point) => self.unmount(point, &found, told)?,
                // What keeps the other nodes off outlasts the file system.
                Step::Reserve { deed, .. } => self.let_go().and_then(|()| self.unreserve(*deed, &found))?,
                Step::Lease { .. } => self.let_go().and_then(|()| self.unlease())?,
                // No step of a release, or one that the kernel's answer to another makes necessary.
                Step::Claim { .. } | Step::Mount { .. } | Step::End(_) => {}
            }
        }
        let given_up = self.given_up(&found);
        if let Some(why) = self.unwritten.take() {
            let device = self.volume.device.display();
            return Err(Fail::broken(format!("{device} is unmounted, but not everything was written to it"))
                .because(why)
                .hint("check it with e2fsck before it is used"));
        }
        let given_up = given_up?;
        let mut record = given_up.record(self.volume, true);
        record.users = std::mem::take(&mut self.ended);
        record.sync_ms = self.sync_took.map(millis);
        told.volume(record);
        self.is_unreserved(&given_up)?;
        Ok(Exit::Ok)
    }

    fn look(&mut self) -> Result<Found, Fail> {
        self.eye.look(self.volume, self.site.deadline.left())
    }

    /// Writes out what is in memory.
    fn sync(&mut self, point: &Path) -> Result<(), Fail> {
        let (question, began) = (Question::Sync(point.to_owned()), Instant::now());
        let done: Result<(), String> = self.asked(&question, "it is still being written out")?;
        self.sync_took = Some(began.elapsed());
        self.unwritten = self.unwritten.take().or(done.err());
        Ok(())
    }

    /// Unmounts it; whoever uses it and may be ended is.
    fn unmount(&mut self, point: &Path, found: &Found, told: &mut Told) -> Result<(), Fail> {
        for _ in 0..ROUNDS {
            let question = Question::Unmount(point.to_owned());
            self.is_unmounting = true;
            match self.asked::<Done>(&question, "its unmount is still under way")? {
                Ok(()) => return Ok(()),
                Err(Refusal { busy: true, .. }) => {
                    self.is_unmounting = false;
                    let users = self.users(found, false)?;
                    self.make_way(users, found, told)?;
                    self.sync(point)?;
                }
                Err(refusal) => {
                    let fail = Fail::failed(format!("cannot unmount {}", point.display()));
                    return Err(self.told_ended(fail.because(refusal.words), found, told));
                }
            }
        }
        let users = self.users(found, false)?;
        Err(self.used_by(users, found, told))
    }

    /// Gives the lease up.
    fn unlease(&mut self) -> Result<(), Fail> {
        let Some(lease) = self.volume.lease.clone() else { return Ok(()) };
        let question = Question::Lease(sanlock::Wanted { lease, deed: sanlock::Deed::GiveUp });
        let came: Result<sanlock::Came, String> = self.asked(&question, "its lease is being given up")?;
        let device = self.volume.device.display();
        came.map(drop).map_err(|why| {
            Fail::broken(format!("{device} is unmounted, and this node keeps its lease"))
                .because(why)
                .hint("run it again")
        })
    }

    /// Asks the hand something, and waits for the answer as long as there is time.
    fn asked<A: DeserializeOwned>(&mut self, question: &Question, doing: &str) -> Result<A, Fail> {
        self.eye.hand().ask(question)?;
        match self.eye.hand().answer(self.site.deadline.left(), None)? {
            Heard::Answer(answer) => Ok(answer),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time(doing)),
        }
    }

    fn out_of_time(&mut self, what: &str) -> Fail {
        let pid = self.eye.pid();
        Fail::unknown(format!(
            "{} was not released within {}",
            self.volume.mount.display(),
            self.args.timeout
        ))
        .because(format!("{what} by pid {pid}"))
        .hint(if self.is_unmounting {
            "the disk may hang; look at it again, and fence this node before another takes the volume"
        } else {
            "it is mounted still; give --timeout more, and see whether its disk answers"
        })
    }

    /// Looks again: it is not mounted here, and its guard is not this node's any more.
    fn given_up(&mut self, before: &Found) -> Result<Found, Fail> {
        let device = self.volume.device.display().to_string();
        let began = Instant::now();
        loop {
            let found = self.look()?;
            if found.mounted() != State::Down {
                return Err(Fail::broken(format!("{device} was unmounted, and is mounted still"))
                    .because(found.record(self.volume, true).why.unwrap_or_default()));
            }
            if found.state() == State::Unknown {
                let why = found.record(self.volume, true).why.unwrap_or_default();
                return Err(
                    Fail::unknown(format!("{device} is unmounted, but not surely given up")).because(why)
                );
            }
            let block = found.guard();
            // Another node that has it by now could only take it because it was given up.
            let is_anothers = block.zip(before.guard()).is_some_and(|(now, ours)| !now.is_signed_like(ours));
            match block.map(Block::sequence) {
                Some(Sequence::Clean | Sequence::Fsck) => return Ok(found),
                // Without a guard the device itself tells whether the kernel has let go of it.
                None => return self.let_go().map(|()| found),
                Some(Sequence::Held(_)) if is_anothers => return Ok(found),
                // The unmount of the last mount returns when the guard is clean; somebody in another namespace was
                // faster or slower than us. The kernel tells nobody when it lets go, so the block is read again.
                Some(Sequence::Held(_))
                    if began.elapsed() < LETS_GO && !self.site.deadline.left().is_zero() =>
                {
                    std::thread::sleep(Duration::from_millis(5)); // the kernel tells nobody when it lets go; short, for a switchover waits
                }
                Some(Sequence::Held(_)) => {
                    return Err(Fail::broken(format!("{device} is unmounted, but its guard is held still"))
                        .because(format!(
                            "by {}",
                            found.signer.as_deref().unwrap_or("a node that did not sign")
                        ))
                        .hint(HELD_BY));
                }
            }
        }
    }

    /// Waits until the kernel has let go of the file system.
    fn let_go(&mut self) -> Result<(), Fail> {
        let began = Instant::now();
        while !self.is_free()? {
            if began.elapsed() >= LETS_GO || self.site.deadline.left().is_zero() {
                let device = self.volume.device.display();
                let fail = Fail::broken(format!("{device} is unmounted, but this node has it still"));
                return Err(fail.hint(HELD_BY));
            }
            std::thread::sleep(Duration::from_millis(5)); // the kernel tells nobody when it lets go
        }
        Ok(())
    }
}

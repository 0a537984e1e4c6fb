//! Unmounts a volume here, so that another node can take it at once.

use std::path::Path;
use std::time::{Duration, Instant};

use ims::sys::hand::{Hand, Heard};
use ims::sys::mount::{self, Refusal, User};
use ims::sys::{block, stderr};
use ims::{Exit, Fail, State};

use super::{Site, go_on, lock, show};
use crate::NAME;
use crate::cli::Release;
use crate::each::Told;
use crate::guard::mmp::{Block, Sequence};
use crate::guard::reservation::{self, Came, Deed};
use crate::hand::{Done, Question, WORDS};
use crate::look::{Eye, Found};
use crate::plan::{self, Step};
use crate::volume::Volume;

/// How long the kernel may take to let go of a file system after the last unmount.
const LETS_GO: Duration = Duration::from_secs(2);

/// A run of `release`.
struct Run<'a> {
    site: &'a Site<'a>,
    args: &'a Release,
    volume: &'a Volume,
    eye: Eye,
}

/// Runs `release` on one volume.
pub fn release(site: &Site<'_>, args: &Release, volume: &Volume, told: &mut Told) -> Result<Exit, Fail> {
    let number = block::number_of(&volume.device)?;
    let lock = if args.dry_run { None } else { Some(lock(site.host, number, site.deadline.left())?) };
    let eye = Eye::open(site.host, Hand::start(WORDS, lock.as_ref())?)?;
    let mut run = Run { site, args, volume, eye };
    let found = run.look()?;
    let steps = plan::release(volume, &found)?;
    run.nobody(&found, told)?;
    if args.dry_run {
        show(&steps, volume, told);
        return Ok(Exit::Ok);
    }
    if steps.is_empty() {
        told.record(found.record(volume, false));
        return Ok(Exit::Ok);
    }
    let mut unwritten = None;
    for step in &steps {
        go_on(&site.stop, volume, "mounted still")?;
        match step {
            Step::Sync(point) => unwritten = run.sync(point)?,
            Step::Unmount(point) => run.unmount(point, &found, told)?,
            Step::Reserve { deed, .. } => run.unreserve(*deed, &found)?,
            // No step of a release.
            Step::Claim { .. } | Step::Mount { .. } => {}
        }
    }
    let given_up = run.given_up(&found);
    if let Some(why) = unwritten {
        let device = volume.device.display();
        return Err(Fail::broken(format!("{device} is unmounted, but not everything was written to it"))
            .because(why)
            .hint("check it with e2fsck before it is used"));
    }
    told.record(given_up?.record(volume, true));
    Ok(Exit::Ok)
}

impl Run<'_> {
    fn look(&mut self) -> Result<Found, Fail> {
        self.eye.look(self.volume, self.site.deadline.left())
    }

    /// Nothing is mounted below it, and no other mount namespace has it on its own account; a dry run asks for every
    /// process, which otherwise the kernel tells faster.
    fn nobody(&mut self, found: &Found, told: &mut Told) -> Result<(), Fail> {
        if !found.nested.is_empty() {
            return Err(self
                .busy()
                .because(format!("{} is mounted below it", crate::look::paths(&found.nested))));
        }
        let users =
            if self.args.dry_run { mount::users(found.number)? } else { mount::holders_apart(found.number)? };
        let users = self.others(users);
        if users.is_empty() { Ok(()) } else { Err(self.used_by(users, found, told)) }
    }

    /// This run inherits what its shell has open: where others have it too, they are the ones to tell of.
    fn others(&mut self, users: Vec<User>) -> Vec<User> {
        let ours = [std::process::id(), self.eye.hand().pid()];
        let is_other = |user: &User| !ours.contains(&user.pid);
        if users.iter().any(is_other) { users.into_iter().filter(is_other).collect() } else { users }
    }

    fn busy(&self) -> Fail {
        Fail::failed(format!("{} is in use", self.volume.mount.display()))
    }

    /// Tells who uses it, on stderr and in the record.
    fn used_by(&self, users: Vec<User>, found: &Found, told: &mut Told) -> Fail {
        for user in &users {
            stderr::say(
                NAME,
                format_args!(
                    "{} is used by pid {} ({}): {}",
                    self.volume.mount.display(),
                    user.pid,
                    user.command,
                    user.uses.join(", ")
                ),
            );
        }
        let pids: Vec<String> = users.iter().map(|user| user.pid.to_string()).collect();
        let mut record = found.record(self.volume, false);
        record.users = users;
        told.record(record);
        let s = if pids.len() == 1 { "" } else { "s" };
        self.busy()
            .because(format!("by pid{s} {}", pids.join(", ")))
            .hint("end them, then run it again; it is still mounted")
    }

    /// Writes out what is in memory; what could not be written is told at the end, for the unmount comes all the same.
    fn sync(&mut self, point: &Path) -> Result<Option<String>, Fail> {
        self.eye.hand().ask(&Question::Sync(point.to_owned()))?;
        match self.eye.hand().answer::<Result<(), String>>(self.site.deadline.left(), None)? {
            Heard::Answer(done) => Ok(done.err()),
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("it is still being written out")),
        }
    }

    fn unmount(&mut self, point: &Path, found: &Found, told: &mut Told) -> Result<(), Fail> {
        self.eye.hand().ask(&Question::Unmount(point.to_owned()))?;
        match self.eye.hand().answer::<Done>(self.site.deadline.left(), None)? {
            Heard::Answer(Ok(())) => Ok(()),
            Heard::Answer(Err(Refusal { busy: true, words, .. })) => {
                let users = self.others(mount::users(found.number)?);
                if users.is_empty() {
                    return Err(self.busy().because(words).hint(
                        "by no process that can be seen: a swap file, a loop device or an NFS export of it",
                    ));
                }
                Err(self.used_by(users, found, told))
            }
            Heard::Answer(Err(refusal)) => {
                Err(Fail::failed(format!("cannot unmount {}", point.display())).because(refusal.words))
            }
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("its unmount is still under way")),
        }
    }

    /// Gives the reservation up.
    fn unreserve(&mut self, deed: Deed, found: &Found) -> Result<(), Fail> {
        let device = self.volume.device.clone();
        let us = reservation::key(self.site.host.name());
        let wanted = reservation::Wanted { device, number: found.number, us, deed };
        self.eye.hand().ask(&Question::Reserve(wanted))?;
        match self.eye.hand().answer::<Result<Came, String>>(self.site.deadline.left(), None)? {
            Heard::Answer(Ok(_)) => Ok(()),
            Heard::Answer(Err(why)) => {
                let device = self.volume.device.display();
                Err(Fail::broken(format!("{device} is unmounted, and reserved still"))
                    .because(why)
                    .hint("run it again"))
            }
            Heard::Silence | Heard::Stopped(_) => Err(self.out_of_time("its reservation is being given up")),
        }
    }

    fn out_of_time(&mut self, what: &str) -> Fail {
        let pid = self.eye.hand().pid();
        Fail::unknown(format!(
            "{} was not released within {}",
            self.volume.mount.display(),
            self.args.timeout
        ))
        .because(format!("{what} by pid {pid}"))
        .hint("the disk may hang; look at it again, and fence this node before another takes the volume")
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
                None | Some(Sequence::Clean | Sequence::Fsck) => return Ok(found),
                Some(Sequence::Held(_)) if is_anothers => return Ok(found),
                // The unmount of the last mount returns when the guard is clean; somebody in another namespace was
                // faster or slower than us. The kernel tells nobody when it lets go, so the block is read again.
                Some(Sequence::Held(_))
                    if began.elapsed() < LETS_GO && !self.site.deadline.left().is_zero() =>
                {
                    std::thread::sleep(Duration::from_millis(5)); // short, for a switchover waits for it
                }
                Some(Sequence::Held(_)) => {
                    return Err(Fail::broken(format!("{device} is unmounted, but its guard is held still"))
                        .because(format!("by {}", found.signer.as_deref().unwrap_or("a node that did not sign")))
                        .hint("another mount namespace of this node has it, or the kernel has not let go of it; look again"));
                }
            }
        }
    }
}

//! Carries steps out, and looks again after them.

mod ahead;
mod layers;
mod release;
mod take;
mod watch;

use std::time::{Duration, Instant};

use ims::ahead::Ahead;
use ims::sys::block::Number;
use ims::sys::hand::Hand;
use ims::sys::lock::Lock;
use ims::sys::mount::Table;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out};
use indicatif::MultiProgress;

use ahead::Prepared;

use crate::cli;
use crate::each::{Order, Told, each, each_item};
use crate::hand::WORDS;
use crate::look::Eye;
use crate::naming::Asked;
use crate::plan::Step;
use crate::volume::{Item, Volume};

/// What the work on each volume of a run has in common.
struct Site<'a> {
    host: &'a Host,
    stop: Stop,
    deadline: Deadline,
    /// Where bars are drawn.
    bars: MultiProgress,
    /// What was prepared before the word to begin came.
    prepared: Prepared,
    /// Whether this process rests when it has told its end.
    rests: bool,
}

impl<'a> Site<'a> {
    /// Begins the work, now or when it is told to.
    fn begin(
        host: &'a Host,
        timeout: Duration,
        asked: &Asked,
        ahead: Ahead,
        out: &mut Out,
    ) -> Result<Self, Fail> {
        let stop = Stop::watch()?;
        let prepared = if ahead.when_told { Prepared::of(host, asked) } else { Prepared::default() };
        ahead.told(&stop, out)?;
        let (deadline, bars, rests) = (Deadline::after(timeout), MultiProgress::new(), ahead.when_told);
        Ok(Self { host, stop, deadline, bars, prepared, rests })
    }

    /// Keeps other runs from a device, which a dry run need not, and opens an eye with the process that does what may hang.
    fn eye(&self, number: Number, dry_run: bool) -> Result<(Option<Lock>, Eye), Fail> {
        if dry_run {
            return Ok((None, Eye::open(self.host, Hand::start(WORDS, None)?)?));
        }
        if let Some((lock, eye)) = self.prepared.take(number) {
            return Ok((Some(lock), eye));
        }
        let lock = lock(self.host, number, self.deadline.left())?;
        let hand = Hand::start(WORDS, Some(&lock))?;
        Ok((Some(lock), Eye::open(self.host, hand)?))
    }
}

impl Site<'_> {
    /// Lets others at a device with which the work is done. The process that did it, which has nothing of the device open
    /// between two questions, rests with this one, for the kernel has work with its end.
    fn rest(&self, lock: Option<Lock>, eye: Eye) {
        if self.rests {
            if let Some(lock) = lock {
                lock.give_up();
            }
            eye.rest();
        }
    }
}

/// Mounts each volume here, unless another node has it.
pub fn take(host: &Host, args: &cli::Take, out: &mut Out) -> Result<Exit, Fail> {
    let asked = Asked::load_to_take(host, &args.volumes)?;
    let site = Site::begin(host, args.timeout.0, &asked, args.ahead, out)?;
    asked.needs.iter().zip(&asked.items).try_for_each(|(needs, item)| are_mounted(needs, item))?;
    each_item(&asked, Order::Up, out, |item, told| layers::take(&site, args, item, told))
}

/// The volumes that come before one are mounted: what is mounted later on a folder above covers it.
fn are_mounted(needs: &[Volume], item: &Item) -> Result<(), Fail> {
    let table = Table::load()?;
    match needs.iter().find(|volume| table.top_at(&volume.mount).is_none()) {
        None => Ok(()),
        Some(before) => Err(Fail::refused(format!("{} comes before {}", before.called(), item.called()))
            .because(format!("nothing is mounted on {}", before.mount.display()))
            .hint("take it first, or name the group for all its volumes")),
    }
}

/// Unmounts each volume here, so that another node can take it at once.
pub fn release(host: &Host, args: &cli::Release, out: &mut Out) -> Result<Exit, Fail> {
    let asked = Asked::load(host, &args.volumes)?;
    let site = Site::begin(host, args.timeout.0, &asked, args.ahead, out)?;
    if args.presync {
        return each(&asked, Order::Any, out, |volume, told| release::presync(&site, args, volume, told));
    }
    each_item(&asked, Order::Down, out, |item, told| layers::release(&site, args, item, told))
}

/// The moment by which a run must end.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// How long it is until then.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Keeps two runs of ours from one device.
fn lock(host: &Host, number: Number, patience: Duration) -> Result<Lock, Fail> {
    Lock::named(host, &format!("volume-{number}"), patience)
}

/// Ends the run between two steps when a signal asks for it.
fn go_on(stop: &Stop, volume: &Volume, done: &str) -> Result<(), Fail> {
    match stop.ended_by() {
        None => Ok(()),
        Some(signal) => {
            Err(Fail::failed(format!("stopped by {signal}; {} is {done}", volume.device.display())))
        }
    }
}

/// Shows the steps of a dry run.
fn show(steps: &[Step], volume: &Volume, told: &mut Told) {
    for step in steps {
        told.record(step.record(volume));
    }
}

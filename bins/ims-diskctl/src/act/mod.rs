//! Carries steps out, and looks again after them.

mod layers;
mod release;
mod take;
mod watch;

use std::time::{Duration, Instant};

use ims::sys::block::Number;
use ims::sys::lock::Lock;
use ims::sys::mount::Table;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out};
use indicatif::MultiProgress;

use crate::cli;
use crate::each::{Order, Told, each, each_item};
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
}

impl<'a> Site<'a> {
    fn new(host: &'a Host, timeout: Duration) -> Result<Self, Fail> {
        let (stop, deadline) = (Stop::watch()?, Deadline::after(timeout));
        Ok(Self { host, stop, deadline, bars: MultiProgress::new() })
    }
}

/// Mounts each volume here, unless another node has it.
pub fn take(host: &Host, args: &cli::Take, out: &mut Out) -> Result<Exit, Fail> {
    let site = Site::new(host, args.timeout.0)?;
    let asked = Asked::load_to_take(host, &args.volumes)?;
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
    let site = Site::new(host, args.timeout.0)?;
    let asked = Asked::load(host, &args.volumes)?;
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

//! Carries steps out, and looks again after them.

mod release;
mod take;
mod watch;

pub use release::release;
pub use take::take;

use std::time::{Duration, Instant};

use ims::sys::block::Number;
use ims::sys::lock::Lock;
use ims::sys::stop::Stop;
use ims::{Fail, Host, Out};

use crate::plan::Step;
use crate::volume::Volume;

/// The moment by which a run must end.
#[derive(Debug, Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Keeps two runs of ours from one device.
fn lock(host: &Host, number: Number, patience: Duration) -> Result<Lock, Fail> {
    Lock::named(host, &format!("volume-{number}"), patience)
}

/// Ends the run between two steps when a signal asks for it.
fn go_on(stop: &Stop, volume: &Volume, done: &str) -> Result<(), Fail> {
    match stop.asked() {
        None => Ok(()),
        Some(signal) => {
            Err(Fail::failed(format!("stopped by {signal}; {} is {done}", volume.device.display())))
        }
    }
}

/// Shows the steps of a dry run.
fn show(steps: &[Step], volume: &Volume, out: &mut Out) -> Result<(), Fail> {
    steps.iter().try_for_each(|step| out.record(&step.record(volume)))
}

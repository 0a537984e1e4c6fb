//! How many connections this process may hold at once, and the probes that wait for one to become free.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::probe::Asked;

/// Kept back for stdin, stdout, the event queue, files of the configuration and the resolver.
const RESERVE: u64 = 64;
/// More connections than this are never open at once.
const MOST: u64 = 100_000;

/// A probe that waits for a descriptor of ours, which takes nothing of the server's time.
#[derive(Debug)]
pub struct Waiting {
    /// The number of its target.
    pub target: usize,
    /// What is probed.
    pub asked: Asked,
    since: Instant,
    deadline: Option<Instant>,
}

/// The seats of this process, and who waits for one, in order.
#[derive(Debug)]
pub struct Seats {
    free: usize,
    waiting: VecDeque<Waiting>,
}

impl Seats {
    /// As many as the limit of open files allows, which is raised as far as it may be.
    pub fn all() -> Self {
        Self { free: limit(), waiting: VecDeque::new() }
    }

    /// Has a probe wait for a seat; `deadline` is the end of its time, when that runs already.
    pub fn wait(&mut self, target: usize, asked: Asked, deadline: Option<Instant>) {
        self.waiting.push_back(Waiting { target, asked, since: Instant::now(), deadline });
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the next may begin.
    pub fn can_begin(&self) -> bool {
        self.free > 0 && !self.is_empty()
    }

    /// The next that waits, which has a seat now.
    pub fn next(&mut self) -> Option<Waiting> {
        self.free = self.free.checked_sub(1)?;
        self.waiting.pop_front()
    }

    /// Takes a seat back.
    pub const fn free(&mut self) {
        self.free += 1;
    }
}

impl Waiting {
    /// The end of its time, when it begins now.
    pub fn deadline(&self, timeout: Duration) -> Instant {
        let now = Instant::now();
        match self.deadline {
            Some(deadline) => deadline + now.saturating_duration_since(self.since),
            None => now + timeout,
        }
    }
}

/// Raises the limit of open files to what is allowed, and says how many connections fit.
fn limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current, // the lower limit holds; more targets then wait for a seat
    };
    let seats = current.unwrap_or(MOST).saturating_sub(RESERVE).clamp(1, MOST);
    usize::try_from(seats).unwrap_or(1)
}

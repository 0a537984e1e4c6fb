//! The mailbox that a message comes to: it is waited for, seen, deleted and seen to be gone, and what earlier probes
//! left behind goes with it.

pub mod imap;
pub mod pop3;

use std::time::Duration;

use jiff::Timestamp;

use crate::finding::{Finding, Found};
use crate::parcel::Mark;
use crate::stage::{Stage, Way};

/// So many messages are looked at in one go.
const MOST: usize = 100;

/// Waits that grow, each twice the one before, up to a longest one.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    next: Duration,
    longest: Duration,
}

impl Waits {
    /// From the first wait to the longest, in milliseconds.
    pub const fn of(first: u64, longest: u64) -> Self {
        Self { next: Duration::from_millis(first), longest: Duration::from_millis(longest) }
    }

    /// How long to wait now; longer the next time.
    pub fn longer(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        now
    }
}

/// What of the messages found is the prober's to delete: the one that was sent, however often it came, and left-overs.
fn ours<'a, N: Copy>(found: &'a [(N, Mark)], mark: &'a Mark) -> impl Iterator<Item = N> + 'a {
    let now = Timestamp::now().as_second();
    let is_ours = move |seen: &Mark| seen.token == mark.token || seen.is_left_over(mark, now);
    found.iter().filter(move |(_, seen)| is_ours(seen)).map(|(number, _)| *number)
}

/// The messages that are the one that was sent.
fn copies<'a, N: Copy>(found: &'a [(N, Mark)], mark: &'a Mark) -> impl Iterator<Item = N> + 'a {
    found.iter().filter(|(_, seen)| seen.token == mark.token).map(|(number, _)| *number)
}

/// Notes how often the message came.
fn count(copies: usize, way: &mut Way) {
    if copies > 1 {
        let words = format!("the message came {copies} times");
        way.found(Found { what: Finding::DeliveredTwice, stage: Stage::Fetch, words });
    }
}

/// Goes back to a stage, if another one came between.
fn back(way: &mut Way, stage: Stage) {
    if way.stage() != stage {
        way.enter(stage);
    }
}

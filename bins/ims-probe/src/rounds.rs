//! The targets of a run, and where each is in its rounds: a round is one answer of every endpoint that a target has.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::config::Reading;
use crate::gather::Target;
use crate::rhythm::Rhythm;

/// A target, and its present round.
pub struct Watched {
    /// What is probed.
    pub target: Target,
    /// Counts its rounds, from 1.
    pub attempt: u64,
    /// How many answers this round waits for.
    pub open: usize,
    /// The last reading of its configuration.
    pub reading: Option<Reading>,
}

/// All targets, and when the next round of each begins that is in none.
pub struct Rounds {
    rhythm: Rhythm,
    targets: Vec<Watched>,
    beats: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Rounds {
    /// The first round of every target begins at once.
    pub fn new(rhythm: Rhythm, targets: Vec<Target>) -> Self {
        let beats = (0..targets.len()).map(|target| Reverse((rhythm.start, target))).collect();
        let watched = |target| Watched { target, attempt: 0, open: 0, reading: None };
        Self { rhythm, targets: targets.into_iter().map(watched).collect(), beats }
    }

    /// How long the run has lasted.
    pub fn since_start(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.rhythm.start)
    }

    /// Whether no more rounds will begin, those apart that are under way.
    pub fn is_over(&self) -> bool {
        self.beats.is_empty()
    }

    /// When the next round begins.
    pub fn next(&self) -> Option<Instant> {
        self.beats.peek().map(|Reverse((at, _))| *at)
    }

    /// Begins a round whose time is there, which waits for one answer; gives the number of its target.
    pub fn begin(&mut self, now: Instant) -> Option<usize> {
        self.next().filter(|at| *at <= now)?;
        let Reverse((_, number)) = self.beats.pop()?;
        let watched = self.get(number)?;
        watched.attempt += 1;
        watched.open = 1;
        Some(number)
    }

    /// A target.
    pub fn get(&mut self, number: usize) -> Option<&mut Watched> {
        self.targets.get_mut(number)
    }

    /// Notes that one answer of a target's round is there. When it was the last one, the next round is set, and the
    /// attempt that has ended is given.
    pub fn answered(&mut self, number: usize, now: Instant) -> Option<u64> {
        let watched = self.get(number)?;
        watched.open = watched.open.saturating_sub(1);
        let ended = (watched.open == 0).then_some(watched.attempt)?;
        if let Some(next) = self.rhythm.next(number, ended, now) {
            self.beats.push(Reverse((next, number)));
        }
        Some(ended)
    }
}

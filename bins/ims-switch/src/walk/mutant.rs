//! Rules that are broken on purpose: the model checker must find what comes of each.

use crate::plan::Verb;
use crate::plan::scenarios::world::Job;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// A node that cannot be reached is not fenced.
    NoFencing,
    /// What a node has that cannot be reached is taken for down.
    LostIsOff,
    /// A node that was fenced once is taken for off ever after.
    OldProof,
    /// A fencing that failed is taken for confirmed.
    UnconfirmedFencing,
    /// A start does not wait for the stop on the other node.
    StartBeforeStop,
    /// Stops wait for nothing.
    BottomFirst,
    /// A start does not wait for what it requires.
    TopFirst,
    /// A stop that failed is taken for stopped.
    FailedStopIsStopped,
    /// What is half up is taken for down.
    PartialIsDown,
    /// A step of which nothing was heard is taken for done.
    SilenceIsDone,
    /// Two runs at once.
    NoLock,
    /// A server of which nothing is known is taken for dead.
    UnknownIsFault,
}

/// Every mutant.
pub const ALL: [Mutant; 12] = [
    Mutant::NoFencing,
    Mutant::LostIsOff,
    Mutant::OldProof,
    Mutant::UnconfirmedFencing,
    Mutant::StartBeforeStop,
    Mutant::BottomFirst,
    Mutant::TopFirst,
    Mutant::FailedStopIsStopped,
    Mutant::PartialIsDown,
    Mutant::SilenceIsDone,
    Mutant::NoLock,
    Mutant::UnknownIsFault,
];

impl Mutant {
    /// A plan that breaks the rule.
    pub fn spoil(self, jobs: &mut Vec<Job>) {
        let of = |verb: Verb, jobs: &[Job]| {
            jobs.iter()
                .enumerate()
                .filter(|(_, job)| job.verb == verb)
                .fold(0u32, |set, (index, _)| set | 1 << index)
        };
        let (stops, starts, fences) = (of(Verb::Stop, jobs), of(Verb::Start, jobs), of(Verb::Fence, jobs));
        let keep = |jobs: &mut Vec<Job>, verb: Verb, kept: u32| {
            for job in jobs.iter_mut().filter(|job| job.verb == verb) {
                job.after &= kept;
            }
        };
        match self {
            Self::NoFencing => {
                let count = fences.count_ones();
                jobs.retain(|job| job.verb != Verb::Fence);
                for job in jobs.iter_mut() {
                    job.after >>= count; // fences come first in a plan
                }
            }
            Self::StartBeforeStop => keep(jobs, Verb::Start, !stops),
            Self::BottomFirst => keep(jobs, Verb::Stop, fences),
            Self::TopFirst => keep(jobs, Verb::Start, !starts),
            Self::LostIsOff
            | Self::OldProof
            | Self::UnconfirmedFencing
            | Self::FailedStopIsStopped
            | Self::PartialIsDown
            | Self::SilenceIsDone
            | Self::NoLock
            | Self::UnknownIsFault => {}
        }
    }
}

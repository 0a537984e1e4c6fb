//! What a run knows so far: the latest state of each endpoint, from which the exit status comes.

use std::collections::HashMap;
use std::time::Duration;

use ims::span::millis;
use ims::{Exit, State};

use crate::answer::{Answer, now};
use crate::report::nagios::Status;
use crate::summary::Summary;

/// The latest answers of each target.
#[derive(Debug)]
pub struct Tally {
    targets: Vec<HashMap<String, Latest>>,
    answered: usize,
    probes: u64,
}

/// What the latest answer of an endpoint was.
#[derive(Debug, Clone, Copy)]
struct Latest {
    attempt: u64,
    state: State,
    exit: Exit,
}

impl Tally {
    /// No target has answered yet.
    pub fn of(targets: usize) -> Self {
        Self { targets: vec![HashMap::new(); targets], answered: 0, probes: 0 }
    }

    /// Notes an answer.
    pub fn note(&mut self, target: usize, answer: &Answer) {
        let Answer { attempt, state, .. } = *answer;
        let exit = if answer.is_refused { Exit::Refused } else { Exit::from(state) };
        self.keep(target, &answer.endpoint, Latest { attempt, state, exit });
    }

    fn keep(&mut self, target: usize, endpoint: &str, answer: Latest) {
        self.probes += 1;
        if let Some(latest) = self.targets.get_mut(target) {
            if latest.is_empty() {
                self.answered += 1;
            }
            latest.insert(endpoint.to_owned(), answer);
        }
    }

    /// Ends a round of a target: what did not answer in it is not there any more.
    pub fn end_round(&mut self, target: usize, attempt: u64) {
        if let Some(latest) = self.targets.get_mut(target) {
            latest.retain(|_, last| last.attempt >= attempt);
        }
    }

    /// How many targets have answered at all.
    pub const fn answered(&self) -> usize {
        self.answered
    }

    /// Whether every target has answered.
    pub const fn is_whole(&self) -> bool {
        self.answered == self.targets.len()
    }

    /// The gravest of the latest answers; a target that has not answered is unknown.
    pub fn exit(&self) -> Exit {
        self.latest().map(|latest| latest.exit).fold(Exit::Ok, Exit::gravest)
    }

    /// The same as the status of a plugin.
    pub fn status(&self) -> Status {
        self.latest().map(|latest| Status::from(latest.state)).max().unwrap_or(Status::Unknown)
    }

    /// What is known when a signal ends the run.
    pub fn summary(&self, stopped_by: &'static str, ran: Duration) -> Summary {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let latest = || self.targets.iter().flat_map(HashMap::values);
        let of = |wanted: State| count(latest().filter(|latest| latest.state == wanted).count());
        Summary {
            stopped_by,
            ran_ms: millis(ran),
            targets: count(self.targets.len()),
            answered: count(self.answered),
            probes: self.probes,
            up: of(State::Up),
            down: of(State::Down),
            partial: of(State::Partial),
            unknown: of(State::Unknown),
            time: now(),
        }
    }

    fn latest(&self) -> impl Iterator<Item = Latest> {
        const NONE: Latest = Latest { attempt: 0, state: State::Unknown, exit: Exit::Unknown };
        self.targets.iter().flat_map(|latest| {
            let none = latest.is_empty().then_some(NONE);
            none.into_iter().chain(latest.values().copied())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Down, Unknown, Up};

    fn note(tally: &mut Tally, target: usize, endpoint: &str, attempt: u64, state: State) {
        tally.keep(target, endpoint, Latest { attempt, state, exit: Exit::from(state) });
    }

    #[test]
    fn a_target_that_has_not_answered_is_unknown() {
        let mut tally = Tally::of(2);
        assert_eq!(tally.exit(), Exit::Unknown);
        note(&mut tally, 0, "smtp", 1, Up);
        assert_eq!((tally.exit(), tally.answered()), (Exit::Unknown, 1));
        note(&mut tally, 1, "smtp", 1, Up);
        assert_eq!((tally.exit(), tally.answered()), (Exit::Ok, 2));
    }

    #[test]
    fn only_the_latest_answers_count_and_half_a_round_hides_nothing() {
        let mut tally = Tally::of(1);
        note(&mut tally, 0, "smtp", 1, Up);
        note(&mut tally, 0, "imap", 1, Down);
        tally.end_round(0, 1);
        note(&mut tally, 0, "smtp", 2, Up);
        assert_eq!(tally.exit(), Exit::No, "imap was down when last asked");
        note(&mut tally, 0, "imap", 2, Up);
        tally.end_round(0, 2);
        assert_eq!(tally.exit(), Exit::Ok);
    }

    #[test]
    fn what_was_refused_once_is_not_refused_for_ever() {
        let mut tally = Tally::of(2);
        let refused = Latest { attempt: 1, state: Unknown, exit: Exit::Refused };
        tally.keep(0, "imap", refused);
        note(&mut tally, 1, "smtp", 1, Down);
        assert_eq!((tally.exit(), tally.status()), (Exit::Refused, Status::Critical));
        note(&mut tally, 0, "imap", 2, Up);
        assert_eq!((tally.exit(), tally.status()), (Exit::No, Status::Critical));
    }

    #[test]
    fn what_is_configured_no_more_counts_no_more() {
        let mut tally = Tally::of(1);
        note(&mut tally, 0, "file:///global/ims", 1, Unknown);
        tally.end_round(0, 1);
        note(&mut tally, 0, "smtp", 2, Up);
        tally.end_round(0, 2);
        assert_eq!(tally.exit(), Exit::Ok);
    }

    #[test]
    fn a_summary_counts_endpoints_by_their_latest_state_and_every_probe() {
        let mut tally = Tally::of(3);
        for (target, endpoint, attempt, state) in
            [(0, "smtp", 1, Down), (0, "smtp", 2, Up), (0, "imap", 2, Down), (1, "ldap", 1, Unknown)]
        {
            note(&mut tally, target, endpoint, attempt, state);
        }
        let told = tally.summary("SIGTERM", Duration::from_millis(1500));
        assert_eq!((told.stopped_by, told.ran_ms, told.targets, told.answered), ("SIGTERM", 1500, 3, 2));
        assert_eq!((told.probes, told.up, told.down, told.partial, told.unknown), (4, 1, 1, 0, 1));
    }
}

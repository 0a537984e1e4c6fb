//! What is doubtful about a journal: lines that cannot be read, a clock that jumped, times that cannot be.

use super::kind::end_of;
use crate::journal::Told;

/// How many lines are named.
const NAMED: usize = 5;

/// A clock that is set right by less does not count as a jump.
const SET_RIGHT_MS: i128 = 1000;

/// The doubts, each as a sentence without its end.
pub fn doubts(runs: &[Told], unread: &[usize]) -> Vec<String> {
    let mut doubts = Vec::new();
    if !unread.is_empty() {
        let named: Vec<String> = unread.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if unread.len() > NAMED { ", …" } else { "" };
        doubts.push(format!(
            "{} of its lines cannot be read and are passed over: {}{more}",
            unread.len(),
            named.join(", ")
        ));
    }
    for (before, told) in runs.iter().zip(runs.iter().skip(1)) {
        let (ended, began) = (before.run.time, told.run.time);
        let took = i128::from(before.run.took_ms.unwrap_or(0));
        // It may have begun before, and waited for that one.
        let waited = told.steps.iter().filter(|step| step.verb == "lock").filter_map(end_of).max();
        let between = began.as_nanosecond() / 1_000_000 - ended.as_nanosecond() / 1_000_000;
        if between + i128::from(waited.unwrap_or(0)) < took - SET_RIGHT_MS {
            doubts.push(format!(
                "the clock went back: a run of {ended} took {took} ms, and the next one began at {began}; times \
                 within a run do not depend on it"
            ));
        }
    }
    for told in runs {
        let end = told.steps.iter().filter_map(end_of).max().unwrap_or(0);
        if told.run.took_ms.is_some_and(|took| took < end) {
            doubts.push(format!("the steps of the run of {} end after the run itself", told.run.time));
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::told;

    #[test]
    fn a_clock_that_goes_back_and_lines_that_cannot_be_read_are_told() {
        let at = |time: &str| {
            let mut told = told("move", Some("ok"), &[("stop", 0, 10), ("start", 10, 90)]);
            told.run.time = time.parse().unwrap();
            told.run.took_ms = Some(5000);
            told
        };
        let runs = [at("2026-11-22T18:00:00Z"), at("2026-11-22T18:10:00Z"), at("2026-11-22T18:10:03Z")];
        assert_eq!(doubts(&runs[..2], &[]), Vec::<String>::new());
        let told = doubts(&runs, &[3, 4, 5, 6, 7, 8]);
        assert_eq!(told[0], "6 of its lines cannot be read and are passed over: 3, 4, 5, 6, 7, …");
        assert!(
            told[1].starts_with("the clock went back: a run of 2026-11-22T18:10:00Z took 5000 ms"),
            "{told:?}"
        );
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_run_that_waited_for_the_one_before_it_is_no_clock_that_went_back() {
        let first = told("move", Some("ok"), &[("stop", 0, 10), ("start", 10, 4990)]);
        let mut second = told("online", Some("ok"), &[("reach", 0, 100), ("lock", 100, 4900)]);
        assert_eq!(doubts(&[first.clone(), second.clone()], &[]), Vec::<String>::new());
        second.steps[1].took_ms = Some(1);
        assert_eq!(doubts(&[first, second], &[]).len(), 1);
    }

    #[test]
    fn steps_that_outlast_their_run_are_told() {
        let mut run = told("move", Some("ok"), &[("start", 10, 90)]);
        run.run.took_ms = Some(99);
        assert_eq!(doubts(&[run], &[]).len(), 1);
    }
}

//! Each call that changes a file fails, once or from then on: the disk is full, or broken.

use std::collections::BTreeMap;

use nix::errno::Errno;

use super::lab::{Lab, Tree, old_or_new, same, same_but_left_over};
use super::rows::{ROWS, Row};
use super::{Act, Moment, OWN, Traced, judged, named, tell};

#[test]
fn a_call_that_fails_leaves_all_as_before_or_says_that_it_does_not() {
    let mut ends = BTreeMap::new();
    for row in ROWS {
        let points = fail_everywhere(row, &mut ends);
        tell(format_args!("failed: {}: {points} points", row.name));
    }
    let all: usize = ends.values().sum();
    tell(format_args!("failed: {all} points; runs by their status: {ends:?}"));
    assert!(all > 800, "only {all} points");
}

fn fail_everywhere(row: &Row, ends: &mut BTreeMap<i32, usize>) -> usize {
    let (before, after) = super::ends(row);
    let mut points = 0;
    // A disk that breaks for good is tried at each third call: it costs as much time again.
    for (errno, from_then_on, step) in
        [(Errno::ENOSPC, false, 1), (Errno::EIO, false, 1), (Errno::EIO, true, 3)]
    {
        for n in (1..).step_by(step) {
            let lab = Lab::of(row);
            let (ran, hit) = judged(&lab, row.words, OWN, |at, _, moment| match moment {
                Moment::Before if at == n || (from_then_on && at > n) => Act::Fail(errno),
                Moment::Before if at > n => Act::Leave,
                Moment::Before | Moment::After(_) => Act::Go,
            });
            let Some(call) = hit else {
                assert_eq!(ran.status, Some(0), "{}: {}", row.name, ran.stderr);
                break;
            };
            points += 1;
            let what = named(n, &call, &lab);
            let often = if from_then_on { "from then on" } else { "once" };
            let why = format!("{}: {errno:?} {often} at {what}: {}", row.name, ran.stderr);
            *ends.entry(ran.status.unwrap_or(-1)).or_default() += 1;
            is_honest(&ran, &lab, (&before, &after), &why);
            lab.run(row.words, &why);
            same(&lab.tree(), &after, &format!("{why}, and finished"));
        }
    }
    points
}

/// The status says what is on the disk, and one line says why.
fn is_honest(ran: &Traced, lab: &Lab, (before, after): (&Tree, &Tree), why: &str) {
    let now = lab.tree();
    match ran.status {
        Some(0) => same_but_left_over(&now, after, why),
        Some(6) => old_or_new(&now, before, after, why),
        Some(5) => same_but_left_over(&now, before, why),
        other => panic!("{why}: status {other:?}"),
    }
    if ran.status != Some(0) {
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("ims-"), "{why}");
        assert!(ran.stdout.lines().last().is_some_and(|line| line.contains("\"ims.fail/1\"")), "{why}");
    }
}

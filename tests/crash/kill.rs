//! Killed before each call that changes a file, and behind the last.

use super::lab::{self, Lab, old_or_new, same};
use super::rows::{ROWS, Row};
use super::{Act, Moment, OWN, Watch, ends, judged, named, tell};

#[test]
fn killed_at_any_call_each_file_is_old_or_new_and_the_next_run_finishes() {
    let mut all = 0;
    for row in ROWS {
        let points = kill_everywhere(row);
        tell(format_args!("killed: {}: {points} crash points", row.name));
        all += points;
    }
    tell(format_args!("killed: {all} crash points"));
    assert!(all > 200, "only {all} crash points");
}

fn kill_everywhere(row: &Row) -> usize {
    let (before, after) = ends(row);
    let mut last = 0;
    for n in 1.. {
        let lab = Lab::of(row);
        let all = Watch { started: true, ..OWN };
        let (ran, hit) = judged(&lab, row.words, all, |at, _, moment| match moment {
            Moment::Before if at == n => Act::Kill,
            Moment::Before | Moment::After(_) => Act::Go,
        });
        let Some(call) = hit else {
            assert_eq!(ran.status, Some(0), "{}: {}", row.name, ran.stderr);
            same(&lab.tree(), &after, row.name);
            last = n - 1;
            break;
        };
        let why = format!("{}: killed before {}", row.name, named(n, &call, &lab));
        assert_eq!(ran.status, None, "{why}");
        finishes(row, &lab, (&before, &after), n, &why);
    }
    let lab = Lab::of(row);
    let answers = Watch { started: true, answers: true, ..OWN };
    let (ran, _) = judged(&lab, row.words, answers, |at, _, moment| match moment {
        Moment::After(_) if at == last => Act::Kill,
        Moment::Before | Moment::After(_) => Act::Go,
    });
    assert_eq!(ran.status, None, "{}", row.name);
    finishes(row, &lab, (&before, &after), last, &format!("{}: killed behind the last call", row.name));
    last + 1
}

/// Looks at what is left, and has the next run finish; at every other point one that leads straight back comes first.
fn finishes(row: &Row, lab: &Lab, (before, after): (&lab::Tree, &lab::Tree), n: usize, why: &str) {
    old_or_new(&lab.tree(), before, after, why);
    if let Some(back) = row.back.filter(|_| n.is_multiple_of(2)) {
        lab.run(back, &format!("{why}, and back"));
    }
    lab.run(row.words, why);
    same(&lab.tree(), after, &format!("{why}, and finished"));
}

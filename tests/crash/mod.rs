//! Each command line that changes something, killed at every call that does, failed at every one, cut off from its
//! power, and led astray by those who own the folders it works in.

mod fail;
mod hosts;
mod kill;
mod lab;
mod order;
mod planted;
mod rows;

use std::io::Write;

use lab::{Lab, Tree};
use rows::Row;

use crate::support::tracer::{Act, Call, Moment, Traced, Watch, traced};

/// Says it past the test harness: how many points were tried is part of the answer.
fn tell(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{what}"); // nobody may be listening
}

/// What a row's host holds before and after a run that nothing hinders.
fn ends(row: &Row) -> (Tree, Tree) {
    let lab = Lab::of(row);
    let before = lab.tree();
    lab.run(row.words, row.name);
    (before, lab.tree())
}

/// The calls of the program that change something, alone.
const OWN: Watch = Watch { started: false, looks: false, answers: false };

/// Runs a command line; `judge` hears of its calls that change a file of the host, and of what else is wanted, counted
/// from 1. Gives how the run ended, and the first call that was not simply made.
fn judged(
    lab: &Lab,
    words: &[&str],
    watch: Watch,
    mut judge: impl FnMut(usize, &Call, Moment) -> Act + Send,
) -> (Traced, Option<Call>) {
    let host = lab.host();
    let (mut n, mut hit) = (0, None);
    let ran = traced(&mut lab.command(words), watch, |call, moment| {
        if !call.is_change() || !call.is_below(&host) {
            return Act::Go;
        }
        n += usize::from(moment == Moment::Before);
        let act = judge(n, call, moment);
        if act != Act::Go && hit.is_none() {
            hit = Some(call.clone());
        }
        act
    });
    (ran, hit)
}

/// A call in words, for what a failed test says.
fn named(n: usize, call: &Call, lab: &Lab) -> String {
    let short = |path: &std::path::Path| path.strip_prefix(lab.host()).unwrap_or(path).display().to_string();
    let to = call.to.as_deref().map(short).unwrap_or_default();
    format!("call {n}, {} {} {to}", call.name, short(&call.path))
}

//! The machine that stops: what is not on the disk by then is lost, in whatever order the kernel likes. So the order of
//! a whole run's calls is judged: data lasts before it gets its name, a name before the next step, and all of it
//! before the command says that it is done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::lab::{Lab, is_left_over};
use super::rows::{ROWS, Row};
use super::{Act, Call, Moment, OWN, Watch, judged, tell};
use crate::support::tracer::Does;

/// The calls of a run that changed a file of the host that outlives the node, in their order.
fn record(row: &Row) -> Vec<Call> {
    let lab = Lab::of(row);
    let (host, mut calls) = (lab.host(), Vec::new());
    let (ran, _) = judged(&lab, row.words, Watch { answers: true, ..OWN }, |_, call, moment| {
        let is_made = matches!(moment, Moment::After(answer) if answer >= 0);
        if is_made && !call.is_below(&host.join("run")) {
            calls.push(call.clone());
        }
        Act::Go
    });
    assert_eq!(ran.status, Some(0), "{}: {}", row.name, ran.stderr);
    calls
}

/// What would be lost if the machine stopped at some moment of these calls, or behind the last.
fn fault(calls: &[Call]) -> Option<String> {
    // The files whose data, and the folders whose names, are not yet on the disk.
    let (mut data, mut names) = (BTreeSet::<&Path>::new(), BTreeSet::<PathBuf>::new());
    for call in calls {
        let told = || format!("{} {} {:?}", call.name, call.path.display(), call.to);
        let folder = |path: &Path| path.parent().unwrap().to_owned();
        match call.does {
            Does::Look | Does::Send => {}
            Does::Sync => {
                data.remove(call.path.as_path());
                names.remove(&call.path);
            }
            Does::Write => drop(data.insert(&call.path)),
            Does::Make => {
                data.insert(&call.path);
                if !is_left_over(&call.path) {
                    names.insert(folder(&call.path));
                }
            }
            Does::Move | Does::Link => {
                let to = call.to.as_deref().unwrap_or(&call.path);
                if data.contains(call.path.as_path()) {
                    return Some(format!("{}: its data is not on the disk", told()));
                }
                if names.contains(&folder(to)) {
                    return Some(format!("{}: what was done there before is not on the disk", told()));
                }
                names.extend([folder(&call.path), folder(to)]);
            }
            Does::Remove => {
                data.remove(call.path.as_path());
                // It may be all there is of what the folder held before.
                if names.contains(&folder(&call.path)) {
                    return Some(format!("{}: what was done there before is not on the disk", told()));
                }
                // One that comes back is taken away by the next run.
                if !is_left_over(&call.path) {
                    names.insert(folder(&call.path));
                }
            }
        }
    }
    let last = data.iter().map(|path| path.display()).next();
    let last = last.or_else(|| names.iter().map(|path| path.display()).next());
    last.map(|path| format!("done, and {path} is not on the disk"))
}

#[test]
fn when_the_machine_stops_nothing_is_lost_that_a_later_step_builds_on() {
    let mut all = 0;
    for row in ROWS {
        let calls = record(row);
        assert_eq!(fault(&calls), None, "{}", row.name);
        let syncs: Vec<usize> = (0..calls.len()).filter(|at| calls[*at].does == Does::Sync).collect();
        assert!(!syncs.is_empty(), "{}: nothing is written out", row.name);
        for at in &syncs {
            let mut without = calls.clone();
            let call = without.remove(*at);
            assert!(
                fault(&without).is_some(),
                "{}: {} of {:?} is not missed",
                row.name,
                call.name,
                call.path
            );
        }
        tell(format_args!("stopped: {}: {} calls, {} of them write out", row.name, calls.len(), syncs.len()));
        all += syncs.len();
    }
    tell(format_args!("stopped: each of {all} calls that write out is missed when it is left out"));
    assert!(all > 50, "only {all} calls");
}

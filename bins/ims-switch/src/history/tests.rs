//! Runs as a journal could have them, for the tests of this folder.

use crate::journal::{Told, gap_ms};
use crate::record::{Outcome, RunRecord, StepRecord};

/// A run with steps of one resource: the verb, when it began, how long it took.
pub fn told(wish: &str, status: Option<&str>, steps: &[(&str, u64, u64)]) -> Told {
    let steps: Vec<StepRecord> =
        steps.iter().enumerate().map(|(place, (verb, at, took))| step(place + 1, verb, *at, *took)).collect();
    let run = RunRecord {
        run: Some("r".to_owned()),
        group: "IMS-RG".parse().unwrap(),
        wish: wish.to_owned(),
        time: "2026-11-22T18:30:00Z".parse().unwrap(),
        took_ms: status.and_then(|_| steps.last()?.at_ms?.checked_add(steps.last()?.took_ms?)),
        gap_ms: gap_ms(&steps),
        changed: true,
        dry_run: false,
        status: status.map(ToOwned::to_owned),
        online_on: (status == Some("ok")).then(|| "mail-2".parse().unwrap()),
        message: None,
    };
    Told { run, steps }
}

fn step(number: usize, verb: &str, at: u64, took: u64) -> StepRecord {
    let is_of_a_resource = matches!(verb, "stop" | "start");
    StepRecord {
        run: Some("r".to_owned()),
        group: "IMS-RG".parse().unwrap(),
        step: number,
        node: "mail-1".parse().unwrap(),
        resource: is_of_a_resource.then(|| "mail".parse().unwrap()),
        verb: verb.to_owned(),
        command: None,
        why: String::new(),
        after: Vec::new(),
        outcome: Outcome::Done,
        changed: true,
        at_ms: Some(at),
        took_ms: Some(took),
        message: None,
        parts: Vec::new(),
    }
}

//! The guards of volumes as they are once a fencing has been confirmed: a proof that names them counts as long as they
//! are still so, whatever the clocks of the nodes say.

use std::time::Duration;

use ims::fencing::SeenGuard;
use ims::group::{Group, Kind, Resource};
use ims::{Host, sys::stderr};
use jiff::Timestamp;
use serde::Deserialize;

use crate::plan::line;
use crate::resource::beside;

/// How long a disk may take to answer; then the times are compared in place of the guards.
const PATIENCE: &str = "2s";
/// How long the command may take with that.
const LIMIT: Duration = Duration::from_secs(4);

/// What is read of an `ims.volume/1` record.
#[derive(Deserialize)]
struct Volume {
    uuid: Option<String>,
    mounts: Option<u16>,
    guard: Guard,
}

#[derive(Deserialize)]
struct Guard {
    written_by: Option<String>,
    sequence: Option<u32>,
    last_sign: Option<Timestamp>,
}

/// The guards of a group's volumes, as this node sees them; one that cannot be seen is left out.
pub fn seen(group: &Group) -> Vec<SeenGuard> {
    let is_volume = |resource: &&Resource| matches!(resource.kind, Kind::Volume(_));
    std::thread::scope(|scope| {
        let look = |resource| scope.spawn(move || of(group, resource));
        let looks: Vec<_> = group.resources.iter().filter(is_volume).map(look).collect();
        looks.into_iter().filter_map(|look| look.join().ok()).flatten().collect()
    })
}

/// The guards of the volumes of every group that this node knows.
pub fn of_all_groups(host: &Host) -> Vec<SeenGuard> {
    let groups = Group::names(host).and_then(|names| {
        names.iter().map(|name| Group::load(host, name)).collect::<Result<Vec<Group>, _>>()
    });
    match groups {
        Ok(groups) => groups.iter().flat_map(seen).collect(),
        Err(fail) => {
            stderr::say(
                "ims-switch",
                format_args!("{fail}; the proof names no guards, and counts by its time"),
            );
            Vec::new()
        }
    }
}

fn of(group: &Group, resource: &Resource) -> Vec<SeenGuard> {
    let Some(line) = line::look(group, resource) else { return Vec::new() };
    let Ok(ended) = beside(&line.arg("--timeout").arg(PATIENCE).arg("--output").arg("json")).run(LIMIT)
    else {
        return Vec::new();
    };
    String::from_utf8_lossy(&ended.stdout).lines().filter_map(guard).collect()
}

fn guard(line: &str) -> Option<SeenGuard> {
    let Volume { uuid, mounts, guard } = serde_json::from_str(line).ok()?;
    Some(SeenGuard {
        uuid: uuid?,
        mounts: mounts?,
        written_by: guard.written_by?,
        sequence: guard.sequence?,
        last_sign: guard.last_sign?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_seen_where_all_of_it_is_told() {
        let line = |uuid: &str, guard: &str| {
            format!(r#"{{"schema":"ims.volume/1","host":"mail-2","uuid":{uuid},"mounts":3,"guard":{guard}}}"#)
        };
        let whole = r#"{"kind":"mmp","written_by":"mail-1","sequence":7,"last_sign":"2026-11-22T19:02:28Z"}"#;
        let seen = guard(&line("\"u\"", whole)).unwrap();
        assert_eq!(
            (seen.uuid.as_str(), seen.mounts, seen.written_by.as_str(), seen.sequence),
            ("u", 3, "mail-1", 7)
        );
        let none = r#"{"kind":"none","written_by":null,"sequence":null,"last_sign":null}"#;
        for line in [line("\"u\"", none), line("null", whole), String::new(), "x".to_owned()] {
            assert_eq!(guard(&line), None, "{line}");
        }
    }
}

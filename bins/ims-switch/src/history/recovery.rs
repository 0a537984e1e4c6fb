//! How long recoveries take: the outages and the lengths of all runs in a journal, by kind.

use std::time::Duration;

use ims::name::GroupName;
use ims::{Exit, Fail, Record};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::kind::{Kind, outage_ms};
use crate::journal::Told;

/// How a length of time is spread over the runs that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spread {
    /// How many runs.
    pub count: usize,
    /// The shortest.
    pub min_ms: u64,
    /// The middle one, or the middle of the two in the middle.
    pub median_ms: u64,
    /// The one that 95 of 100 do not exceed (nearest rank): the longest, where there are fewer than twenty.
    pub p95_ms: u64,
    /// The longest.
    pub max_ms: u64,
    /// The mean.
    pub mean_ms: u64,
}

impl Spread {
    /// The spread of these; none of none.
    pub fn of(mut times: Vec<u64>) -> Option<Self> {
        times.sort_unstable();
        let count = times.len();
        let at = |rank: usize| times.get(rank.saturating_sub(1)).copied();
        let median_ms = at(count.div_ceil(2))?.midpoint(at(count / 2 + 1)?);
        let sum: u128 = times.iter().map(|time| u128::from(*time)).sum();
        let mean = sum / u128::try_from(count).ok()?;
        Some(Self {
            count,
            min_ms: at(1)?,
            median_ms,
            p95_ms: at((count * 95).div_ceil(100))?,
            max_ms: at(count)?,
            mean_ms: u64::try_from(mean).ok()?,
        })
    }

    fn cells(spread: Option<&Self>) -> [String; 4] {
        spread.map_or_else(
            || ["-"; 4].map(ToOwned::to_owned),
            |spread| {
                [spread.min_ms, spread.median_ms, spread.p95_ms, spread.max_ms]
                    .map(|time| format!("{time} ms"))
            },
        )
    }
}

/// The runs of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recovery {
    /// The group.
    pub group: GroupName,
    /// The kind of run.
    pub kind: Kind,
    /// How many runs.
    pub runs: usize,
    /// How many did what was wished.
    pub ok: usize,
    /// How many ended otherwise.
    pub failed: usize,
    /// How many have no end in the journal: they were killed, or still run.
    pub unfinished: usize,
    /// From the first stop, for a failover from the run's beginning, to the end of the last start: of the runs at
    /// whose end the group was online, those that put back what was before included.
    pub outage: Option<Spread>,
    /// From the beginning to the end of the runs that did what was wished.
    pub took: Option<Spread>,
    /// When the first of them began.
    pub from: Timestamp,
    /// When the last of them began.
    pub to: Timestamp,
}

impl Record for Recovery {
    const SCHEMA: &'static str = "ims.recovery/1";

    fn columns() -> &'static [&'static str] {
        &[
            "kind",
            "runs",
            "ok",
            "failed",
            "unfinished",
            "outage min",
            "median",
            "p95",
            "max",
            "total min",
            "median",
            "p95",
            "max",
        ]
    }

    fn row(&self) -> Vec<String> {
        let counts = [self.runs, self.ok, self.failed, self.unfinished].map(|count| count.to_string());
        let mut row = vec![self.kind.word().to_owned()];
        row.extend(counts);
        row.extend(Spread::cells(self.outage.as_ref()));
        row.extend(Spread::cells(self.took.as_ref()));
        row
    }
}

/// The statistics of the runs, one record a kind that there is.
pub fn recoveries(group: &GroupName, runs: &[Told]) -> Vec<Recovery> {
    Kind::ALL.into_iter().filter_map(|kind| of_kind(group, kind, runs)).collect()
}

fn of_kind(group: &GroupName, kind: Kind, runs: &[Told]) -> Option<Recovery> {
    let runs: Vec<&Told> = runs.iter().filter(|told| Kind::of(told) == kind).collect();
    let is_ok = |told: &&&Told| told.run.status.as_deref() == Some(Exit::Ok.word());
    let ok = runs.iter().filter(is_ok).count();
    let unfinished = runs.iter().filter(|told| told.run.status.is_none()).count();
    Some(Recovery {
        group: group.clone(),
        kind,
        runs: runs.len(),
        ok,
        failed: runs.len() - ok - unfinished,
        unfinished,
        outage: Spread::of(runs.iter().filter_map(|told| outage_ms(told)).collect()),
        took: Spread::of(runs.iter().filter(is_ok).filter_map(|told| told.run.took_ms).collect()),
        from: runs.iter().map(|told| told.run.time).min()?,
        to: runs.iter().map(|told| told.run.time).max()?,
    })
}

/// The mean outage of the failovers.
pub fn mean_failover(group: &GroupName, runs: &[Told]) -> Result<Duration, Fail> {
    let outage = of_kind(group, Kind::Failover, runs).and_then(|recovery| recovery.outage);
    let mean = outage.map(|outage| Duration::from_millis(outage.mean_ms.max(1)));
    mean.ok_or_else(|| {
        Fail::unknown(format!("the journal of {group} here has no failover that was measured"))
            .hint("give --failover TIME, or ask on the node that drove them")
    })
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;

//! The last record of a run that a signal ended: what was known then.

use ims::Record;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What a run knew when it was told to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// The signal that ended it.
    pub stopped_by: &'static str,
    /// How long it had run in milliseconds.
    pub ran_ms: u64,
    /// How many targets it had.
    pub targets: u64,
    /// How many of them had answered at all; the status of the run counts the others as unknown.
    pub answered: u64,
    /// How many answers there had been.
    pub probes: u64,
    /// How many endpoints were up when last asked.
    pub up: u64,
    /// How many endpoints were down when last asked.
    pub down: u64,
    /// How many endpoints were partial when last asked.
    pub partial: u64,
    /// How many endpoints were unknown when last asked.
    pub unknown: u64,
    /// When it ended.
    pub time: Timestamp,
}

impl Record for Summary {
    const SCHEMA: &'static str = "ims.summary/1";

    fn columns() -> &'static [&'static str] {
        &["stopped by", "ran", "targets", "answered", "probes", "up", "down", "partial", "unknown"]
    }

    fn row(&self) -> Vec<String> {
        let counts =
            [self.targets, self.answered, self.probes, self.up, self.down, self.partial, self.unknown];
        let first = [self.stopped_by.to_owned(), format!("{} ms", self.ran_ms)];
        first.into_iter().chain(counts.map(|count| count.to_string())).collect()
    }
}

//! The record of one probe.

use std::net::IpAddr;
use std::time::Duration;

use ims::layout::Service;
use ims::name::InstanceName;
use ims::{Record, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::level::Level;
use crate::stage::{Stage, Step};
use crate::tls::Secured;
use crate::window::Sums;

/// What one endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What was probed, as a URL; the server root when the configuration could not be read.
    pub endpoint: String,
    /// The instance it belongs to, when one was named.
    pub instance: Option<InstanceName>,
    /// What is spoken there.
    pub service: Service,
    /// The address that was spoken to, once one was known.
    pub address: Option<IpAddr>,
    /// How deeply it was asked; a service without a dialogue is only connected to.
    pub level: Level,
    /// Up when all of that worked, partial when it did and there are findings, down when the server failed, unknown when it could not be found out.
    pub state: State,
    /// The stage that failed, or where the first finding was made.
    pub stage: Option<Stage>,
    /// The server's words, cut and escaped, or the error in ours.
    pub words: Option<String>,
    /// What is not as it should be though the level was reached.
    pub findings: Vec<Finding>,
    /// What was agreed for TLS, when it was spoken.
    pub tls: Option<Secured>,
    /// The time of the whole probe in milliseconds.
    pub took_ms: u64,
    /// Each stage that was reached, with its time.
    pub steps: Vec<Step>,
    /// Counts the probes of this endpoint's target in this run, from 1.
    pub attempt: u64,
    /// When the answer was had.
    pub time: Timestamp,
    /// How long ago that was by the monotonic clock when the record was printed: a reader that is slow sees it grow.
    pub age_ms: u64,
    /// What the last probes of this endpoint add up to, where a window was asked for.
    pub window: Option<Sums>,
    /// Whether it is unknown because a safety rule kept the probe from its end; the exit status tells.
    #[serde(skip)]
    pub is_refused: bool,
}

impl Answer {
    /// The time of the whole probe, finer than a millisecond.
    pub fn took(&self) -> Duration {
        self.steps.iter().map(|step| Duration::from_micros(step.took_us)).sum()
    }

    /// Each stage that was reached, once, with all of its time: a stage may be reached again.
    pub fn stages(&self) -> Vec<(Stage, Duration)> {
        let mut stages: Vec<(Stage, Duration)> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let took = Duration::from_micros(step.took_us);
            match stages.iter_mut().find(|(stage, _)| *stage == step.stage) {
                Some((_, all)) => *all += took,
                None => stages.push((step.stage, took)),
            }
        }
        stages
    }
}

impl Record for Answer {
    const SCHEMA: &'static str = "ims.answer/1";

    fn columns() -> &'static [&'static str] {
        &["endpoint", "instance", "level", "state", "stage", "took", "words"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.endpoint.clone(),
            self.instance.as_ref().map_or_else(dash, ToString::to_string),
            self.level.to_string(),
            self.state.to_string(),
            self.stage.map_or_else(dash, |stage| stage.to_string()),
            format!("{} ms", self.took_ms),
            self.words.clone().unwrap_or_else(dash),
        ]
    }
}

/// The present time to the millisecond, as records carry it.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

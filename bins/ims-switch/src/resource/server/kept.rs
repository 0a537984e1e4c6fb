//! What is remembered of a program that was started, until a boot.

use std::path::PathBuf;
use std::time::Duration;

use ims::layout::Stop;
use ims::sys::exec::Line;
use ims::sys::process::Process;
use serde::{Deserialize, Serialize};

/// What is remembered of a program that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The one that is asked to end.
    pub first: Option<Process>,
    /// How.
    pub stop: KeptStop,
    /// How long it may take, in milliseconds.
    pub patience_ms: u64,
    /// Whether it was asked to end, so that its end is nobody's fault.
    #[serde(default)]
    pub is_ending: bool,
}

/// How it is asked to end, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptStop {
    Signal(i32),
    SignalAll(i32),
    Drain { agents: Vec<PathBuf>, moment_ms: u64 },
    Command(Vec<String>),
}

impl From<&Stop> for KeptStop {
    fn from(stop: &Stop) -> Self {
        match stop {
            Stop::Signal(signal) => Self::Signal(*signal),
            Stop::SignalAll(signal) => Self::SignalAll(*signal),
            Stop::Drain { agents, moment } => {
                Self::Drain { agents: agents.clone(), moment_ms: ims::span::millis(*moment) }
            }
            Stop::Command(line) => {
                Self::Command(line.words().iter().map(|word| word.to_string_lossy().into_owned()).collect())
            }
        }
    }
}

impl From<KeptStop> for Stop {
    fn from(kept: KeptStop) -> Self {
        match kept {
            KeptStop::Signal(signal) => Self::Signal(signal),
            KeptStop::SignalAll(signal) => Self::SignalAll(signal),
            KeptStop::Drain { agents, moment_ms } => {
                Self::Drain { agents, moment: Duration::from_millis(moment_ms) }
            }
            KeptStop::Command(words) => Self::Command(Line::new(words)),
        }
    }
}

//! Where the milliseconds of a step go: its parts, each with when it began and how long it took.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ims::span::millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What was done.
    pub name: String,
    /// When it began, counted from the step's own beginning.
    pub at_ms: u64,
    /// How long it took.
    pub took_ms: u64,
}

/// What a step that succeeded did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Whether it changed anything.
    pub changed: bool,
    /// Where its time went.
    pub parts: Vec<Part>,
}

/// Takes the times of a step's parts, from several threads at once.
#[derive(Debug)]
pub struct Laps {
    began: Instant,
    parts: Mutex<Vec<Part>>,
}

impl Laps {
    /// Begins now.
    pub fn begin() -> Self {
        Self { began: Instant::now(), parts: Mutex::new(Vec::new()) }
    }

    /// Does one part and notes its time.
    pub fn time<T>(&self, name: impl Into<String>, part: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = part();
        self.passed(name, began);
        done
    }

    /// Notes a part that has just ended.
    pub fn passed(&self, name: impl Into<String>, began: Instant) {
        let at = began.saturating_duration_since(self.began);
        let part = Part { name: name.into(), at_ms: millis(at), took_ms: millis(began.elapsed()) };
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
    }

    /// What was done, with its parts in the order they began.
    pub fn done(self, changed: bool) -> Done {
        let mut parts = self.parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        parts.sort_by_key(|part| part.at_ms);
        Done { changed, parts }
    }
}

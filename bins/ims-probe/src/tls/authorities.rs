//! The authorities of a run: read beside the loop, for that takes some milliseconds and may hang, and read again when
//! they may be others.

use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use ims::{Exit, Fail};

use super::trust::{Source, Trust};
use crate::engine::{Hub, Job};

/// A reading under way, or over.
type Reading = Job<Result<Arc<Trust>, Fail>>;

/// What is known of them.
#[derive(Debug)]
pub struct Authorities {
    source: Source,
    known: RefCell<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    /// The round that the reading is of.
    round: u64,
    reading: Reading,
    /// What the one before has given.
    last: Option<Arc<Trust>>,
}

impl Authorities {
    /// Nothing is read yet.
    pub const fn of(source: Source) -> Self {
        Self { source, known: RefCell::new(None) }
    }

    /// Reads a file that is named before the first probe, so that a wrong one is told at once. One that cannot be read
    /// by then is waited for by the probes.
    pub fn begin(&self, hub: &Hub, deadline: Instant) -> Result<(), Fail> {
        if self.source == Source::System {
            return Ok(());
        }
        let cannot = |error: io::Error| Fail::io(Exit::Unknown, "cannot read the authorities", &error);
        let (reading, _) = self.reading(hub, 1).map_err(cannot)?;
        while !reading.is_done() && hub.now() < deadline {
            // Whatever else wakes us is there still when the loop begins.
            if hub.look(Some(deadline), &mut Vec::new()).map_err(cannot)?.signal {
                break;
            }
        }
        match reading.told() {
            Some(Err(fail)) => Err(Fail::usage(fail.to_string()).with_exit(fail.exit())),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// The authorities as of a round, or why they are not known. Half of the time until the deadline is waited for
    /// them; no time at all where those of the round before are known.
    pub async fn get(&self, hub: &Hub, round: u64, deadline: Instant) -> Result<Arc<Trust>, String> {
        let reading = self.reading(hub, round);
        let (reading, last) = reading.map_err(|error| format!("cannot start a thread: {error}"))?;
        let told = match last {
            Some(last) if !reading.is_done() => return Ok(last),
            Some(_) | None => {
                let half = hub.now() + deadline.saturating_duration_since(hub.now()) / 2;
                hub.before(half, pin!(hub.done(&reading))).await
            }
        };
        match told {
            Some(Ok(trust)) => Ok(Arc::clone(trust)),
            Some(Err(fail)) => Err(fail.to_string()),
            None => Err(match &self.source {
                Source::System => {
                    "the system's certificate authorities could not be read in time (give --ca)".to_owned()
                }
                Source::File(path) => format!("{} could not be read in time", path.display()),
            }),
        }
    }

    /// The reading of a round, and what the one before it has given. One that hangs is waited for, not begun anew; the
    /// system's store is read until that has succeeded once.
    fn reading(&self, hub: &Hub, round: u64) -> io::Result<(Reading, Option<Arc<Trust>>)> {
        let mut known = self.known.borrow_mut();
        let mut last = None;
        if let Some(known) = &*known {
            let is_over = self.source == Source::System && matches!(known.reading.told(), Some(Ok(_)));
            if known.round >= round || !known.reading.is_done() || is_over {
                return Ok((known.reading.clone(), known.last.clone()));
            }
            last = known.reading.told().and_then(|told| told.as_ref().ok()).cloned();
        }
        let (source, before) = (self.source.clone(), last.clone());
        let reading = hub.aside(move || source.read(before))?;
        *known = Some(Known { round, reading: reading.clone(), last: last.clone() });
        Ok((reading, last))
    }
}

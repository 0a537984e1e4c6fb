//! What `ims-switch react` finds and chooses, and the record of it.

use ims::name::{GroupName, ResourceName};
use ims::{Exit, State};
use jiff::Timestamp;

use super::part::Part;
use super::{Choice, Decision};

/// Something that was found and may be a fault.
pub struct Finding {
    /// The resource that it is about.
    pub resource: ResourceName,
    /// Where it was found.
    pub endpoint: String,
    /// What it is.
    pub state: State,
    /// What was said there.
    pub words: Option<String>,
    /// The round of the prober in which it was found.
    pub round: Option<u64>,
    /// When it was found, by the clock of who found it.
    pub time: Timestamp,
    /// When it was found, by ours; or why it decides nothing.
    pub heard: Result<Timestamp, String>,
}

impl Finding {
    /// What was decided about it, as a record.
    pub fn decision(
        &self,
        group: &GroupName,
        chosen: Chosen,
        status: Option<Exit>,
        dry_run: bool,
    ) -> Decision {
        Decision {
            group: group.clone(),
            resource: self.resource.clone(),
            endpoint: self.endpoint.clone(),
            state: self.state,
            words: self.words.clone(),
            decision: chosen.choice,
            reason: chosen.reason,
            status: status.map(|status| status.word().to_owned()),
            dry_run,
            time: self.time,
        }
    }
}

/// What is decided, why, and whose part it is to do it.
pub struct Chosen {
    /// What.
    pub choice: Choice,
    /// Why.
    pub reason: String,
    /// Whose part it is.
    pub part: Part,
}

impl Chosen {
    /// Nothing is done.
    pub fn nothing(reason: impl Into<String>) -> Self {
        Self { choice: Choice::Nothing, reason: reason.into(), part: Part::Ours }
    }
}

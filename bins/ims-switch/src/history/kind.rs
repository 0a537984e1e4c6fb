//! What kind of run it was, and from when to when nobody was served.

use schemars::JsonSchema;
use serde::Serialize;

use crate::journal::Told;
use crate::record::{Outcome, StepRecord};

/// The kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A move of a group that was up on a node that answered.
    Planned,
    /// The group was given over for a fault, or a node was fenced for it.
    Failover,
    /// A resource was restarted where it was.
    Restart,
    /// A group of which nothing was up on a node that answered was brought online: whether it was meant to be
    /// offline until then, the journal does not say.
    Online,
    /// A group was taken offline.
    Offline,
    /// Anything else: a resource was enabled or disabled, or the wish is one that this version does not know.
    Other,
}

impl Kind {
    /// All of them, in the order they are told.
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::Failover, Self::Restart, Self::Online, Self::Offline, Self::Other];

    /// The kind of a run, by its wish and by what was done.
    pub fn of(told: &Told) -> Self {
        let has = |verb: &str| taken(&told.steps, verb).next().is_some();
        match told.run.wish.split(' ').next().unwrap_or_default() {
            "giveover" => Self::Failover,
            "move" | "leave" | "online" if has("fence") => Self::Failover,
            "move" | "leave" if has("stop") || !has("start") => Self::Planned,
            "move" | "leave" | "online" => Self::Online,
            "restart" => Self::Restart,
            "offline" => Self::Offline,
            _ => Self::Other,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Failover => "failover",
            Self::Restart => "restart",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Other => "other",
        }
    }
}

/// Whether a step is one of this verb and was taken.
pub fn is_taken(step: &StepRecord, verb: &str) -> bool {
    step.verb == verb && step.outcome == Outcome::Done
}

/// The steps of a verb that were taken.
fn taken<'a>(steps: &'a [StepRecord], verb: &'a str) -> impl Iterator<Item = &'a StepRecord> {
    steps.iter().filter(move |step| is_taken(step, verb))
}

/// When a step ended, counted from the run's beginning; absent when it was not measured.
pub fn end_of(step: &StepRecord) -> Option<u64> {
    step.at_ms?.checked_add(step.took_ms?)
}

/// From when nobody was served, as the run knows it: from the first stop. A failover begins with nobody served, so
/// it counts from the run's beginning; one that began as a move, and whose source died on the way, from the stop.
pub fn outage_begins(told: &Told) -> Option<u64> {
    let stop = taken(&told.steps, "stop").filter_map(|step| step.at_ms).min();
    match Kind::of(told) {
        Kind::Planned | Kind::Restart => stop,
        Kind::Failover => {
            let fence = taken(&told.steps, "fence").filter_map(|step| step.at_ms).min();
            let was_up = told.run.wish != "giveover";
            let died_on_the_way = was_up && stop < fence;
            Some(stop.filter(|_| died_on_the_way).unwrap_or(0))
        }
        Kind::Online | Kind::Offline | Kind::Other => None,
    }
}

/// How long nobody was served, to the end of the last start; absent where the run left nothing online, or was not
/// measured.
pub fn outage_ms(told: &Told) -> Option<u64> {
    told.run.online_on.as_ref()?;
    let end = taken(&told.steps, "start").filter_map(end_of).max()?;
    end.checked_sub(outage_begins(told)?)
}

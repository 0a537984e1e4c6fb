//! Where the time of a run went, as a record.

use ims::Record;
use ims::name::{GroupName, NodeName, ResourceName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::kind::{Kind, outage_ms};
use super::path::path;
use crate::journal::Told;

/// A run's critical path: the chain of steps, each waiting for the one before, that its length is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Timeline {
    /// The run's name; absent when nothing was done.
    pub run: Option<String>,
    /// The group.
    pub group: GroupName,
    /// The kind of run.
    pub kind: Kind,
    /// When it began.
    pub time: Timestamp,
    /// How long it took until its last step ended.
    pub length_ms: u64,
    /// How long nobody was served, as far as the run knows; absent where the group was not online at its end.
    pub outage_ms: Option<u64>,
    /// The part of the length that no step took: between two steps, and before the first.
    pub between_ms: u64,
    /// The steps, in the order of their numbers.
    pub steps: Vec<Weighed>,
}

/// What a step is to the length of its run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Weighed {
    /// Its number in the run.
    pub step: usize,
    /// The node.
    pub node: NodeName,
    /// What is done.
    pub verb: String,
    /// The resource; absent for what is done to the whole group or to a node.
    pub resource: Option<ResourceName>,
    /// Its time on the critical path; 0 beside it.
    pub critical_ms: u64,
    /// Its share of the run's length, in percent, rounded down; 0 beside the critical path.
    pub share_percent: u64,
    /// How much shorter the outage would be if it took no time.
    pub saves_ms: u64,
}

impl Timeline {
    /// The timeline of a run.
    pub fn of(told: &Told) -> Self {
        let path = path(told);
        let share = |ms: u64| ms.saturating_mul(100).checked_div(path.length_ms).unwrap_or(0);
        let steps = told.steps.iter().zip(&path.weights).map(|(step, weight)| Weighed {
            step: step.step,
            node: step.node.clone(),
            verb: step.verb.clone(),
            resource: step.resource.clone(),
            critical_ms: weight.critical_ms,
            share_percent: share(weight.critical_ms),
            saves_ms: weight.saves_ms,
        });
        Self {
            run: told.run.run.clone(),
            group: told.run.group.clone(),
            kind: Kind::of(told),
            time: told.run.time,
            length_ms: path.length_ms,
            outage_ms: outage_ms(told),
            between_ms: path.between_ms,
            steps: steps.collect(),
        }
    }

    /// What the outage is made of, as a sentence: the steps that would shorten it, the most first.
    pub fn words(&self) -> Option<String> {
        let outage = self.outage_ms?;
        let mut steps: Vec<&Weighed> = self.steps.iter().filter(|step| step.saves_ms > 0).collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.saves_ms));
        let named: Vec<String> =
            steps.iter().take(3).map(|step| format!("{} {} ms", step.name(), step.saves_ms)).collect();
        let of = if named.is_empty() {
            String::new()
        } else {
            format!("; quicker steps would save: {}", named.join(", "))
        };
        Some(format!("outage {outage} ms{of}"))
    }
}

impl Weighed {
    /// The step as a reader says it: `stop ldap`.
    pub fn name(&self) -> String {
        self.resource
            .as_ref()
            .map_or_else(|| self.verb.clone(), |resource| format!("{} {resource}", self.verb))
    }
}

/// Drawn, and not shown as a table.
impl Record for Timeline {
    const SCHEMA: &'static str = "ims.timeline/1";
}

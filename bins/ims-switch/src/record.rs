//! What the command prints.

use std::collections::BTreeMap;

use ims::name::{GroupName, NodeName, ResourceName};
use ims::{Record, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lap::Part;
use crate::marks::Mark;

fn dash() -> String {
    "-".to_owned()
}

fn ms(ms: Option<u64>) -> String {
    ms.map_or_else(dash, |ms| format!("{ms} ms"))
}

/// A reason and what was said, in one cell of a table.
fn with_marks(reason: Option<&String>, marks: &[(&str, Option<&Mark>)]) -> String {
    let marks = marks.iter().filter_map(|(word, mark)| Some(format!("{word} {}", (*mark)?)));
    let words: Vec<String> = reason.cloned().into_iter().chain(marks).collect();
    if words.is_empty() { dash() } else { words.join("; ") }
}

/// A resource on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResourceRecord {
    /// Its group.
    pub group: GroupName,
    /// Its name.
    pub resource: ResourceName,
    /// Its type, as in the group file.
    #[serde(rename = "type")]
    pub kind: String,
    /// The node it was looked at on.
    pub node: NodeName,
    /// Its state there.
    pub state: State,
    /// What makes the state so, when it is not plain.
    pub reason: Option<String>,
    /// Who said that it is neither started nor watched.
    pub disabled: Option<Mark>,
    /// Who gave its fault up.
    pub faulted: Option<Mark>,
}

impl Record for ResourceRecord {
    const SCHEMA: &'static str = "ims.resource/1";

    fn columns() -> &'static [&'static str] {
        &["group", "resource", "type", "node", "state", "reason"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.group.to_string(),
            self.resource.to_string(),
            self.kind.clone(),
            self.node.to_string(),
            self.state.to_string(),
            with_marks(
                self.reason.as_ref(),
                &[("disabled", self.disabled.as_ref()), ("faulted", self.faulted.as_ref())],
            ),
        ]
    }
}

/// A group on all of its nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupRecord {
    /// Its name.
    pub group: GroupName,
    /// Up when all of it is up on one node and none of it on another.
    pub state: State,
    /// The node it is online on.
    pub online_on: Option<NodeName>,
    /// Its nodes that did not answer.
    pub lost: Vec<NodeName>,
    /// What is not as it should be.
    pub reason: Option<String>,
    /// Who said that it is neither moved, started nor stopped.
    pub frozen: Option<Mark>,
    /// The nodes that it failed on within its ping-pong interval.
    pub failed_on: BTreeMap<NodeName, Mark>,
}

impl Record for GroupRecord {
    const SCHEMA: &'static str = "ims.group/1";

    fn columns() -> &'static [&'static str] {
        &["group", "state", "online_on", "reason"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.group.to_string(),
            self.state.to_string(),
            self.online_on.as_ref().map_or_else(dash, ToString::to_string),
            {
                let words: Vec<String> =
                    self.failed_on.keys().map(|node| format!("failed on {node}")).collect();
                let failed = words.iter().zip(self.failed_on.values());
                let failed = failed.map(|(words, mark)| (words.as_str(), Some(mark)));
                let marks: Vec<_> = [("frozen", self.frozen.as_ref())].into_iter().chain(failed).collect();
                with_marks(self.reason.as_ref(), &marks)
            },
        ]
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It would be taken.
    Planned,
    /// It began, and nothing was heard of its end: the run was killed.
    Begun,
    /// It was taken.
    Done,
    /// It failed, or what came of it could not be found out.
    Failed,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A step of a run, or one that would be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// The run; absent in a plan.
    pub run: Option<String>,
    /// The group.
    pub group: GroupName,
    /// Its number in the run, from 1.
    pub step: usize,
    /// The node it is taken on, or that is fenced.
    pub node: NodeName,
    /// The resource; absent for what is done to the whole group or to a node.
    pub resource: Option<ResourceName>,
    /// What is done: `reach`, `lock`, `look`, `check`, `sync`, `fence`, `stop`, `start`.
    pub verb: String,
    /// The command line, as an operator would type it on that node.
    pub command: Option<String>,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// The steps that it waits for.
    #[serde(default)]
    pub after: Vec<usize>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether it changed anything.
    #[serde(default)]
    pub changed: bool,
    /// When it began, counted from the beginning of the run.
    pub at_ms: Option<u64>,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// What went wrong.
    pub message: Option<String>,
    /// Where its time went.
    #[serde(default)]
    pub parts: Vec<Part>,
}

impl Record for StepRecord {
    const SCHEMA: &'static str = "ims.step/1";

    fn columns() -> &'static [&'static str] {
        &["step", "node", "verb", "resource", "after", "outcome", "at", "took", "command"]
    }

    fn row(&self) -> Vec<String> {
        let after: Vec<String> = self.after.iter().map(ToString::to_string).collect();
        vec![
            self.step.to_string(),
            self.node.to_string(),
            self.verb.clone(),
            self.resource.as_ref().map_or_else(dash, ToString::to_string),
            if after.is_empty() { dash() } else { after.join(",") },
            self.outcome.word().to_owned(),
            ms(self.at_ms),
            ms(self.took_ms),
            self.message.clone().or_else(|| self.command.clone()).unwrap_or_else(dash),
        ]
    }
}

/// A run: what was wished, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// The run's name; absent when nothing was done.
    pub run: Option<String>,
    /// The group.
    pub group: GroupName,
    /// What was wished, as on the command line.
    pub wish: String,
    /// When it began.
    pub time: Timestamp,
    /// How long it took; absent when it was killed.
    pub took_ms: Option<u64>,
    /// From the beginning of its first stop to the end of its last start: what clients had to wait.
    pub gap_ms: Option<u64>,
    /// Whether it changed anything.
    #[serde(default)]
    pub changed: bool,
    /// Whether it only showed its plan.
    #[serde(default)]
    pub dry_run: bool,
    /// The exit status as a word; absent when it was killed.
    pub status: Option<String>,
    /// Where the group was online at its end.
    pub online_on: Option<NodeName>,
    /// What went wrong.
    pub message: Option<String>,
}

impl Record for RunRecord {
    const SCHEMA: &'static str = "ims.run/1";

    fn columns() -> &'static [&'static str] {
        &["run", "group", "wish", "time", "took", "gap", "changed", "status", "online_on", "message"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.run.clone().unwrap_or_else(dash),
            self.group.to_string(),
            self.wish.clone(),
            self.time.to_string(),
            ms(self.took_ms),
            ms(self.gap_ms),
            match (self.changed, self.dry_run) {
                (false, _) => "no",
                (true, true) => "would be",
                (true, false) => "yes",
            }
            .to_owned(),
            self.status.clone().unwrap_or_else(|| "killed".to_owned()),
            self.online_on.as_ref().map_or_else(dash, ToString::to_string),
            self.message.clone().unwrap_or_else(dash),
        ]
    }
}

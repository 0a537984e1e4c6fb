//! What a rehearsal tells.

use ims::name::{GroupName, NodeName, ResourceName};
use ims::{Exit, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was found of one thing that a move depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is as a move needs it.
    Good,
    /// A move would fail by it.
    Obstacle,
    /// It could not be found out.
    Unknown,
    /// Only a move shows it.
    NotChecked,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Obstacle => "obstacle",
            Self::Unknown => "unknown",
            Self::NotChecked => "not-checked",
        }
    }

    /// The exit status that it stands for; what only a move shows says nothing.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Good | Self::NotChecked => Exit::Ok,
            Self::Obstacle => Exit::No,
            Self::Unknown => Exit::Unknown,
        }
    }
}

/// One thing that a move depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The resource that needs it; none where the whole group does.
    pub resource: Option<ResourceName>,
    /// What it is.
    pub subject: String,
    /// What was found.
    pub verdict: Verdict,
    /// What makes it so.
    pub reason: Option<String>,
}

impl Point {
    /// A thing that was found so.
    pub fn new(resource: Option<&ResourceName>, subject: impl Into<String>, verdict: Verdict) -> Self {
        Self { resource: resource.cloned(), subject: subject.into(), verdict, reason: None }
    }

    /// The same with what makes it so.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

/// What a rehearsal found of one thing that a move depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsalRecord {
    /// The group.
    pub group: GroupName,
    /// The node that would get it.
    pub node: NodeName,
    /// The resource that needs it; null where the whole group does.
    pub resource: Option<ResourceName>,
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub verdict: Verdict,
    /// What makes it so.
    pub reason: Option<String>,
}

impl Record for RehearsalRecord {
    const SCHEMA: &'static str = "ims.rehearsal/1";

    fn columns() -> &'static [&'static str] {
        &["group", "node", "resource", "subject", "verdict", "reason"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.group.to_string(),
            self.node.to_string(),
            self.resource.as_ref().map_or_else(dash, ToString::to_string),
            self.subject.clone(),
            self.verdict.word().to_owned(),
            self.reason.clone().unwrap_or_else(dash),
        ]
    }
}

//! What was said, as a record.

use ims::Record;
use ims::name::{GroupName, NodeName, ResourceName};
use schemars::JsonSchema;
use serde::Serialize;

use super::Mark;

/// What can be said of a group or a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// The group is neither moved, started nor stopped.
    Frozen,
    /// The resource is neither started nor watched.
    Disabled,
    /// The resource's fault was given up.
    Faulted,
    /// The group failed on a node, and is not given over to it until its ping-pong interval is over.
    Failed,
}

impl Sort {
    const fn word(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Disabled => "disabled",
            Self::Faulted => "faulted",
            Self::Failed => "failed",
        }
    }
}

/// What was said of a group or of one of its resources, or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MarkRecord {
    /// The group.
    pub group: GroupName,
    /// The resource; absent when it is said of the group.
    pub resource: Option<ResourceName>,
    /// The node that the group failed on; absent when it is said of the group on every node.
    pub failed_on: Option<NodeName>,
    /// What is said.
    pub mark: Sort,
    /// Whether it outlasts a restart of the nodes.
    pub persistent: bool,
    /// Whether this run changed it.
    pub changed: bool,
    /// Whether it was only shown.
    pub dry_run: bool,
    /// Who said it; absent when it does not hold (any more).
    pub said: Option<Mark>,
    /// Nodes that could not be reached and were not told.
    pub lost: Vec<NodeName>,
}

impl Record for MarkRecord {
    const SCHEMA: &'static str = "ims.mark/1";

    fn columns() -> &'static [&'static str] {
        &["group", "resource", "failed_on", "mark", "holds", "changed", "said"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.group.to_string(),
            self.resource.as_ref().map_or_else(dash, ToString::to_string),
            self.failed_on.as_ref().map_or_else(dash, ToString::to_string),
            self.mark.word().to_owned(),
            if self.said.is_some() { "yes" } else { "no" }.to_owned(),
            match (self.changed, self.dry_run) {
                (false, _) => "no",
                (true, true) => "would be",
                (true, false) => "yes",
            }
            .to_owned(),
            self.said.as_ref().map_or_else(dash, ToString::to_string),
        ]
    }
}

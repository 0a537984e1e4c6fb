//! A group and its dependencies as they are drawn, and as a record.

use ims::group::{Group, Kind, Resource};
use ims::name::{GroupName, NodeName, ResourceName};
use ims::{Record, State};
use schemars::JsonSchema;
use serde::Serialize;

use crate::drive::team::Details;

/// A group and what each of its resources requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupGraph {
    /// The group.
    pub group: GroupName,
    /// Whether this node has its file; of a group that is only required by another there may be none.
    pub is_here: bool,
    /// The nodes it may run on, in the order of preference.
    pub nodes: Vec<NodeName>,
    /// The groups that must be online before it is started.
    pub requires_groups: Vec<GroupName>,
    /// Its resources in an order in which they can be started.
    pub resources: Vec<ResourceGraph>,
}

/// A resource and what it requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResourceGraph {
    /// The resource.
    pub resource: ResourceName,
    /// Its type, as in the group file.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its address, device, instance or program; nothing of an OCF agent, whose parameters may be secrets.
    pub says: Vec<String>,
    /// Whether it is only looked at, and may be up on every node at once.
    pub persistent: bool,
    /// The resources of the group that must be up on the same node before it is started.
    pub requires: Vec<ResourceName>,
    /// Its state over all nodes, where it was looked at: up when it is up anywhere, down when it is down everywhere.
    pub state: Option<State>,
    /// The nodes on which it is up, where it was looked at.
    pub up_on: Vec<NodeName>,
}

impl GroupGraph {
    /// A group as its file describes it, and as it was found when it was looked at.
    pub fn of(group: &Group, details: Option<&Details>) -> Self {
        let resources = group.resources.iter().map(|resource| {
            let states: Vec<(&NodeName, State)> = details.map_or_else(Vec::new, |details| {
                let on = |node| details.get(node).and_then(|looked| looked.get(&resource.name));
                let state = |node| on(node).map_or(State::Unknown, |(state, _)| *state);
                group.nodes.iter().map(|node| (node, state(node))).collect()
            });
            let up_on = states.iter().filter(|(_, state)| *state == State::Up);
            ResourceGraph {
                resource: resource.name.clone(),
                kind: resource.kind.word(),
                says: says(resource),
                persistent: resource.kind.is_persistent(),
                requires: resource.requires.clone(),
                state: (!states.is_empty()).then(|| over_all(states.iter().map(|(_, state)| *state))),
                up_on: up_on.map(|(node, _)| (*node).clone()).collect(),
            }
        });
        Self {
            group: group.name.clone(),
            is_here: true,
            nodes: group.nodes.clone(),
            requires_groups: group.requires_groups.clone(),
            resources: resources.collect(),
        }
    }

    /// A group that another requires and that this node has no file of.
    pub fn elsewhere(group: GroupName) -> Self {
        Self { group, is_here: false, nodes: Vec::new(), requires_groups: Vec::new(), resources: Vec::new() }
    }

    /// What stands below its name in a drawing.
    pub fn below(&self) -> String {
        if !self.is_here {
            return "no file on this node".to_owned();
        }
        let nodes: Vec<&str> = self.nodes.iter().map(NodeName::as_str).collect();
        nodes.join(", ")
    }

    /// The resources that no other requires: the tops of its trees.
    pub fn tops(&self) -> impl Iterator<Item = &ResourceGraph> {
        let is_required =
            |one: &ResourceGraph| self.resources.iter().any(|r| r.requires.contains(&one.resource));
        self.resources.iter().rev().filter(move |one| !is_required(one))
    }

    /// The resource of that name.
    pub fn get(&self, name: &ResourceName) -> Option<&ResourceGraph> {
        self.resources.iter().find(|one| &one.resource == name)
    }
}

impl ResourceGraph {
    /// What stands below its name in a drawing: its type, what it says, its state.
    pub fn lines(&self) -> Vec<String> {
        let kind = if self.persistent { format!("{} (persistent)", self.kind) } else { self.kind.clone() };
        std::iter::once(kind).chain(self.says.iter().map(|says| printable(says))).chain(self.told()).collect()
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let says = self.says.iter().map(|says| printable(says));
        let words: Vec<String> = std::iter::once(self.kind.clone()).chain(says).collect();
        let persistent = if self.persistent { " (persistent)" } else { "" };
        let told = self.told().map(|told| format!(", {told}")).unwrap_or_default();
        format!("{}: {}{persistent}{told}", self.resource, words.join(" "))
    }

    /// Its state in words, where it was looked at.
    fn told(&self) -> Option<String> {
        let state = self.state?;
        let nodes: Vec<&str> = self.up_on.iter().map(NodeName::as_str).collect();
        Some(if nodes.is_empty() { state.to_string() } else { format!("{state} on {}", nodes.join(", ")) })
    }
}

/// Up where it is up anywhere; else down when no node has anything else.
fn over_all(states: impl Iterator<Item = State> + Clone) -> State {
    if states.clone().any(|state| state == State::Up) { State::Up } else { State::of_parts(states) }
}

/// Control characters have no shape.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a resource is about. Of command lines the program alone: arguments and parameters may be secrets.
fn says(resource: &Resource) -> Vec<String> {
    match &resource.kind {
        Kind::Nic { device } => vec![device.clone()],
        Kind::LogicalIp { address, device } => vec![format!("{address} on {device}")],
        Kind::DiskGroup { layers } => layers.iter().map(ToString::to_string).collect(),
        Kind::Volume(volume) => {
            vec![volume.device.display().to_string(), format!("at {}", volume.mount.display())]
        }
        Kind::DirectoryServer { instance } => vec![instance.to_string()],
        Kind::MessagingServer { instance } => vec![instance.to_string()],
        Kind::Command(commands) => commands.start.first().cloned().into_iter().collect(),
        Kind::Ocf(_) => Vec::new(),
    }
}

impl Record for GroupGraph {
    const SCHEMA: &'static str = "ims.graph/1";

    fn columns() -> &'static [&'static str] {
        &["group", "nodes", "requires groups", "resources"]
    }

    fn row(&self) -> Vec<String> {
        let groups: Vec<&str> = self.requires_groups.iter().map(GroupName::as_str).collect();
        let resources: Vec<&str> = self.resources.iter().map(|one| one.resource.as_str()).collect();
        vec![self.group.to_string(), self.below(), groups.join(", "), resources.join(", ")]
    }
}

//! Steps put in order: stops from the top of the graph down, starts from its bottom up, and nothing started
//! anywhere before it is stopped everywhere else.

use std::collections::{BTreeMap, BTreeSet};

use ims::State;
use ims::group::{Group, Kind};
use ims::name::{NodeName, ResourceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::found::Found;
use crate::plan::line;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Makes sure that a node that cannot be reached does nothing any more.
    Fence,
    /// Stops a resource.
    Stop,
    /// Starts a resource.
    Start,
}

impl Verb {
    /// The word for people and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The node it is done on, or the node that is fenced.
    pub node: NodeName,
    /// The resource; none when a node is fenced.
    pub resource: Option<ResourceName>,
    /// What is done.
    pub verb: Verb,
    /// The steps that must have succeeded before, by their place in the plan.
    pub after: Vec<usize>,
    /// Why, in words.
    pub why: String,
    /// What the step's command line depends on besides the resource.
    pub hints: Hints,
    /// The command line, as an operator would type it on that node.
    pub command: String,
}

/// What the plan knows and a step's command line should use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// How long to listen for somebody else's answer before an address is put up; none for the usual time.
    pub probe_wait_ms: Option<u64>,
    /// Whether somebody said that a mirror may be started without legs that are missing or stale.
    #[serde(default)]
    pub degraded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Up,
    Down,
    Again,
}

/// What is wanted of each resource on each node, and why.
#[derive(Debug, Default)]
pub struct Want(BTreeMap<(NodeName, ResourceName), (Goal, String)>);

impl Want {
    fn set(&mut self, node: &NodeName, resource: &ResourceName, goal: Goal, why: impl Into<String>) {
        self.0.insert((node.clone(), resource.clone()), (goal, why.into()));
    }

    /// It must be up.
    pub fn up(&mut self, node: &NodeName, resource: &ResourceName, why: impl Into<String>) {
        self.set(node, resource, Goal::Up, why);
    }

    /// It must be down.
    pub fn down(&mut self, node: &NodeName, resource: &ResourceName, why: impl Into<String>) {
        self.set(node, resource, Goal::Down, why);
    }

    /// It must be stopped, unless it is down, and started.
    pub fn again(&mut self, node: &NodeName, resource: &ResourceName, why: impl Into<String>) {
        self.set(node, resource, Goal::Again, why);
    }

    /// Whether any resource must be started, those aside that are only looked at.
    pub fn starts(&self, group: &Group, found: &Found) -> bool {
        self.0.iter().any(|((node, resource), (goal, _))| {
            let is_started = group.get(resource).is_some_and(|resource| !resource.kind.is_persistent());
            is_started && is_start(*goal, found.state(node, resource))
        })
    }
}

fn is_start(goal: Goal, state: State) -> bool {
    match goal {
        Goal::Up => state != State::Up,
        Goal::Again => true,
        Goal::Down => false,
    }
}

fn is_stop(goal: Goal, state: State) -> bool {
    match goal {
        Goal::Down | Goal::Again => state != State::Down,
        Goal::Up => false,
    }
}

/// The places of steps in the plan that is being made.
#[derive(Default)]
struct Places<'a> {
    stops: BTreeMap<(&'a NodeName, &'a ResourceName), usize>,
    starts: BTreeMap<(&'a NodeName, &'a ResourceName), usize>,
}

/// Turns what is wanted into steps, each with those it waits for.
pub fn ordered(group: &Group, found: &Found, want: &Want, fence: &[&NodeName]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for node in fence {
        steps.push(Step {
            node: (*node).clone(),
            resource: None,
            verb: Verb::Fence,
            after: Vec::new(),
            why: format!("{node} cannot be reached, and what runs there is unknown"),
            hints: Hints::default(),
            command: format!("ims-switch fence {node}"),
        });
    }
    let fences: Vec<usize> = (0..steps.len()).collect();
    let mut places = Places::default();
    for (node, _) in found.nodes() {
        for resource in group.resources.iter().rev() {
            let Some((goal, why)) = want.0.get(&(node.clone(), resource.name.clone())) else { continue };
            if !is_stop(*goal, found.state(node, &resource.name)) || resource.kind.is_persistent() {
                continue;
            }
            let mut after = nearest(
                &resource.name,
                |name| places.stops.get(&(node, name)).copied(),
                |name| group.dependents(name).map(|dependent| &dependent.name).collect(),
            );
            // A fencing may take long or fail: then nothing was stopped for it yet.
            if after.is_empty() {
                after.clone_from(&fences);
            }
            places.stops.insert((node, &resource.name), steps.len());
            steps.push(step(group, node, &resource.name, Verb::Stop, after, why, Hints::default()));
        }
    }
    for (node, _) in found.nodes() {
        for resource in &group.resources {
            let Some((goal, why)) = want.0.get(&(node.clone(), resource.name.clone())) else { continue };
            if !is_start(*goal, found.state(node, &resource.name)) {
                continue;
            }
            let mut after: BTreeSet<usize> = nearest(
                &resource.name,
                |name| places.starts.get(&(node, name)).copied(),
                |name| group.get(name).map(|r| r.requires.iter().collect()).unwrap_or_default(),
            )
            .into_iter()
            .collect();
            // On this node it is stopped first when it is started anew; on the others because one node alone has it.
            let stopped: Vec<usize> = found
                .nodes()
                .filter_map(|(other, _)| places.stops.get(&(other, &resource.name)).copied())
                .collect();
            let degraded = matches!(&resource.kind, Kind::Volume(volume) if volume.degraded_start);
            let hints = Hints { degraded, ..hints(found, &stopped, fence) };
            // What requires it here and is stopped must be so before.
            let above = nearest(
                &resource.name,
                |name| places.stops.get(&(node, name)).copied(),
                |name| group.dependents(name).map(|dependent| &dependent.name).collect(),
            );
            after.extend(stopped);
            after.extend(above);
            after.extend(&fences);
            places.starts.insert((node, &resource.name), steps.len());
            let after = after.into_iter().collect();
            steps.push(step(group, node, &resource.name, Verb::Start, after, why, hints));
        }
    }
    steps
}

/// What a start may rely on: an address that its holder has just given up, or held when it was fenced, needs no long
/// listening.
fn hints(found: &Found, stopped: &[usize], fence: &[&NodeName]) -> Hints {
    let was_fenced = found.nodes().any(|(_, seen)| matches!(seen, crate::found::Seen::Fenced));
    let probe_wait_ms = match (stopped.is_empty(), fence.is_empty() && !was_fenced) {
        (false, true) => Some(12),
        (_, false) => Some(200),
        (true, true) => None,
    };
    Hints { probe_wait_ms, ..Hints::default() }
}

fn step(
    group: &Group,
    node: &NodeName,
    resource: &ResourceName,
    verb: Verb,
    after: Vec<usize>,
    why: &str,
    hints: Hints,
) -> Step {
    let command =
        group.get(resource).map(|found| line::of(group, found, verb, &hints).to_string()).unwrap_or_default();
    Step {
        node: node.clone(),
        resource: Some(resource.clone()),
        verb,
        after,
        why: why.to_owned(),
        hints,
        command,
    }
}

/// The nearest neighbours of a resource in the graph that have a step, looked for beyond those that have none.
fn nearest<'a>(
    name: &'a ResourceName,
    place: impl Fn(&'a ResourceName) -> Option<usize>,
    next: impl Fn(&'a ResourceName) -> Vec<&'a ResourceName>,
) -> Vec<usize> {
    let mut found = BTreeSet::new();
    let mut seen: BTreeSet<&ResourceName> = BTreeSet::new();
    let mut waiting = next(name);
    while let Some(name) = waiting.pop() {
        if !seen.insert(name) {
            continue;
        }
        match place(name) {
            Some(place) => drop(found.insert(place)),
            None => waiting.extend(next(name)),
        }
    }
    found.into_iter().collect()
}

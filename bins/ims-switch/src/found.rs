//! What was found of a group on each of its nodes.

use std::collections::BTreeMap;

use ims::State;
use ims::group::{Group, Resource};
use ims::name::{NodeName, ResourceName};

use crate::around::Around;

/// The states of a group's resources on one node.
pub type States = BTreeMap<ResourceName, State>;

/// What is known of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It answered.
    Reached(States),
    /// It did not answer, and nobody knows what runs there.
    Lost {
        /// Why, in words.
        why: String,
        /// Whether there is a fence agent for it.
        can_be_fenced: bool,
    },
    /// It was fenced, and that was confirmed: nothing of the group is up there.
    Fenced,
}

/// What is known of every node of a group, in the group's order of preference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    nodes: Vec<(NodeName, Seen)>,
    around: Box<Around>,
}

impl Found {
    /// What is known, in the group's order of preference.
    pub fn new(nodes: Vec<(NodeName, Seen)>) -> Self {
        Self { nodes, around: Box::default() }
    }

    /// The same with what else decides where the group may be.
    #[must_use]
    pub fn amid(self, around: Around) -> Self {
        Self { around: Box::new(around), ..self }
    }

    /// What else decides where the group may be.
    pub const fn around(&self) -> &Around {
        &self.around
    }

    /// Notes why a node cannot have the group, though it answers and nothing around the group forbids it.
    pub fn pass_over(&mut self, node: &NodeName, why: String) {
        self.around.unfit.insert(node.clone(), why);
    }

    /// The nodes and what is known of each.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeName, &Seen)> {
        self.nodes.iter().map(|(name, seen)| (name, seen))
    }

    /// The nodes that answered.
    pub fn reached(&self) -> impl Iterator<Item = (&NodeName, &States)> {
        self.nodes.iter().filter_map(|(name, seen)| match seen {
            Seen::Reached(states) => Some((name, states)),
            Seen::Lost { .. } | Seen::Fenced => None,
        })
    }

    /// What is known of a node.
    pub fn get(&self, node: &NodeName) -> Option<&Seen> {
        self.nodes.iter().find(|(name, _)| name == node).map(|(_, seen)| seen)
    }

    /// Notes that a node was fenced.
    pub fn fenced(&mut self, node: &NodeName) {
        for (name, seen) in &mut self.nodes {
            if name == node {
                *seen = Seen::Fenced;
            }
        }
    }

    /// The state of a resource on a node; unknown where nothing is known.
    pub fn state(&self, node: &NodeName, resource: &ResourceName) -> State {
        match self.get(node) {
            Some(Seen::Reached(states)) => states.get(resource).copied().unwrap_or(State::Unknown),
            Some(Seen::Fenced) => State::Down,
            Some(Seen::Lost { .. }) | None => State::Unknown,
        }
    }
}

/// The state of a group on one node: up when all of it is, down when nothing of it is but what may be up on
/// every node at once. A resource that is disabled counts only where it is not down.
pub fn state_on(group: &Group, states: &States) -> State {
    let of = |name| states.get(name).copied().unwrap_or(State::Unknown);
    let (shared, own): (Vec<&Resource>, Vec<&Resource>) = group
        .resources
        .iter()
        .filter(|resource| counts(resource, states))
        .partition(|resource| resource.kind.is_persistent());
    let has_shared = !shared.is_empty();
    let own = State::of_parts(own.into_iter().map(|r| of(&r.name)));
    let shared = State::of_parts(shared.into_iter().map(|r| of(&r.name)));
    match (own, shared) {
        (State::Up, State::Down | State::Partial) if has_shared => State::Partial,
        (State::Up, State::Unknown) => State::Unknown,
        (own, _) => own,
    }
}

/// A resource that is disabled does not, unless something of it may still be there.
fn counts(resource: &Resource, states: &States) -> bool {
    let is_gone = resource.kind.is_persistent() || states.get(&resource.name) == Some(&State::Down);
    !(resource.is_disabled && is_gone)
}

//! What else decides where a group may be: the groups it is kept together with or apart from, how much a node has to
//! give, and faults of late. Pure: what was found is judged by [`Around::standing`], and nothing is looked at.

pub mod neighbour;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ims::State;
use ims::group::Group;
use ims::load::Load;
use ims::name::{GroupName, NodeName};
use serde::{Deserialize, Serialize};

use crate::marks::Mark;
pub use neighbour::{Bond, Neighbour};
pub use standing::{Against, Asker, Standing};

/// What is around a group on its nodes. Where nothing is, every node is as good as its place in the group's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The other groups that bear on where it may be.
    pub neighbours: Vec<Neighbour>,
    /// What each node has to give, of those where that is said.
    pub capacity: BTreeMap<NodeName, Load>,
    /// The nodes that it failed on within its ping-pong interval, each with who noted that.
    pub faults: BTreeMap<NodeName, Mark>,
    /// The nodes that were asked and cannot take it, each with why. This run alone knows of them.
    #[serde(skip)]
    pub unfit: BTreeMap<NodeName, String>,
}

impl Around {
    /// The other groups that must be asked for on a node, to know what is there.
    pub fn asked_on(&self, node: &NodeName) -> Vec<GroupName> {
        let may_be_there = |other: &&Neighbour| other.nodes.contains(node);
        self.neighbours.iter().filter(may_be_there).map(|other| other.name.clone()).collect()
    }

    /// Notes what the other groups are on a node. What is not told of stays unknown.
    pub fn found_on(&mut self, node: &NodeName, states: &BTreeMap<GroupName, State>) {
        for other in &mut self.neighbours {
            if let Some(state) = states.get(&other.name) {
                other.on.insert(node.clone(), *state);
            }
        }
    }

    /// Leaves out what groups that go along would be held for, or hold.
    #[must_use]
    pub fn without_bonds_with(mut self, along: &[GroupName]) -> Self {
        for other in self.neighbours.iter_mut().filter(|other| along.contains(&other.name)) {
            other.bonds.retain(|bond| !matches!(bond, Bond::Followed));
        }
        self
    }

    /// Takes it that these groups are where they are wanted: a run that was only shown would bring them there before.
    #[must_use]
    pub fn without(mut self, shown: &[GroupName]) -> Self {
        self.neighbours.retain(|other| !shown.contains(&other.name));
        self
    }

    /// Whether the start of the group on a node must be settled with other runs: no two may take the same room.
    pub const fn is_shared(&self) -> bool {
        !self.neighbours.is_empty()
    }

    /// What a group asks of a node together with all that is, or may be, there besides, of one amount.
    fn used(&self, group: &Group, node: &NodeName, amount: &str) -> u64 {
        let there = self.neighbours.iter().filter(|other| other.may_be_on(node));
        there.fold(group.load.get(amount), |sum, other| sum.saturating_add(other.load.get(amount)))
    }
}

//! The other groups of a node, as far as they bear on where one may be: from the group files alone.

use std::collections::BTreeMap;

use ims::State;
use ims::group::Group;
use ims::load::Load;
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;
use serde::{Deserialize, Serialize};

use super::Around;

/// How another group bears on where this one may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bond {
    /// This one may only be where that one is online.
    With,
    /// That one may only be where this one is online.
    Followed,
    /// The two may not be on one node, by the file of this one.
    Apart,
    /// The same by the file of that one.
    KeptApart,
    /// This one would rather be where that one is online.
    RatherWith,
    /// This one would rather be where that one is not.
    RatherApart,
}

/// Another group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its name.
    pub name: GroupName,
    /// The nodes that it may be on.
    pub nodes: Vec<NodeName>,
    /// How it bears on where this one may be, its load aside.
    pub bonds: Vec<Bond>,
    /// What it asks of the node it is on.
    pub load: Load,
    /// Whether its file could be read: of one that could not be nothing is known.
    pub is_known: bool,
    /// Its state on the nodes that were asked; on its way to a node it is partial there.
    pub on: BTreeMap<NodeName, State>,
}

impl Neighbour {
    /// Its state on a node: down where it never is, unknown where nobody told.
    pub fn state_on(&self, node: &NodeName) -> State {
        match self.on.get(node) {
            Some(state) => *state,
            None if self.is_known && !self.nodes.contains(node) => State::Down,
            None => State::Unknown,
        }
    }

    /// Whether it is, or may be, on a node.
    pub fn may_be_on(&self, node: &NodeName) -> bool {
        self.state_on(node) != State::Down
    }

    /// The first node that it is up on.
    pub fn up_on(&self) -> Option<&NodeName> {
        self.on.iter().find(|(_, state)| **state == State::Up).map(|(node, _)| node)
    }
}

impl Around {
    /// What is around a group by the files of a node: its other groups, each read or not, and what its nodes have to
    /// give. Where the groups are is not known yet.
    pub fn of(group: &Group, others: &[(GroupName, Option<Group>)], nodes: &Nodes) -> Self {
        let said = |node: &NodeName| Some((node.clone(), nodes.get(node)?.capacity.clone()));
        let is_said = |(_, capacity): &(NodeName, Load)| !capacity.is_empty();
        let capacity: BTreeMap<NodeName, Load> =
            group.nodes.iter().filter_map(said).filter(is_said).collect();
        let named = group.bonds.lists().into_iter().flat_map(|(_, names)| names);
        let missing = named.filter(|name| !others.iter().any(|(other, _)| other == *name));
        let missing = missing.map(|name| (name.clone(), None)).collect::<Vec<_>>();
        let neighbours = others
            .iter()
            .chain(&missing)
            .filter(|(name, _)| *name != group.name)
            .map(|(name, other)| neighbour(group, name, other.as_ref()))
            .filter(|other| {
                let takes_room = capacity.keys().any(|node| !other.is_known || other.nodes.contains(node));
                takes_room || !other.bonds.is_empty()
            })
            .collect();
        Self { neighbours, capacity, ..Self::default() }
    }
}

fn neighbour(group: &Group, name: &GroupName, other: Option<&Group>) -> Neighbour {
    let (ours, theirs) = (&group.bonds, other.map(|other| &other.bonds));
    let is_theirs = |list: fn(&ims::group::Bonds) -> &Vec<GroupName>| {
        theirs.is_some_and(|theirs| list(theirs).contains(&group.name))
    };
    let bonds = [
        (Bond::With, ours.together_with.contains(name)),
        (Bond::Followed, is_theirs(|theirs| &theirs.together_with)),
        (Bond::Apart, ours.apart_from.contains(name)),
        (Bond::KeptApart, is_theirs(|theirs| &theirs.apart_from)),
        (Bond::RatherWith, ours.rather_with.contains(name)),
        (Bond::RatherApart, ours.rather_apart_from.contains(name)),
    ];
    Neighbour {
        name: name.clone(),
        nodes: other.map(|other| other.nodes.clone()).unwrap_or_default(),
        bonds: bonds.into_iter().filter(|(_, holds)| *holds).map(|(bond, _)| bond).collect(),
        load: other.map_or_else(|| Load::default().of_a_group(), |other| other.load.clone()),
        is_known: other.is_some(),
        on: BTreeMap::new(),
    }
}

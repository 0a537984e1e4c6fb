//! Where the parts of a group are, in words.

use std::collections::BTreeMap;

use ims::State;
use ims::group::Group;
use ims::name::NodeName;

use super::own;
use crate::found::{Found, Seen};

/// What each node holds, as a person reads it: for messages about runs that stopped half-way.
pub fn whereabouts(group: &Group, found: &Found) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut by_node: BTreeMap<&NodeName, Vec<String>> = BTreeMap::new();
    for (node, states) in found.reached() {
        for resource in own(group) {
            match states.get(&resource.name).copied().unwrap_or(State::Unknown) {
                State::Up => by_node.entry(node).or_default().push(resource.name.to_string()),
                State::Down => {}
                other @ (State::Partial | State::Unknown) => {
                    by_node.entry(node).or_default().push(format!("{} ({other})", resource.name));
                }
            }
        }
    }
    for (node, what) in by_node {
        told.push(format!("{node} has {}", what.join(", ")));
    }
    for (node, seen) in found.nodes() {
        if let Seen::Lost { .. } = seen {
            told.push(format!("{node} cannot be reached"));
        }
    }
    if told.is_empty() { "nothing of it is up".to_owned() } else { told.join("; ") }
}

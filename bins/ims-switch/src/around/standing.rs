//! How a node stands as a place for a group: what forbids it, what speaks against it, and how well it is liked.

use ims::State;
use ims::group::Group;
use ims::name::NodeName;
use ims::{Fail, nodes};

use super::{Around, Bond, Neighbour};
use crate::marks::Mark;

/// Who wants a group elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A person, or cron for one.
    Person,
    /// A fault: a node that the group failed on of late is passed over, and nothing waits for those that follow it.
    Fault,
}

/// Why a group may not be on a node, and what would lift that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// Why, naming the group and the node.
    pub why: String,
    /// The way out: a command line, or what to change.
    pub way_out: String,
}

impl Against {
    fn refusal(self) -> Fail {
        Fail::refused(self.why).hint(self.way_out)
    }
}

/// How a node stands as a place for a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// What forbids it.
    pub against: Vec<Against>,
    /// The fault of late that speaks against it, where that does not forbid it.
    pub fault: Option<Mark>,
    /// How many more groups make it liked than disliked.
    pub liking: i64,
}

impl Around {
    /// How a node stands as a place for a group that is not there yet.
    pub fn standing(&self, group: &Group, node: &NodeName, asker: Asker) -> Standing {
        let mut standing = Standing::default();
        for other in &self.neighbours {
            for bond in &other.bonds {
                let against = match (bond, asker) {
                    (Bond::With, _) => without_leader(group, other, node),
                    (Bond::Followed, Asker::Person) => left_behind(group, other, node),
                    (Bond::Apart | Bond::KeptApart, _) => too_close(group, other, node, *bond),
                    (Bond::Followed, Asker::Fault) => None,
                    (Bond::RatherWith, _) => {
                        standing.liking += i64::from(other.state_on(node) == State::Up);
                        None
                    }
                    (Bond::RatherApart, _) => {
                        standing.liking -= i64::from(other.may_be_on(node));
                        None
                    }
                };
                standing.against.extend(against);
            }
        }
        standing.against.extend(self.too_full(group, node));
        standing.against.extend(self.unfit.get(node).map(|why| Against {
            why: why.clone(),
            way_out: format!("ims-switch rehearse {} --to {node}", group.name),
        }));
        match (self.faults.get(node), asker) {
            (Some(mark), Asker::Fault) => standing.against.push(Against {
                why: format!(
                    "{} failed on {node} ({mark}), and its ping-pong interval is not over",
                    group.name
                ),
                way_out: format!("ims-switch clear {}", group.name),
            }),
            (mark, Asker::Person) => standing.fault = mark.cloned(),
            (None, Asker::Fault) => {}
        }
        standing
    }

    /// The refusal of a node, by the first thing that forbids it.
    pub fn refusal(&self, group: &Group, node: &NodeName, asker: Asker) -> Option<Fail> {
        self.standing(group, node, asker).against.into_iter().next().map(Against::refusal)
    }

    fn too_full(&self, group: &Group, node: &NodeName) -> Option<Against> {
        let capacity = self.capacity.get(node)?;
        let (amount, limit) = capacity
            .amounts()
            .find(|(amount, limit)| group.load.get(amount) > 0 && self.used(group, node, amount) > *limit)?;
        let there =
            self.neighbours.iter().filter(|other| other.may_be_on(node) && other.load.get(amount) > 0);
        let told: Vec<String> = there
            .map(|other| match other.state_on(node) {
                State::Unknown => {
                    format!("{} {} (unknown whether it is there)", other.name, other.load.get(amount))
                }
                State::Up | State::Down | State::Partial => {
                    format!("{} {}", other.name, other.load.get(amount))
                }
            })
            .chain([format!("{} {}", group.name, group.load.get(amount))])
            .collect();
        let why =
            format!("{node} has a capacity of {limit} {amount}, and there would be {}", told.join(" and "));
        Some(Against {
            why,
            way_out: format!("move a group away, or give {node} more capacity in {}", nodes::PATH),
        })
    }
}

/// A group that follows this one would be without it.
fn left_behind(group: &Group, other: &Neighbour, node: &NodeName) -> Option<Against> {
    let behind =
        other.on.iter().find(|(at, state)| *at != node && matches!(state, State::Up | State::Partial));
    let (at, state) = behind.filter(|_| other.state_on(node) != State::Up)?;
    Some(Against {
        why: format!("{} must be together with {} and is {state} on {at}", other.name, group.name),
        way_out: format!("ims-switch move {} {} --to {node} moves both", group.name, other.name),
    })
}

fn too_close(group: &Group, other: &Neighbour, node: &NodeName, bond: Bond) -> Option<Against> {
    let state = match other.state_on(node) {
        State::Down => return None,
        state @ (State::Up | State::Partial | State::Unknown) => state,
    };
    let (one, two) =
        if bond == Bond::Apart { (&group.name, &other.name) } else { (&other.name, &group.name) };
    let why = format!("{one} must be apart from {two}, and {} is {state} on {node}", other.name);
    let way_out = if !other.is_known {
        format!("its file must stand here, in {}", ims::group::FOLDER)
    } else if state == State::Unknown {
        format!("ims-switch status {}", other.name)
    } else {
        format!("ims-switch move {}", other.name)
    };
    Some(Against { why, way_out })
}

fn without_leader(group: &Group, other: &Neighbour, node: &NodeName) -> Option<Against> {
    let state = match other.state_on(node) {
        State::Up => return None,
        state @ (State::Down | State::Partial | State::Unknown) => state,
    };
    let way_out = match other.up_on() {
        _ if !other.is_known => format!("its file must stand here, in {}", ims::group::FOLDER),
        Some(_) if other.nodes.contains(node) => {
            format!("ims-switch move {} {} --to {node} moves both", other.name, group.name)
        }
        Some(there) => format!("it can be on {there}"),
        None => format!("ims-switch online {} --on {node}", other.name),
    };
    let why = format!("{} must be together with {}, which is {state} on {node}", group.name, other.name);
    Some(Against { why, way_out })
}

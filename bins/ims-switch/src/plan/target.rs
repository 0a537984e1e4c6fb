//! Which node a group goes to: the one that was named, else the one that fits what was found.

use ims::group::Group;
use ims::name::NodeName;
use ims::suggest::nearest;
use ims::{Fail, State};

use super::own;
use crate::found::{Found, Seen, state_on};

/// Refuses a node that is none of the group's, and says which was probably meant.
pub fn known(group: &Group, node: &NodeName) -> Result<(), Fail> {
    if group.nodes.contains(node) {
        return Ok(());
    }
    let known: Vec<&str> = group.nodes.iter().map(NodeName::as_str).collect();
    let fail = Fail::usage(format!("{node} is no node of {}", group.name));
    Err(match nearest(node.as_str(), known.iter().copied()) {
        Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
        None => fail.hint(format!("it has {}", known.join(", "))),
    })
}

/// A node that was chosen, when it answers.
fn answering(group: &Group, found: &Found, node: &NodeName) -> Result<NodeName, Fail> {
    known(group, node)?;
    match found.get(node) {
        Some(Seen::Reached(_)) => Ok(node.clone()),
        Some(Seen::Lost { why, .. }) => Err(Fail::unknown(format!("{node} cannot be reached")).because(why)),
        Some(Seen::Fenced) => {
            Err(Fail::refused(format!("{node} was fenced")).hint("start it again, then run this again"))
        }
        None => Err(Fail::unknown(format!("nothing is known of {node}"))),
    }
}

/// How many of the group's own resources are up on each node that answered, where any is not down.
fn holders<'a>(group: &'a Group, found: &'a Found) -> Vec<(&'a NodeName, usize, State)> {
    found
        .reached()
        .filter_map(|(node, states)| {
            let state = state_on(group, states);
            let up = own(group).filter(|r| states.get(&r.name) == Some(&State::Up)).count();
            (state != State::Down).then_some((node, up, state))
        })
        .collect()
}

/// Where most of the group is up; the more preferred of two equals.
pub fn best_holder(group: &Group, found: &Found) -> Option<NodeName> {
    let holders = holders(group, found);
    let most = holders.iter().map(|(_, up, _)| *up).max()?;
    holders.into_iter().find(|(_, up, _)| *up == most).map(|(node, _, _)| node.clone())
}

fn first_reached<'a>(found: &'a Found, except: Option<&NodeName>) -> Option<&'a NodeName> {
    found.reached().map(|(node, _)| node).find(|node| Some(*node) != except)
}

/// The node that a group is brought online on.
pub fn target_of_online(group: &Group, found: &Found, on: Option<&NodeName>) -> Result<NodeName, Fail> {
    if let Some(node) = on {
        let elsewhere = holders(group, found)
            .into_iter()
            .find(|(holder, _, state)| *holder != node && *state == State::Up)
            .map(|(holder, _, _)| holder);
        known(group, node)?;
        if let Some(holder) = elsewhere {
            return Err(Fail::refused(format!("{} is online on {holder}", group.name))
                .hint(format!("ims-switch move {} --to {node} moves it", group.name)));
        }
        return answering(group, found, node);
    }
    let holder = best_holder(group, found).filter(|_| !group.failback);
    holder
        .or_else(|| first_reached(found, None).cloned())
        .ok_or_else(|| Fail::unknown(format!("no node of {} can be reached", group.name)))
}

/// The node that a group is moved to.
pub fn target_of_move(group: &Group, found: &Found, to: Option<&NodeName>) -> Result<NodeName, Fail> {
    if let Some(node) = to {
        return answering(group, found, node);
    }
    let from = best_holder(group, found);
    other_than(group, found, from.as_ref())
}

/// The node that a group goes to when it leaves one: where most of it is up besides, else the most preferred other.
pub fn elsewhere(group: &Group, found: &Found, node: &NodeName) -> Result<NodeName, Fail> {
    match best_holder(group, found).filter(|holder| holder != node) {
        Some(holder) => Ok(holder),
        None => other_than(group, found, Some(node)),
    }
}

fn other_than(group: &Group, found: &Found, from: Option<&NodeName>) -> Result<NodeName, Fail> {
    first_reached(found, from).cloned().ok_or_else(|| {
        Fail::refused(format!("there is no other node that {} could go to", group.name))
            .hint("no other node of the group can be reached")
    })
}

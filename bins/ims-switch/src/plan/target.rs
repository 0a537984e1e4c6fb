//! Which node a group goes to: the one that was named, else the one that fits what was found.

use ims::group::Group;
use ims::name::NodeName;
use ims::suggest::nearest;
use ims::{Fail, State};

use super::own;
use crate::around::{Against, Asker};
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

/// A node that was chosen, when it answers and nothing forbids it.
fn answering(group: &Group, found: &Found, node: &NodeName) -> Result<NodeName, Fail> {
    known(group, node)?;
    match found.get(node) {
        Some(Seen::Reached(states)) if state_on(group, states) == State::Up => Ok(node.clone()),
        Some(Seen::Reached(_)) => match found.around().refusal(group, node, Asker::Person) {
            None => Ok(node.clone()),
            Some(fail) => Err(fail),
        },
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

/// Whether a group may stay where it is, or be finished there: nothing is moved away for another group.
fn may_stay(group: &Group, found: &Found, holder: &NodeName) -> bool {
    let is_whole =
        matches!(found.get(holder), Some(Seen::Reached(states)) if state_on(group, states) == State::Up);
    is_whole || found.around().standing(group, holder, Asker::Person).against.is_empty()
}

/// The best of the nodes that answer and that nothing forbids: one without a fault of late, then one that other groups
/// make liked, then the more preferred. When all are forbidden it is refused for the first reason.
fn best(
    group: &Group,
    found: &Found,
    except: Option<&NodeName>,
    asker: Asker,
) -> Option<Result<NodeName, Fail>> {
    let mut open: Vec<(bool, i64, &NodeName)> = Vec::new();
    let mut against: Vec<Against> = Vec::new();
    for (node, _) in found.reached().filter(|(node, _)| Some(*node) != except) {
        let standing = found.around().standing(group, node, asker);
        match standing.against.into_iter().next() {
            Some(first) => against.push(first),
            None => open.push((standing.fault.is_some(), -standing.liking, node)),
        }
    }
    // Of equals the first is taken, which is the more preferred.
    if let Some((.., node)) = open.into_iter().min_by_key(|(fault, dislike, _)| (*fault, *dislike)) {
        return Some(Ok(node.clone()));
    }
    let way_out = against.first()?.way_out.clone();
    let told: Vec<String> = against.into_iter().map(|against| against.why).collect();
    Some(Err(Fail::refused(format!("no node can have {}: {}", group.name, told.join("; "))).hint(way_out)))
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
    let holder = best_holder(group, found).filter(|holder| may_stay(group, found, holder));
    if let Some(holder) = holder.clone().filter(|_| !group.failback) {
        return Ok(holder);
    }
    match (best(group, found, None, Asker::Person), holder) {
        (Some(Ok(node)), _) | (Some(Err(_)), Some(node)) => Ok(node),
        (Some(Err(fail)), None) => Err(fail),
        (None, _) => Err(Fail::unknown(format!("no node of {} can be reached", group.name))),
    }
}

/// The node that a group is moved to.
pub fn target_of_move(
    group: &Group,
    found: &Found,
    to: Option<&NodeName>,
    asker: Asker,
) -> Result<NodeName, Fail> {
    if let Some(node) = to {
        return answering(group, found, node);
    }
    let from = best_holder(group, found);
    other_than(group, found, from.as_ref(), asker)
}

/// The node that a group goes to when it leaves one: where most of it is up besides, else the best other.
pub fn elsewhere(group: &Group, found: &Found, node: &NodeName) -> Result<NodeName, Fail> {
    match best_holder(group, found).filter(|holder| holder != node && may_stay(group, found, holder)) {
        Some(holder) => Ok(holder),
        None => other_than(group, found, Some(node), Asker::Person),
    }
}

fn other_than(group: &Group, found: &Found, from: Option<&NodeName>, asker: Asker) -> Result<NodeName, Fail> {
    best(group, found, from, asker).unwrap_or_else(|| {
        Err(Fail::refused(format!("there is no other node that {} could go to", group.name))
            .hint("no other node of the group can be reached"))
    })
}

//! From a group, what was found and what is wished to the steps that lead there. Pure: nothing is looked at or
//! touched, and the same question has the same answer.

pub mod line;
mod steps;

use std::collections::BTreeMap;

use ims::group::{Group, Resource};
use ims::name::{NodeName, ResourceName};
use ims::suggest::nearest;
use ims::{Fail, State};

use crate::found::{Found, Seen, state_on};
pub use steps::{Hints, Step, Verb};
use steps::{Want, ordered};

/// What somebody wants of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Online on one node: that one, else where most of it is up, else the most preferred.
    Online(Option<NodeName>),
    /// Offline on every node, or on one alone.
    Offline(Option<NodeName>),
    /// Online on another node: that one, else the most preferred other.
    Move(Option<NodeName>),
    /// One resource stopped and started where it is.
    Restart(ResourceName),
}

impl Wish {
    /// The wish as the words of a command line.
    pub fn words(&self) -> String {
        match self {
            Self::Online(None) => "online".to_owned(),
            Self::Online(Some(node)) => format!("online --on {node}"),
            Self::Offline(None) => "offline".to_owned(),
            Self::Offline(Some(node)) => format!("offline on {node} alone"),
            Self::Move(None) => "move".to_owned(),
            Self::Move(Some(node)) => format!("move --to {node}"),
            Self::Restart(resource) => format!("restart {resource}"),
        }
    }
}

/// The steps, and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The node the group will be online on.
    pub target: Option<NodeName>,
    /// The steps; each waits for others before it.
    pub steps: Vec<Step>,
}

/// Plans what is wished.
pub fn plan(group: &Group, found: &Found, wish: &Wish) -> Result<Plan, Fail> {
    match wish {
        Wish::Online(on) => {
            let target = target_of_online(group, found, on.as_ref())?;
            on_one(group, found, target)
        }
        Wish::Move(to) => {
            let target = target_of_move(group, found, to.as_ref())?;
            on_one(group, found, target)
        }
        Wish::Offline(alone) => {
            if let Some(node) = alone {
                known(group, node)?;
            }
            let mut want = Want::default();
            for (node, states) in
                found.reached().filter(|(node, _)| alone.as_ref().is_none_or(|a| a == *node))
            {
                for resource in own(group).filter(|r| states.contains_key(&r.name)) {
                    want.down(node, &resource.name, "the group goes offline");
                }
            }
            Ok(Plan { target: None, steps: ordered(group, found, &want, &[]) })
        }
        Wish::Restart(resource) => restart(group, found, resource),
    }
}

/// Plans the way back to what was found before a run that failed.
///
/// A node that was lost meanwhile may hold what must be started elsewhere again: it is fenced first, or the way back
/// is closed.
pub fn back(group: &Group, before: &Found, now: &Found) -> Result<Plan, Fail> {
    let mut want = Want::default();
    for (node, states) in before.reached().filter(|(node, _)| matches!(now.get(node), Some(Seen::Reached(_))))
    {
        for resource in own(group) {
            match states.get(&resource.name) {
                Some(State::Up) => want.up(node, &resource.name, "as it was before"),
                Some(State::Down) => want.down(node, &resource.name, "as it was before"),
                Some(State::Partial | State::Unknown) | None => {}
            }
        }
    }
    let fence = to_fence(now, &want)?;
    Ok(Plan { target: None, steps: ordered(group, now, &want, &fence) })
}

/// The nodes that must be fenced before anything is started, or the refusal when one of them cannot be.
fn to_fence<'a>(found: &'a Found, want: &Want) -> Result<Vec<&'a NodeName>, Fail> {
    if want.starts(found) == 0 {
        return Ok(Vec::new());
    }
    let mut fence = Vec::new();
    for (node, seen) in found.nodes() {
        match seen {
            Seen::Reached(_) | Seen::Fenced => {}
            Seen::Lost { can_be_fenced: true, .. } => fence.push(node),
            Seen::Lost { why, can_be_fenced: false } => {
                return Err(Fail::refused(format!(
                    "{node} cannot be reached ({why}) and what runs there is unknown, so nothing is taken from it"
                ))
                .hint(format!(
                    "give it a fence agent in {}, or switch it off and say --confirm-fenced {node}",
                    ims::nodes::PATH
                )));
            }
        }
    }
    Ok(fence)
}

/// The resources that may be up on one node only.
fn own(group: &Group) -> impl Iterator<Item = &Resource> {
    group.resources.iter().filter(|resource| !resource.kind.is_persistent())
}

fn on_one(group: &Group, found: &Found, target: NodeName) -> Result<Plan, Fail> {
    let mut want = Want::default();
    for resource in &group.resources {
        want.up(&target, &resource.name, format!("the group is wanted on {target}"));
    }
    for (node, _) in found.reached().filter(|(node, _)| *node != &target) {
        for resource in own(group) {
            want.down(node, &resource.name, format!("the group goes to {target}"));
        }
    }
    restart_what_lost_its_volume(group, found, &target, &mut want);
    let fence = to_fence(found, &want)?;
    Ok(Plan { target: Some(target), steps: ordered(group, found, &want, &fence) })
}

/// A server that still runs while its volume is not mounted holds nothing but trouble: it is started anew.
fn restart_what_lost_its_volume(group: &Group, found: &Found, target: &NodeName, want: &mut Want) {
    let is_volume = |resource: &Resource| match resource.kind {
        ims::group::Kind::Volume(_) | ims::group::Kind::DiskGroup { .. } => true,
        ims::group::Kind::Nic { .. }
        | ims::group::Kind::LogicalIp { .. }
        | ims::group::Kind::DirectoryServer { .. }
        | ims::group::Kind::MessagingServer { .. }
        | ims::group::Kind::Command(_)
        | ims::group::Kind::Ocf(_) => false,
    };
    let mut lost: Vec<&ResourceName> = Vec::new();
    for resource in &group.resources {
        let without = resource.requires.iter().any(|name| lost.contains(&name));
        if is_volume(resource) && found.state(target, &resource.name) == State::Down {
            lost.push(&resource.name);
        } else if without {
            lost.push(&resource.name);
            if found.state(target, &resource.name) != State::Down {
                want.again(target, &resource.name, "its volume is not mounted");
            }
        }
    }
}

fn restart(group: &Group, found: &Found, name: &ResourceName) -> Result<Plan, Fail> {
    let resource = group.find(name)?;
    if resource.kind.is_persistent() {
        return Err(Fail::usage(format!("{name} is a {}: it is only looked at", resource.kind.word())));
    }
    let target = best_holder(group, found).ok_or_else(|| {
        Fail::refused(format!("{} is online nowhere", group.name)).hint("ims-switch online")
    })?;
    let mut want = Want::default();
    want.again(&target, name, "a restart is wanted");
    Ok(Plan { target: Some(target), steps: ordered(group, found, &want, &[]) })
}

fn known(group: &Group, node: &NodeName) -> Result<(), Fail> {
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
fn best_holder(group: &Group, found: &Found) -> Option<NodeName> {
    let holders = holders(group, found);
    let most = holders.iter().map(|(_, up, _)| *up).max()?;
    holders.into_iter().find(|(_, up, _)| *up == most).map(|(node, _, _)| node.clone())
}

fn first_reached<'a>(found: &'a Found, except: Option<&NodeName>) -> Option<&'a NodeName> {
    found.reached().map(|(node, _)| node).find(|node| Some(*node) != except)
}

fn target_of_online(group: &Group, found: &Found, on: Option<&NodeName>) -> Result<NodeName, Fail> {
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

fn target_of_move(group: &Group, found: &Found, to: Option<&NodeName>) -> Result<NodeName, Fail> {
    if let Some(node) = to {
        return answering(group, found, node);
    }
    let from = best_holder(group, found);
    first_reached(found, from.as_ref()).cloned().ok_or_else(|| {
        Fail::refused(format!("there is no other node that {} could go to", group.name))
            .hint("no other node of the group can be reached")
    })
}

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

#[cfg(test)]
mod tests;

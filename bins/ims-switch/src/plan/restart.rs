//! One resource stopped and started where it is, with what cannot stay up meanwhile and what it cannot do without.

use std::collections::BTreeSet;

use ims::group::Group;
use ims::name::{NodeName, ResourceName};
use ims::{Fail, State};

use super::steps::{Want, ordered};
use super::target::best_holder;
use super::{Plan, is_volume, online_nowhere, refused_as_disabled, to_fence};
use crate::found::{Found, Seen};

/// Plans a restart.
///
/// What stands on it and is not down is restarted with it, from the top; of what it requires, that which is not up is
/// started. It is refused while any of that may be up on another node.
pub fn restart(group: &Group, found: &Found, name: &ResourceName) -> Result<Plan, Fail> {
    let resource = group.find(name)?;
    if resource.kind.is_persistent() {
        return Err(Fail::usage(format!("{name} is a {}: it is only looked at", resource.kind.word())));
    }
    if resource.is_disabled {
        return Err(refused_as_disabled(group, name));
    }
    let target = best_holder(group, found).ok_or_else(|| online_nowhere(group))?;
    let (again, needed) = taken_along(group, found, &target, name);
    let mut want = Want::default();
    for needed in &needed {
        if group.get(needed).is_some_and(|needed| needed.is_disabled) {
            return Err(refused_as_disabled(group, needed));
        }
        want.up(&target, needed, format!("{name} cannot run without it"));
    }
    for other in &again {
        let why =
            if *other == name { "a restart is wanted".to_owned() } else { format!("{name} is restarted") };
        if group.get(other).is_some_and(|other| other.is_disabled) {
            want.down(&target, other, "it is disabled");
        } else {
            want.again(&target, other, why);
        }
    }
    let started = again.iter().chain(needed.iter().filter(|n| found.state(&target, n) != State::Up));
    let fence = fence_before(group, found, &target, &want, started.copied())?;
    Ok(Plan { target: Some(target), steps: ordered(group, found, &want, &fence) })
}

/// The nodes that must be fenced before these resources are started where the group is; refused when one of them is or
/// may be up on a node that answers.
pub fn fence_before<'a, 'f>(
    group: &Group,
    found: &'f Found,
    target: &NodeName,
    want: &Want,
    started: impl Iterator<Item = &'a ResourceName>,
) -> Result<Vec<&'f NodeName>, Fail> {
    let mut is_alone = true;
    for started in started {
        is_alone &= !may_be_elsewhere(group, found, target, started)?;
    }
    if is_alone { Ok(Vec::new()) } else { to_fence(group, found, want) }
}

/// What is restarted, and what else must be up for that.
fn taken_along<'a>(
    group: &'a Group,
    found: &Found,
    target: &NodeName,
    name: &'a ResourceName,
) -> (BTreeSet<&'a ResourceName>, BTreeSet<&'a ResourceName>) {
    let state = |name: &ResourceName| found.state(target, name);
    let (mut again, mut needed) = (BTreeSet::from([name]), BTreeSet::new());
    loop {
        let before = (again.len(), needed.len());
        for resource in group.resources.iter().rev() {
            if again.contains(&resource.name) || needed.contains(&resource.name) {
                needed.extend(&resource.requires);
            }
        }
        for resource in group.resources.iter().filter(|resource| state(&resource.name) != State::Down) {
            let goes_away = |name: &ResourceName| {
                let is_lost = group.get(name).is_some_and(is_volume) && state(name) == State::Down;
                let is_stopped = again.contains(name) && state(name) != State::Down;
                is_stopped || (is_lost && (needed.contains(name) || again.contains(name)))
            };
            if resource.requires.iter().any(goes_away) {
                again.insert(&resource.name);
            }
        }
        needed.retain(|name| !again.contains(name));
        if before == (again.len(), needed.len()) {
            return (again, needed);
        }
    }
}

/// Whether a resource that is started here may be up on a node that does not answer; refused when it is or may be up
/// on one that does.
///
/// What stands on a volume or an address that this node has can run nowhere else.
fn may_be_elsewhere(
    group: &Group,
    found: &Found,
    target: &NodeName,
    name: &ResourceName,
) -> Result<bool, Fail> {
    let Some(resource) = group.get(name).filter(|resource| !resource.kind.is_persistent()) else {
        return Ok(false);
    };
    let mut held = resource
        .requires
        .iter()
        .filter(|needed| group.get(needed).is_some_and(|needed| !needed.kind.is_persistent()))
        .peekable();
    let is_held = held.peek().is_some() && held.all(|needed| found.state(target, needed) == State::Up);
    for (node, seen) in found.nodes().filter(|(node, _)| *node != target) {
        let is_free = match (seen, found.state(node, name)) {
            (Seen::Lost { .. } | Seen::Fenced, _) | (_, State::Down) => true,
            (Seen::Reached(_), State::Unknown) => is_held,
            (Seen::Reached(_), State::Up | State::Partial) => false,
        };
        if !is_free {
            return Err(Fail::refused(format!("{name} is {} on {node}", found.state(node, name)))
                .hint(format!("ims-switch online {} leaves it on one node", group.name)));
        }
    }
    Ok(!is_held && found.nodes().any(|(_, seen)| matches!(seen, Seen::Lost { .. })))
}

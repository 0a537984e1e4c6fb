//! What came of the steps of a run, by what is found after them.

use ims::group::Group;
use ims::name::{NodeName, ResourceName};
use ims::{Fail, State};

use super::act::{Came, Crew};
use super::online_on;
use crate::found::{Found, Seen, States, state_on};
use crate::plan::{Plan, Verb, Wish, whereabouts};

/// Checks that what was wished is so.
pub fn as_wished(crew: &Crew<'_>, wish: &Wish, plan: &Plan, now: Found) -> Result<Found, (Fail, Found)> {
    let group = &crew.team.group;
    let is_so = match &plan.target {
        Some(target) => match wish {
            Wish::Restart(resource) => now.state(target, resource) == State::Up,
            Wish::Enable(resources) => resources.iter().all(|name| now.state(target, name) == State::Up),
            Wish::Renew(resources) if !resources.is_empty() => {
                resources.iter().all(|name| now.state(target, name) == State::Up)
            }
            Wish::Online(_)
            | Wish::Offline(_)
            | Wish::Move(_)
            | Wish::Leave(_)
            | Wish::Giveover
            | Wish::Renew(_)
            | Wish::Disable(_) => online_on(group, &now).as_ref() == Some(target),
        },
        None => match wish {
            Wish::Offline(Some(node)) => match now.get(node) {
                Some(Seen::Reached(states)) => state_on(group, states) == State::Down,
                Some(Seen::Lost { .. } | Seen::Fenced) | None => false,
            },
            Wish::Disable(resources) => {
                now.reached().all(|(_, states)| resources.iter().all(|name| is_off(group, states, name)))
            }
            Wish::Offline(None)
            | Wish::Online(_)
            | Wish::Move(_)
            | Wish::Leave(_)
            | Wish::Giveover
            | Wish::Restart(_)
            | Wish::Renew(_)
            | Wish::Enable(_) => now.reached().all(|(_, states)| state_on(group, states) == State::Down),
        },
    };
    if !is_so {
        return Err((half_way(crew, &Fail::failed("every step succeeded"), &now), now));
    }
    let lost: Vec<&NodeName> =
        now.nodes().filter(|(_, seen)| matches!(seen, Seen::Lost { .. })).map(|(node, _)| node).collect();
    if let (None, Wish::Offline(None) | Wish::Disable(_), Some(node)) = (&plan.target, wish, lost.first()) {
        let fail = Fail::unknown(format!(
            "{node} cannot be reached; whether {} is offline there is unknown",
            group.name
        ));
        return Err((fail, now));
    }
    Ok(now)
}

/// Whether a resource is down, or may be up everywhere.
fn is_off(group: &Group, states: &States, name: &ResourceName) -> bool {
    let is_persistent = group.get(name).is_some_and(|resource| resource.kind.is_persistent());
    is_persistent || states.get(name) == Some(&State::Down)
}

/// Nodes that were fenced stay so however they look: they do not answer.
pub fn keep_fenced(before: &Found, came: &Came, now: Found) -> Found {
    let mut now = now;
    for (node, seen) in before.nodes() {
        if matches!(seen, Seen::Fenced) {
            now.fenced(node);
        }
    }
    for step in came.records.iter().filter(|step| step.verb == Verb::Fence.word() && step.changed) {
        now.fenced(&step.node);
    }
    now
}

/// What went wrong, if anything did.
pub fn failure(crew: &Crew<'_>, came: &Came, now: &Found) -> Option<Fail> {
    match (&came.fail, came.interrupted) {
        (Some(fail), _) => Some(Fail::new(fail.exit(), fail.to_string())),
        (None, Some(signal)) => {
            Some(Fail::broken(format!("stopped by {signal}")).because(whereabouts(&crew.team.group, now)))
        }
        (None, None) => None,
    }
}

/// The nodes that were lost meanwhile.
pub fn lost_since(before: &Found, now: &Found) -> Vec<NodeName> {
    let is_lost = |seen: Option<&Seen>| matches!(seen, Some(Seen::Lost { .. }));
    now.nodes()
        .filter(|(node, seen)| is_lost(Some(seen)) && !is_lost(before.get(node)))
        .map(|(node, _)| node.clone())
        .collect()
}

/// Tells that a run ended half-way, and where.
pub fn half_way(crew: &Crew<'_>, fail: &Fail, now: &Found) -> Fail {
    Fail::broken(format!("{fail}; {}", whereabouts(&crew.team.group, now)))
        .hint("run the same command again to finish")
}

/// Whether every node that was reached before has what it had.
pub fn as_before(group: &Group, before: &Found, now: &Found) -> bool {
    before.reached().all(|(node, states)| {
        group.resources.iter().filter(|resource| !resource.kind.is_persistent()).all(|resource| {
            let state = now.state(node, &resource.name);
            states.get(&resource.name) == Some(&state)
        })
    })
}

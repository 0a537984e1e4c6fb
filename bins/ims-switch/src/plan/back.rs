//! The way back to what was found before a run that failed.

use ims::group::Group;
use ims::name::{NodeName, ResourceName};
use ims::{Fail, State};

use super::steps::{Want, ordered};
use super::target::best_holder;
use super::{Plan, is_volume, own, to_fence};
use crate::found::{Found, Seen};

/// Plans the way back to what was found before a run that failed.
///
/// A resource that was up on two nodes goes back to one: the way back never makes anything double again, and it is
/// stopped on the others before it is started. A node that was lost meanwhile may hold what must be started elsewhere
/// again: it is fenced first, or the way back is closed.
pub fn back(group: &Group, before: &Found, now: &Found) -> Result<Plan, Fail> {
    let most = best_holder(group, before);
    let reached = |node: &NodeName| matches!(now.get(node), Some(Seen::Reached(_)));
    let home = |resource: &ResourceName| -> Option<&NodeName> {
        let holders = || {
            let here = before.reached().map(|(node, _)| node);
            here.filter(|node| reached(node) && before.state(node, resource) == State::Up)
        };
        holders().find(|node| Some(*node) == most.as_ref()).or_else(|| holders().next())
    };
    let mut want = Want::default();
    // From the top of the graph down, so that what must stop takes along what stands on it.
    let mut stopped: Vec<(&NodeName, &ResourceName)> = Vec::new();
    for resource in group.resources.iter().filter(|resource| !resource.kind.is_persistent()) {
        let name = &resource.name;
        let goes_home = home(name).filter(|home| now.state(home, name) != State::Up);
        for (node, _) in now.reached().filter(|(node, _)| Some(*node) != home(name)) {
            let was_down =
                before.state(node, name) == State::Down && matches!(before.get(node), Some(Seen::Reached(_)));
            if (was_down || goes_home.is_some()) && now.state(node, name) != State::Down {
                stopped.push((node, name));
            }
        }
    }
    for (node, _) in now.reached() {
        for resource in own(group) {
            let stands_on = |needed: &ResourceName| stopped.contains(&(node, needed));
            if now.state(node, &resource.name) != State::Down && resource.requires.iter().any(stands_on) {
                stopped.push((node, &resource.name));
            }
        }
    }
    for (node, name) in &stopped {
        if home(name) == Some(*node) {
            return Err(Fail::refused(format!("{} was split between nodes", group.name))
                .hint(format!("ims-switch online {}", group.name)));
        }
        want.down(node, name, "as it was before");
    }
    up_at_home(group, now, home, &mut want);
    let fence = to_fence(group, now, &want)?;
    Ok(Plan { target: None, steps: ordered(group, now, &want, &fence) })
}

/// Wants up again what was up, as far as all it requires is or comes up; a server whose volume went away meanwhile is
/// stopped before that comes back.
fn up_at_home<'a>(
    group: &'a Group,
    now: &Found,
    home: impl Fn(&ResourceName) -> Option<&'a NodeName>,
    want: &mut Want,
) {
    let mut will_be: Vec<(&NodeName, &ResourceName)> = Vec::new();
    let mut lost: Vec<(&NodeName, &ResourceName)> = Vec::new();
    for resource in own(group) {
        let Some(node) = home(&resource.name) else { continue };
        let is_there = |needed: &ResourceName| {
            will_be.contains(&(node, needed))
                || group.get(needed).is_some_and(|needed| needed.kind.is_persistent())
        };
        if !resource.requires.iter().all(is_there) {
            continue;
        }
        for needed in resource.requires.iter().filter_map(|name| group.get(name)) {
            if needed.kind.is_persistent() {
                want.up(node, &needed.name, "what was up before requires it");
            }
        }
        will_be.push((node, &resource.name));
        let state = now.state(node, &resource.name);
        let lost_it = resource.requires.iter().any(|needed| lost.contains(&(node, needed)));
        if lost_it || (is_volume(resource) && state == State::Down) {
            lost.push((node, &resource.name));
        }
        if lost_it && state != State::Down {
            want.again(node, &resource.name, "its volume is not mounted");
        } else {
            want.up(node, &resource.name, "as it was before");
        }
    }
}

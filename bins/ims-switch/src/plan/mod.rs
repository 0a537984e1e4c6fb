//! From a group, what was found and what is wished to the steps that lead there. Pure: nothing is looked at or
//! touched, and the same question has the same answer.

mod back;
pub mod explain;
pub mod line;
mod marked;
mod restart;
mod steps;
mod target;
mod whereabouts;

use ims::group::{Group, Resource};
use ims::name::{NodeName, ResourceName};
use ims::{Fail, State};

use crate::around::Asker;
use crate::found::{Found, Seen};
pub use back::back;
pub use marked::refused_as_disabled;
use restart::restart;
pub use steps::{Hints, Step, Verb};
use steps::{Want, ordered};
pub use target::best_holder;
pub use target::known;
use target::{target_of_move, target_of_online};
pub use whereabouts::whereabouts;

/// What somebody wants of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Online on one node: that one, else where most of it is up, else the most preferred.
    Online(Option<NodeName>),
    /// Offline on every node, or on one alone.
    Offline(Option<NodeName>),
    /// Online on another node: that one, else the most preferred other.
    Move(Option<NodeName>),
    /// Online on the most preferred other node, unless it is offline everywhere.
    Giveover,
    /// One resource stopped and started where it is.
    Restart(ResourceName),
    /// Resources, with all that stands on them, stopped and started where the group is; all when none is named.
    Renew(Vec<ResourceName>),
    /// Online on the most preferred other node, where it is not down on that one.
    Leave(NodeName),
    /// Resources started where the group is, now that they are enabled.
    Enable(Vec<ResourceName>),
    /// Resources stopped, now that they are disabled.
    Disable(Vec<ResourceName>),
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
            Self::Giveover => "giveover".to_owned(),
            Self::Restart(resource) => format!("restart {resource}"),
            Self::Renew(resources) => words("restart", resources),
            Self::Leave(node) => format!("leave {node}"),
            Self::Enable(resources) => words("enable", resources),
            Self::Disable(resources) => words("disable", resources),
        }
    }

    /// Who it is that wants the group elsewhere; nobody does where it stays on its node.
    pub const fn asker(&self) -> Option<Asker> {
        match self {
            Self::Online(_) | Self::Move(_) | Self::Leave(_) => Some(Asker::Person),
            Self::Giveover => Some(Asker::Fault),
            Self::Offline(_) | Self::Restart(_) | Self::Renew(_) | Self::Enable(_) | Self::Disable(_) => None,
        }
    }

    /// The node that it is about alone, whatever the others have.
    pub const fn alone(&self) -> Option<&NodeName> {
        match self {
            Self::Offline(alone) => alone.as_ref(),
            Self::Online(_)
            | Self::Move(_)
            | Self::Giveover
            | Self::Restart(_)
            | Self::Renew(_)
            | Self::Leave(_)
            | Self::Enable(_)
            | Self::Disable(_) => None,
        }
    }
}

fn words(verb: &str, resources: &[ResourceName]) -> String {
    resources.iter().fold(verb.to_owned(), |words, resource| format!("{words} {resource}"))
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
            let target = target_of_move(group, found, to.as_ref(), Asker::Person)?;
            on_one(group, found, target)
        }
        Wish::Giveover => {
            let all_answer = found.nodes().all(|(_, seen)| matches!(seen, Seen::Reached(_)));
            if all_answer && best_holder(group, found).is_none() {
                return Err(online_nowhere(group));
            }
            let target = target_of_move(group, found, None, Asker::Fault)?;
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
        Wish::Renew(resources) => marked::renew(group, found, resources),
        Wish::Leave(node) => marked::leave(group, found, node),
        Wish::Enable(resources) => marked::enabled(group, found, resources),
        Wish::Disable(resources) => marked::disabled(group, found, resources),
    }
}

/// The nodes that must be fenced before anything is started, or the refusal when one of them cannot be.
fn to_fence<'a>(group: &Group, found: &'a Found, want: &Want) -> Result<Vec<&'a NodeName>, Fail> {
    if !want.starts(group, found) {
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
    marked::refuse_disabled_needs(group)?;
    let mut want = Want::default();
    for resource in &group.resources {
        if resource.is_disabled {
            want.down(&target, &resource.name, "it is disabled");
        } else {
            want.up(&target, &resource.name, format!("the group is wanted on {target}"));
        }
    }
    for (node, _) in found.reached().filter(|(node, _)| *node != &target) {
        for resource in own(group) {
            want.down(node, &resource.name, format!("the group goes to {target}"));
        }
    }
    restart_what_lost_its_volume(group, found, &target, &mut want);
    let fence = to_fence(group, found, &want)?;
    Ok(Plan { target: Some(target), steps: ordered(group, found, &want, &fence) })
}

/// Whether a server that runs while this is down works on nothing.
const fn is_volume(resource: &Resource) -> bool {
    match resource.kind {
        ims::group::Kind::Volume(_) | ims::group::Kind::DiskGroup { .. } => true,
        ims::group::Kind::Nic { .. }
        | ims::group::Kind::LogicalIp { .. }
        | ims::group::Kind::DirectoryServer { .. }
        | ims::group::Kind::MessagingServer { .. }
        | ims::group::Kind::Command(_)
        | ims::group::Kind::Ocf(_) => false,
    }
}

/// A server that still runs while its volume is not mounted holds nothing but trouble: it is started anew.
fn restart_what_lost_its_volume(group: &Group, found: &Found, target: &NodeName, want: &mut Want) {
    let mut lost: Vec<&ResourceName> = Vec::new();
    for resource in group.resources.iter().filter(|resource| !resource.is_disabled) {
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

/// What was taken offline is not brought online by a fault.
fn online_nowhere(group: &Group) -> Fail {
    Fail::refused(format!("{} is online nowhere", group.name))
        .hint(format!("ims-switch online {}", group.name))
}

#[cfg(test)]
pub(crate) mod scenarios;
#[cfg(test)]
mod tests;

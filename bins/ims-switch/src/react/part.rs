//! Whose part a fault is when several nodes watch a group: that of the node which has it.

use std::time::Duration;

use ims::group::Group;
use ims::name::NodeName;
use ims::nodes::Nodes;
use ims::{Fail, Host};

use crate::drive::team::Team;
use crate::seat::desk::Desk;
use crate::seat::wire::{Ask, Say, answers_another};

/// How long a node may take to say whether it reacts.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose part it is to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Ours: the group is here, or on a node on which nobody reacts, or nowhere.
    Ours,
    /// That of a node which has the group and on which another run reacts.
    Of(NodeName),
    /// Ours, and no node that answers has any of it; this one does not answer.
    Orphan(NodeName),
}

/// Finds out whose part it is. Another node is asked only when nothing of the group is here.
pub fn find(host: &Host, group: &Group) -> Result<Part, Fail> {
    if Desk::new(host, group.clone())?.may_have() {
        return Ok(Part::Ours);
    }
    let team = Team::gather(host, group.clone(), Nodes::load(host)?, None)?;
    let mut is_somewhere = false;
    for seat in team.present().filter(|seat| seat.node().as_str() != host.name()) {
        let Say::Reacts { has_any, reacts } = seat.ask(Ask::Reacts, PATIENCE)? else {
            return Err(answers_another(seat.node()));
        };
        if has_any && reacts {
            return Ok(Part::Of(seat.node().clone()));
        }
        is_somewhere |= has_any;
    }
    Ok(match team.lost().into_iter().next() {
        Some(lost) if !is_somewhere => Part::Orphan(lost),
        Some(_) | None => Part::Ours,
    })
}

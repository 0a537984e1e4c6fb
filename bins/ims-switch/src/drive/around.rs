//! What is around a group, asked of its nodes: where the other groups are that bear on where it may be.

use std::collections::BTreeMap;
use std::time::Duration;

use ims::group::Group;
use ims::name::GroupName;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, State};
use jiff::Timestamp;

use super::Asked;
use super::team::Team;
use crate::around::{Around, Asker};
use crate::found::{Found, Seen};
use crate::marks::Kept;
use crate::plan::Plan;
use crate::seat::Seat;
use crate::seat::wire::{Ask, Say};

/// How long a node may take to look at its other groups.
const LOOK: Duration = Duration::from_secs(60);

/// Every group of a node, each with what its file says, none where that cannot be read.
fn others(host: &Host) -> Result<Vec<(GroupName, Option<Group>)>, Fail> {
    let load = |name: GroupName| {
        let group = Group::load(host, &name);
        (name, group.ok())
    };
    Ok(Group::names(host)?.into_iter().map(load).collect())
}

impl Team {
    /// What is around the group now; it is asked for where that decides anything.
    pub fn around(&self, host: &Host, kept: &Kept) -> Result<Around, Fail> {
        let mut around = Around::of(&self.group, &others(host)?, &self.nodes);
        around.faults = kept.failed_of_late(self.group.pingpong_interval, Timestamp::now());
        let told: Vec<_> = std::thread::scope(|scope| {
            let ask = |seat| {
                let groups = around.asked_on(Seat::node(seat));
                (seat.node(), scope.spawn(move || states(seat, groups)))
            };
            let threads: Vec<_> = self.present().map(ask).collect();
            threads.into_iter().map(|(node, thread)| (node, thread.join().unwrap_or_default())).collect()
        });
        for (node, states) in told {
            around.found_on(node, &states);
        }
        Ok(around)
    }
}

/// What other groups are on a node; nothing of what could not be found out.
fn states(seat: &Seat, groups: Vec<GroupName>) -> BTreeMap<GroupName, State> {
    if groups.is_empty() {
        return BTreeMap::new();
    }
    match seat.ask(Ask::Others { groups }, LOOK) {
        Ok(Say::Others(states)) => states,
        Ok(_) => BTreeMap::new(),
        Err(fail) => {
            stderr::say("ims-switch", format_args!("{}: its other groups: {fail}", seat.node()));
            BTreeMap::new()
        }
    }
}

/// What is around the group as far as a wish is concerned.
pub fn concerning(host: &Host, team: &Team, asked: &Asked, kept: &Kept) -> Result<Around, Fail> {
    if asked.wish.asker().is_none() {
        return Ok(Around::default());
    }
    let around = team.around(host, kept)?.without_bonds_with(&asked.along);
    Ok(around.without(if asked.dry_run { &asked.shown_before } else { &[] }))
}

/// Says which nodes that come first, or were tried first, were passed over, and when a group goes where it failed of late.
pub fn tell(team: &Team, found: &Found, asked: &Asked, plan: &Plan) {
    let (Some(target), Some(who)) = (&plan.target, asked.wish.asker()) else { return };
    if plan.steps.is_empty() {
        return;
    }
    let around = found.around();
    let mut comes_before = true;
    for (node, _) in found.reached() {
        comes_before &= node != target;
        if !comes_before && !around.unfit.contains_key(node) {
            continue;
        }
        for against in around.standing(&team.group, node, who).against {
            stderr::say("ims-switch", format_args!("{node} is passed over: {}", against.why));
        }
    }
    if let Some(mark) = around.standing(&team.group, target, who).fault {
        let group = &team.group.name;
        let words =
            format_args!("{group} failed on {target} of late ({mark}); what a person asks for is done");
        stderr::say("ims-switch", words);
    }
}

/// Takes the room for the group on its target, unless another run took it meanwhile; it is kept for the rest of the
/// session.
pub fn claim(team: &Team, found: &Found, asked: &Asked, plan: &Plan) -> Result<(), Fail> {
    let (Some(target), Some(who)) = (&plan.target, asked.wish.asker()) else { return Ok(()) };
    let around = found.around();
    let is_there = matches!(found.get(target), Some(Seen::Reached(states)) if crate::found::state_on(&team.group, states) == State::Up);
    if !around.is_shared() || is_there {
        return Ok(());
    }
    let ask = Ask::Claim { around: Box::new(around.clone()), by_fault: who == Asker::Fault };
    match team.seat(target)?.ask(ask, LOOK) {
        Ok(_) => Ok(()),
        Err(fail) if fail.exit() == Exit::Refused => Err(fail),
        Err(fail) => Err(Fail::new(fail.exit(), format!("{target}: {fail}"))),
    }
}

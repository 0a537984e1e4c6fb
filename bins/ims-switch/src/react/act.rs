//! What was decided is done: a restart where the group is, or the group goes to the next node with those that follow it.

use std::collections::BTreeSet;
use std::time::Duration;

use ims::group::Group;
use ims::name::{GroupName, NodeName, ResourceName};
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};
use jiff::Timestamp;

use super::Choice;
use super::part::Part;
use crate::cli::React;
use crate::drive::{Asked, drive};
use crate::interrupt::Interrupt;
use crate::kin::Kin;
use crate::marks::file;
use crate::plan::Wish;
use crate::status;

/// Does what was decided, and tells what became of it and what was done besides. When no other node can have the group,
/// its resource is restarted once more.
///
/// Another run is not waited for: what was seen before it ended is no reason to act after it.
pub fn act(
    host: &Host,
    react: &React,
    resource: &ResourceName,
    (choice, part): (Choice, &Part),
    interrupt: &Interrupt,
    out: &mut Out,
) -> Option<(Exit, Option<String>)> {
    let mut attempt = |group: &GroupName, wish| match drive(host, &asked(react, group, wish), interrupt, out)
    {
        Ok(exit) => (exit, None),
        Err(fail) => {
            stderr::say("ims-switch", &fail);
            (fail.exit(), Some(fail))
        }
    };
    match choice {
        Choice::Nothing | Choice::Tolerate => None,
        Choice::Restart => {
            let (exit, _) = attempt(&react.group, Wish::Restart(resource.clone()));
            Some((exit, None))
        }
        Choice::Giveover => {
            let given = given_over(host, &react.group, part, interrupt, || attempt(&react.group, away(part)));
            Some(match given {
                (Exit::Refused, refusal) if !matches!(part, Part::Orphan(_)) => {
                    let besides = refusal.map(|fail| format!("not given over but restarted: {fail}"));
                    (attempt(&react.group, Wish::Restart(resource.clone())).0, besides)
                }
                (Exit::Ok, _) => {
                    let follow = |follower: &GroupName, wish| attempt(follower, wish).0;
                    match followed(host, &react.group, follow) {
                        Ok(exit) => (exit, None),
                        Err(fail) => {
                            stderr::say("ims-switch", format_args!("what must be together with it: {fail}"));
                            (fail.exit(), None)
                        }
                    }
                }
                (
                    exit @ (Exit::No
                    | Exit::Usage
                    | Exit::Unknown
                    | Exit::Refused
                    | Exit::Failed
                    | Exit::Broken
                    | Exit::Busy),
                    _,
                ) => (exit, None),
            })
        }
    }
}

/// Gives a group over, to one node after the other while it does not start there and all is as before.
fn given_over(
    host: &Host,
    group: &GroupName,
    part: &Part,
    interrupt: &Interrupt,
    mut attempt: impl FnMut() -> (Exit, Option<Fail>),
) -> (Exit, Option<Fail>) {
    let mut open = open(host, group, part);
    loop {
        let end = attempt();
        let left = self::open(host, group, part);
        // Where one node fewer is open, the next one may have it.
        let is_as_before = matches!(end.0, Exit::Failed | Exit::Refused);
        let goes_on = is_as_before && !left.is_empty() && left.len() < open.len();
        if !goes_on || interrupt.came().is_some() {
            return end;
        }
        open = left;
    }
}

/// The nodes that a group did not fail on of late and that are not known to be lost; none where that is unknown.
fn open(host: &Host, group: &GroupName, part: &Part) -> BTreeSet<NodeName> {
    let (Ok(group), Ok(kept)) = (Group::load(host, group), file::load(host, group)) else {
        return BTreeSet::new();
    };
    let failed = kept.failed_of_late(group.pingpong_interval, Timestamp::now());
    let is_lost = |node: &NodeName| matches!(part, Part::Orphan(lost) if lost == node);
    group.nodes.into_iter().filter(|node| !failed.contains_key(node) && !is_lost(node)).collect()
}

/// How a group is given over. Of one whose node is lost another survivor may have had it online by now: there it stays.
fn away(part: &Part) -> Wish {
    match part {
        Part::Orphan(_) => Wish::Online(None),
        Part::Ours | Part::Of(_) => Wish::Giveover,
    }
}

/// Brings the groups along that must be together with one that was given over, where they are online.
fn followed(
    host: &Host,
    group: &GroupName,
    mut follow: impl FnMut(&GroupName, Wish) -> Exit,
) -> Result<Exit, Fail> {
    let followers = Kin::followers(host, group)?;
    if followers.is_empty() {
        return Ok(Exit::Ok);
    }
    let target = status::of(host, group)?.group.online_on;
    let mut exit = Exit::Ok;
    for follower in followers {
        let there = status::of(host, &follower)?.group.online_on;
        if there.is_some() && there != target {
            exit = exit.gravest(follow(&follower, Wish::Move(target.clone())));
        }
    }
    Ok(exit)
}

fn asked(react: &React, group: &GroupName, wish: Wish) -> Asked {
    Asked {
        group: group.clone(),
        wish,
        dry_run: false,
        by_fault: true,
        patience: Duration::ZERO,
        timeout: react.timeout.0,
        confirm_fenced: Vec::new(),
        degraded: false,
        reason: None,
        shown_before: Vec::new(),
        along: Vec::new(),
    }
}

//! What is done about a fault: the resource is restarted, or the group given over with those that follow it.

use ims::name::{GroupName, ResourceName};
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};

use super::Choice;
use crate::cli::React;
use crate::drive::{Asked, drive};
use crate::interrupt::Interrupt;
use crate::kin::Kin;
use crate::plan::Wish;
use crate::status;

/// Does what was decided, and tells what became of it and what was done besides. When no other node can have the group,
/// its resource is restarted once more.
pub fn act(
    host: &Host,
    react: &React,
    resource: &ResourceName,
    choice: Choice,
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
        Choice::Giveover => Some(match attempt(&react.group, Wish::Giveover) {
            (Exit::Refused, refusal) => {
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
                exit @ (Exit::No | Exit::Usage | Exit::Unknown | Exit::Failed | Exit::Broken | Exit::Busy),
                _,
            ) => (exit, None),
        }),
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
        timeout: react.timeout.0,
        confirm_fenced: Vec::new(),
        reason: None,
        shown_before: Vec::new(),
        along: Vec::new(),
    }
}

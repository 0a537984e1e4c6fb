//! Changing what is kept of a group, on every node that answers, under the group's lock.

use std::time::Duration;

use ims::fencing::person;
use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;
use ims::sys::stderr;
use ims::{Exit, Fail, Host};
use jiff::Timestamp;

use super::{Kept, Mark};
use crate::drive::team::Team;

/// What was kept before and what is now.
#[derive(Debug)]
pub struct Changed {
    /// Before.
    pub before: Kept,
    /// Now.
    pub now: Kept,
    /// The nodes that could not be reached and do not know.
    pub lost: Vec<NodeName>,
}

impl Changed {
    /// The status of the run: what a node that was not told does is unknown.
    pub fn exit(&self) -> Exit {
        untold(&self.lost);
        if self.lost.is_empty() { Exit::Ok } else { Exit::Unknown }
    }
}

/// Says which nodes do not know yet.
pub fn untold(lost: &[NodeName]) {
    for node in lost {
        stderr::say(
            "ims-switch",
            format_args!("{node} cannot be reached and was not told; the next run that reaches it does"),
        );
    }
}

/// Something said now by the person who runs the command.
pub fn said(host: &Host, reason: Option<&str>) -> Result<Mark, Fail> {
    Ok(Mark {
        by: person().unwrap_or_else(|| "operator".to_owned()),
        node: host.name().parse()?,
        time: Timestamp::now(),
        reason: reason.map(ToOwned::to_owned),
    })
}

/// Changes what is kept of a group. With `dry_run` it is only found out what would change.
pub fn change(
    host: &Host,
    group: &GroupName,
    timeout: Duration,
    dry_run: bool,
    edit: impl FnOnce(&Group, &mut Kept) -> Result<(), Fail>,
) -> Result<Changed, Fail> {
    let team = Team::gather(host, Group::load(host, group)?, Nodes::load(host)?, None)?;
    if !dry_run {
        team.lock(timeout)?;
    }
    let (before, all_say_so) = team.marks()?;
    let mut now = before.clone();
    edit(&team.group, &mut now)?;
    let now = now.after(&before, &host.name().parse()?, Timestamp::now());
    if !dry_run && (now != before || !all_say_so) {
        team.keep(&now)?;
    }
    Ok(Changed { before, now, lost: team.lost() })
}

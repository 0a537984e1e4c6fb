//! What was said of a group, asked of every node that answers and kept on each of them.

use std::time::Duration;

use ims::name::NodeName;
use ims::sys::stderr;
use ims::{Exit, Fail, Host};
use jiff::Timestamp;

use super::Asked;
use super::team::Team;
use crate::found::Found;
use crate::marks::change::said;
use crate::marks::{Kept, Mark, MarkRecord, Sort};
use crate::plan::{Wish, best_holder};
use crate::seat::Seat;
use crate::seat::wire::{Ask, Say, answers_another};

/// How long a node may take to read or write it.
const PATIENCE: Duration = Duration::from_secs(30);

fn ask(seat: &Seat, ask: Ask) -> Result<Kept, Fail> {
    let named = |fail: Fail| Fail::new(fail.exit(), format!("{}: {fail}", seat.node()));
    let Say::Marks(kept) = seat.ask(ask, PATIENCE).map_err(named)? else {
        return Err(answers_another(seat.node()));
    };
    Ok(*kept)
}

impl Team {
    /// What the nodes that answer say together, and whether all of them say just that.
    pub fn marks(&self) -> Result<(Kept, bool), Fail> {
        let told: Vec<Kept> = self.present().map(|seat| ask(seat, Ask::Marks)).collect::<Result<_, _>>()?;
        let together = told.iter().cloned().fold(Kept::default(), Kept::with);
        let all_say_so = told.iter().all(|kept| *kept == together);
        Ok((together, all_say_so))
    }

    /// Has every node that answers keep it. Where one of several cannot, it holds all the same, for the others tell it
    /// to every run; that one must be told again.
    pub fn keep(&self, kept: &Kept) -> Result<(), Fail> {
        let mut done = 0;
        let mut failed: Option<Fail> = None;
        for seat in self.present() {
            match ask(seat, Ask::Keep { kept: kept.clone() }) {
                Ok(_) => done += 1,
                Err(fail) => failed = failed.or(Some(fail)),
            }
        }
        match failed {
            None => Ok(()),
            Some(fail) if done == 0 => Err(fail),
            Some(fail) => {
                Err(Fail::broken(fail.to_string()).hint("mend that, then run the same command again"))
            }
        }
    }
}

/// Has every node that answers keep what is said of the group. Where that is not the wish itself, a node that cannot is
/// told of and no more: a full disk, which may be the very fault, must not hold a group where it fails.
pub fn keep(asked: &Asked, team: &Team, kept: &Kept) -> Result<(), Fail> {
    let Err(fail) = team.keep(kept) else { return Ok(()) };
    match &asked.wish {
        Wish::Enable(_) | Wish::Disable(_) => Err(fail),
        Wish::Online(_)
        | Wish::Offline(_)
        | Wish::Move(_)
        | Wish::Leave(_)
        | Wish::Giveover
        | Wish::Restart(_)
        | Wish::Renew(_) => {
            stderr::say("ims-switch", fail);
            Ok(())
        }
    }
}

/// What is to be kept once the wish is fulfilled.
pub fn wanted(host: &Host, asked: &Asked, before: &Kept) -> Result<Kept, Fail> {
    let mut now = before.clone();
    match &asked.wish {
        Wish::Enable(resources) => now.set_disabled(resources, None),
        Wish::Disable(resources) => {
            now.set_disabled(resources, Some(&said(host, asked.reason.as_deref())?));
        }
        Wish::Online(_)
        | Wish::Offline(_)
        | Wish::Move(_)
        | Wish::Leave(_)
        | Wish::Giveover
        | Wish::Restart(_)
        | Wish::Renew(_) => {}
    }
    Ok(now.after(before, &host.name().parse()?, Timestamp::now()))
}

/// What is to be kept besides when a fault moves the group: that it failed where it is.
pub fn given_over(host: &Host, asked: &Asked, team: &Team, found: &Found, kept: Kept) -> Result<Kept, Fail> {
    let source = best_holder(&team.group, found).filter(|_| asked.wish == Wish::Giveover);
    let Some(source) = source else { return Ok(kept) };
    failed_on(host, team, &source, "it was given over", &kept)
}

/// What is kept when a run failed: where all is as before what was said before holds, and a node that a group could
/// not be given over to is one that it failed on, too.
pub fn after_failure(
    host: &Host,
    asked: &Asked,
    team: &Team,
    target: Option<&NodeName>,
    fail: &Fail,
    before: &Kept,
    kept: &Kept,
) -> Result<Kept, Fail> {
    let is_as_before = matches!(fail.exit(), Exit::Failed | Exit::Refused);
    match target {
        Some(target) if asked.is_failover() => {
            failed_on(host, team, target, "it could not be given over to it", kept)
        }
        Some(_) | None if is_as_before => {
            Ok(before.clone().after(kept, &host.name().parse()?, Timestamp::now()))
        }
        Some(_) | None => Ok(kept.clone()),
    }
}

fn failed_on(host: &Host, team: &Team, node: &NodeName, why: &str, kept: &Kept) -> Result<Kept, Fail> {
    let mark = Mark { by: "react".to_owned(), ..said(host, Some(why))? };
    let mut now = kept.clone();
    now.set_failed(node, mark, team.group.pingpong_interval);
    Ok(now.after(kept, &host.name().parse()?, Timestamp::now()))
}

/// What a wish says of its resources, as records.
pub fn told(asked: &Asked, team: &Team, before: &Kept, now: &Kept) -> Vec<MarkRecord> {
    let (Wish::Enable(resources) | Wish::Disable(resources)) = &asked.wish else { return Vec::new() };
    let record = |resource| {
        let said = now.lasting.disabled.get(resource).cloned();
        MarkRecord {
            group: asked.group.clone(),
            resource: Some(resource.clone()),
            failed_on: None,
            mark: Sort::Disabled,
            persistent: true,
            changed: said.as_ref() != before.lasting.disabled.get(resource),
            dry_run: asked.dry_run,
            said,
            lost: team.lost(),
        }
    };
    resources.iter().map(record).collect()
}

//! What a run that was killed left undone where the states do not tell it: a group that leaves a node or is restarted
//! is down for a moment, and then looks like one that is meant to be.

use std::time::Duration;

use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host};
use jiff::Timestamp;

use crate::journal::{self, Told};
use crate::plan::{Verb, Wish};
use crate::status;

/// How long the same command finishes what was begun; later somebody may have left it so on purpose.
const FRESH: Duration = Duration::from_secs(3600);

/// The wish that finishes what an earlier run of the same wish on this node began and did not end; the wish itself where
/// there is none, or where the states tell what is left to do.
pub fn finishing(host: &Host, group: &GroupName, wish: Wish) -> Result<Wish, Fail> {
    let Some(told) = begun(host, group, &wish)? else { return Ok(wish) };
    let sight = status::of(host, group)?;
    let finish = match &wish {
        Wish::Leave(left) if sight.group.online_on.is_none() => {
            let nodes = Group::load(host, group)?.nodes;
            let may_have_it = |node: &&NodeName| *node != left && !sight.group.lost.contains(*node);
            let begun_there = taken_on(&told, Verb::Start).filter(may_have_it);
            begun_there.or_else(|| nodes.iter().find(may_have_it)).map(|node| Wish::Move(Some(node.clone())))
        }
        Wish::Renew(_) if sight.exit == Exit::No => {
            taken_on(&told, Verb::Stop).map(|node| Wish::Online(Some(node.clone())))
        }
        Wish::Leave(_)
        | Wish::Renew(_)
        | Wish::Online(_)
        | Wish::Offline(_)
        | Wish::Move(_)
        | Wish::Giveover
        | Wish::Restart(_)
        | Wish::Enable(_)
        | Wish::Disable(_) => None,
    };
    let Some(finish) = finish else { return Ok(wish) };
    let (words, time) = (wish.words(), told.run.time);
    stderr::say(
        "ims-switch",
        format_args!("{group}: '{words}' of {time:.0} was not finished; it is now: {}", finish.words()),
    );
    Ok(finish)
}

/// The run of this wish that is the last one of the group here, but for those that were to finish it and did not either.
fn begun(host: &Host, group: &GroupName, wish: &Wish) -> Result<Option<Told>, Fail> {
    let Some(bytes) = file::read(&journal::path(host, group))? else { return Ok(None) };
    let (runs, _) = journal::read(&String::from_utf8_lossy(&bytes));
    Ok(last_unended(runs, wish, Timestamp::now()))
}

fn last_unended(runs: Vec<Told>, wish: &Wish, now: Timestamp) -> Option<Told> {
    let is_unended = |told: &Told| {
        let is_recent = now.duration_since(told.run.time).unsigned_abs() <= FRESH;
        is_recent && told.run.status.as_deref().is_none_or(|status| status == Exit::Broken.word())
    };
    let words = wish.words();
    runs.into_iter().rev().take_while(is_unended).find(|told| told.run.wish == words)
}

/// The node of the last step of this kind.
fn taken_on(told: &Told, verb: Verb) -> Option<&NodeName> {
    told.steps.iter().rfind(|step| step.verb == verb.word()).map(|step| &step.node)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::record::RunRecord;

    fn run(wish: &str, status: Option<&str>, time: Timestamp) -> Told {
        let run = RunRecord {
            run: None,
            group: "IMS-RG".parse().unwrap(),
            wish: wish.to_owned(),
            time,
            took_ms: None,
            gap_ms: None,
            changed: true,
            dry_run: false,
            status: status.map(ToOwned::to_owned),
            online_on: None,
            message: None,
        };
        Told { run, steps: Vec::new() }
    }

    #[test]
    fn only_the_last_run_of_the_same_wish_is_finished_and_not_for_long() {
        let now = Timestamp::now();
        let (leave, old) = ("leave mail-1", now - 2.hours());
        let wish = Wish::Leave("mail-1".parse().unwrap());
        for (runs, is_found) in [
            (vec![run(leave, None, now)], true),
            (vec![run(leave, Some("broken"), now)], true),
            (vec![run(leave, Some("ok"), now)], false),
            (vec![run(leave, Some("failed"), now)], false),
            (vec![run(leave, None, old)], false),
            (vec![run("leave mail-2", None, now)], false),
            (vec![run(leave, None, now), run("move --to mail-2", None, now)], true),
            (vec![run(leave, None, now), run("offline", Some("ok"), now)], false),
            (vec![], false),
        ] {
            let wishes: Vec<String> = runs.iter().map(|told| told.run.wish.clone()).collect();
            assert_eq!(last_unended(runs, &wish, now).is_some(), is_found, "{wishes:?}");
        }
    }
}

//! A run: reach the nodes, look, plan, prepare, and then its course.

mod act;
mod around;
mod course;
mod explain;
mod marks;
mod outcome;
mod prepare;
mod target;
pub mod team;

use std::time::{Duration, Instant};

use ims::fencing::Fenced;
use ims::group::{Group, Kind};
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;
use ims::{Exit, Fail, Host, Out, State};
use jiff::Timestamp;

use crate::found::{Found, Seen, state_on};
use crate::interrupt::Interrupt;
use crate::journal::Journal;
use crate::marks::change::untold;
use crate::plan::{self, Verb, Wish};
use crate::record::RunRecord;
use act::Crew;
use course::Run;
pub use explain::explain;
use prepare::Phases;
use team::Team;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The group.
    pub group: GroupName,
    /// What is wished of it.
    pub wish: Wish,
    /// Whether the plan is only shown.
    pub dry_run: bool,
    /// Whether a fault asks for it, and not a person.
    pub by_fault: bool,
    /// How long other runs of the group are waited for.
    pub patience: Duration,
    /// How long commands of `ims-switch run` are waited for.
    pub timeout: Duration,
    /// Nodes that a person switched off.
    pub confirm_fenced: Vec<NodeName>,
    /// Whether a person said that mirrors may be started without legs that are missing or stale.
    pub degraded: bool,
    /// Why, for what is kept.
    pub reason: Option<String>,
    /// Required groups that are taken for online: a run that was only shown would bring them online before.
    pub shown_before: Vec<GroupName>,
    /// Groups that are moved by the same command, and so need not stay with this one.
    pub along: Vec<GroupName>,
}

impl Asked {
    /// Whether a fault takes the group to whichever node can have it.
    pub const fn is_failover(&self) -> bool {
        self.by_fault && matches!(self.wish, Wish::Giveover | Wish::Online(None))
    }
}

/// Does what is asked for.
pub fn drive(host: &Host, asked: &Asked, interrupt: &Interrupt, out: &mut Out) -> Result<Exit, Fail> {
    let mut run =
        Run { asked, began: Instant::now(), time: Timestamp::now(), steps: Vec::new(), untold: None };
    let group = Group::load(host, &asked.group)?;
    let alone = asked.wish.alone();
    let nodes = nodes(host, alone)?;
    let mut phases = Phases::new(run.began, host.name().parse()?, asked.group.clone());
    let mut team =
        phases.time("reach", "the nodes of the group", || Team::gather(host, group, nodes, alone))?;
    refuse_differences(host, &team)?;
    if !asked.dry_run {
        phases.time("lock", "one run at a time", || team.lock(asked.patience))?;
    }
    let (before, all_say_so) = team.marks()?;
    before.refuse_frozen(&asked.group)?;
    let kept = marks::wanted(host, asked, &before)?;
    kept.apply(&mut team.group);
    allow_degraded(&mut team.group, asked);
    let team = team;
    let (mut found, _) = phases.time("look", "what is where", || Ok(team.look()))?;
    take_word(host, &team, &mut found, asked)?;
    found = found.amid(around::concerning(host, &team, asked, &before)?);
    let mut plan = plan::plan(&team.group, &found, &asked.wish)?;
    prepare::refuse_misnamed(&found, &plan, asked.by_fault)?;
    let kept = marks::given_over(host, asked, &team, &found, kept)?;
    let keep = |out: &mut Out| {
        if !asked.dry_run && (kept != before || !all_say_so) {
            marks::keep(asked, &team, &kept)?;
        }
        if kept != before && !asked.dry_run {
            untold(&team.lost());
        }
        let told = marks::told(asked, &team, &before, &kept);
        told.iter().try_for_each(|mark| out.record(mark))
    };
    if plan.steps.iter().all(|step| is_look_only(&team, step)) {
        keep(out)?;
        return run.nothing_to_do(&team, &found, &plan, out);
    }
    let starts = plan.steps.iter().any(|step| step.verb == Verb::Start);
    if starts {
        phases.time("check", "the groups it requires", || {
            prepare::required_groups(host, &team, &asked.shown_before)
        })?;
        plan = phases.time("check", "whether the target can take it", || {
            target::fit(&team, asked, &mut found, plan)
        })?;
        around::tell(&team, &found, asked, &plan);
    }
    if asked.dry_run {
        keep(out)?;
        return run.only_shown(&team, &found, &plan, out);
    }
    if starts {
        around::claim(&team, &found, asked, &plan)?;
    }
    phases
        .time("wait", "for commands of ims-switch run", || prepare::hold_runs(&team, &plan, asked.timeout))?;
    phases.time("sync", "so that the volumes are given up soon", || prepare::sync(&team, &plan))?;
    phases.time("ahead", "so that no process has to be started", || {
        prepare::ahead(&team, &plan);
        Ok(())
    })?;
    if let Some(signal) = interrupt.came() {
        return Err(Fail::failed(format!("stopped by {signal} before anything was touched")));
    }
    keep(out)?;
    let journal = Journal::new(host, &asked.group, run.began, run.time);
    run.steps = phases.records;
    for step in &mut run.steps {
        step.run = Some(journal.run().to_owned());
    }
    let begun = RunRecord {
        run: Some(journal.run().to_owned()),
        took_ms: None,
        status: None,
        ..run.record(Exit::Ok, None, None)
    };
    journal.begin(&begun, &run.steps).or_else(|fail| go_on_without(asked, fail))?;
    let crew = Crew { host, team: &team, journal: &journal, interrupt };
    let target = plan.target.clone();
    let result = run.carry_out(&crew, &found, plan, out);
    if let Err((fail, _)) = &result {
        // It did not fail there if it failed first elsewhere, or because somebody stopped the run.
        let is_its_fault = |target: &&NodeName| {
            interrupt.came().is_none() && run.failed_first_on().is_none_or(|node| node == *target)
        };
        let target = target.as_ref().filter(is_its_fault);
        let now = marks::after_failure(host, asked, &team, target, fail, &before, &kept)?;
        if now != kept {
            team.keep(&now).unwrap_or_else(|fail| ims::sys::stderr::say("ims-switch", fail));
        }
    }
    run.finish(&crew, result, out)
}

/// How the other nodes are reached. What needs none of them goes on without.
fn nodes(host: &Host, alone: Option<&NodeName>) -> Result<Nodes, Fail> {
    match Nodes::load(host) {
        Err(fail) if alone.is_some_and(|node| node.as_str() == host.name()) => {
            ims::sys::stderr::say("ims-switch", fail);
            Ok(Nodes::default())
        }
        nodes => nodes,
    }
}

/// A journal that cannot be written is no reason to leave a group where it fails. What is finished by the journal alone,
/// should the run be killed, is not begun without it.
fn go_on_without(asked: &Asked, fail: Fail) -> Result<(), Fail> {
    match &asked.wish {
        Wish::Leave(_) | Wish::Renew(_) => Err(fail),
        Wish::Online(_)
        | Wish::Offline(_)
        | Wish::Move(_)
        | Wish::Giveover
        | Wish::Restart(_)
        | Wish::Enable(_)
        | Wish::Disable(_) => {
            ims::sys::stderr::say("ims-switch", fail);
            Ok(())
        }
    }
}

/// Nodes that do not say the same are not moved between.
fn refuse_differences(host: &Host, team: &Team) -> Result<(), Fail> {
    match team.differences(host)?.first() {
        None => Ok(()),
        Some((node, what)) => Err(Fail::refused(format!("{node}: {what}"))
            .hint("give every node the same files; ims-switch check shows all differences")),
    }
}

/// Takes a person's word that mirrors may be started without all their legs, as a key of each volume would give it.
fn allow_degraded(group: &mut Group, asked: &Asked) {
    for resource in group.resources.iter_mut().filter(|_| asked.degraded) {
        if let Kind::Volume(volume) = &mut resource.kind {
            volume.degraded_start = true;
        }
    }
}

/// Takes a person's word for nodes that were switched off by hand.
fn take_word(host: &Host, team: &Team, found: &mut Found, asked: &Asked) -> Result<(), Fail> {
    for node in &asked.confirm_fenced {
        match found.get(node) {
            Some(Seen::Lost { .. }) => {}
            Some(Seen::Reached(_)) => {
                return Err(Fail::refused(format!("{node} answers, so it is not switched off"))
                    .hint("leave --confirm-fenced out"));
            }
            Some(Seen::Fenced) | None => {
                return Err(Fail::usage(format!("{node} is no node of {}", team.group.name)));
            }
        }
        if !asked.dry_run {
            team.prove(host, &Fenced::by_word(node));
        }
        found.fenced(node);
    }
    Ok(())
}

fn is_look_only(team: &Team, step: &plan::Step) -> bool {
    let resource = step.resource.as_ref().and_then(|name| team.group.get(name));
    resource.is_some_and(|resource| resource.kind.is_persistent())
}

/// The one node that all of a group is up on.
pub fn online_on(group: &Group, found: &Found) -> Option<NodeName> {
    let mut up =
        found.reached().filter(|(_, states)| state_on(group, states) == State::Up).map(|(node, _)| node);
    let first = up.next()?;
    up.next().is_none().then(|| first.clone())
}

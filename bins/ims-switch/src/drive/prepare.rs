//! Everything that can be known or done before the source is touched, so that nothing of it lies in the outage.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ims::group::Kind;
use ims::name::{GroupName, NodeName, ResourceName};
use ims::nodes;
use ims::span::millis;
use ims::sys::exec::Line;
use ims::{Exit, Fail, Host, Record};

use super::team::Team;
use crate::found::{Found, Seen};
use crate::plan::{Hints, Plan, Step, Verb};
use crate::record::{GroupRecord, Outcome, StepRecord};
use crate::resource::beside;
use crate::seat::Seat;
use crate::seat::wire::Ask;

/// How long a request of the preparation may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Takes the times of the preparation, one record a phase.
#[derive(Debug)]
pub struct Phases {
    began: Instant,
    node: NodeName,
    group: GroupName,
    /// What was done, in order.
    pub records: Vec<StepRecord>,
}

impl Phases {
    /// The phases of a run that began then.
    pub fn new(began: Instant, node: NodeName, group: GroupName) -> Self {
        Self { began, node, group, records: Vec::new() }
    }

    /// Does a phase and notes its time.
    pub fn time<T>(
        &mut self,
        verb: &str,
        why: &str,
        phase: impl FnOnce() -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let at = self.began.elapsed();
        let done = phase()?;
        self.records.push(StepRecord {
            run: None,
            group: self.group.clone(),
            step: self.records.len() + 1,
            node: self.node.clone(),
            resource: None,
            verb: verb.to_owned(),
            command: None,
            why: why.to_owned(),
            after: Vec::new(),
            outcome: Outcome::Done,
            changed: false,
            at_ms: Some(millis(at)),
            took_ms: Some(millis(self.began.elapsed().saturating_sub(at))),
            message: None,
            parts: Vec::new(),
        });
        Ok(done)
    }
}

/// What ssh says of a name that nobody knows.
const NO_SUCH_NAME: &str = "Could not resolve hostname";

/// Refuses a person's plan that would fence a node whose name cannot be looked up: it may be healthy, and its name written
/// wrong. A fault is mended all the same, for at night the name service may be part of it.
pub fn refuse_misnamed(found: &Found, plan: &Plan, by_fault: bool) -> Result<(), Fail> {
    if by_fault {
        return Ok(());
    }
    let misnamed = plan.steps.iter().filter(|step| step.verb == Verb::Fence).find_map(|step| {
        let Some(Seen::Lost { why, .. }) = found.get(&step.node) else { return None };
        why.contains(NO_SUCH_NAME).then_some((&step.node, why))
    });
    let Some((node, why)) = misnamed else { return Ok(()) };
    Err(Fail::unknown(format!("whether {node} is alive is unknown")).because(why).hint(format!(
        "correct its reach in {}; if it is down: ims-switch fence {node}, then this again with --confirm-fenced {node}",
        nodes::PATH
    )))
}

/// Refuses to start a group before those it requires are online somewhere.
pub fn required_groups(host: &Host, team: &Team, taken_for_online: &[GroupName]) -> Result<(), Fail> {
    let required = &team.group.requires_groups;
    for group in required.iter().filter(|group| !taken_for_online.contains(group)) {
        let line = Line::new(["ims-switch", "status", group.as_str()]);
        let mut command = beside(&line).arg("--output").arg("json");
        if host.is_elsewhere() {
            command = command.arg("--root").arg(host.path("/"));
        }
        let ended = command.run(PATIENCE)?;
        // Being online somewhere is enough, whatever its other nodes say.
        if is_online(&String::from_utf8_lossy(&ended.stdout)) {
            continue;
        }
        let name = &team.group.name;
        return Err(match ended.status.and_then(Exit::from_code) {
            Some(Exit::No) => Fail::refused(format!("{name} requires {group}, which is not online anywhere"))
                .hint(format!("ims-switch online {group}")),
            _ => Fail::refused(format!("{name} requires {group}, and whether that is online is unknown"))
                .because(ended.last_words()),
        });
    }
    Ok(())
}

/// Whether a status says that its group is online on a node.
fn is_online(stdout: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Group {
        schema: String,
        online_on: Option<NodeName>,
    }
    stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Group>(line).ok())
        .any(|group| group.schema == GroupRecord::SCHEMA && group.online_on.is_some())
}

/// The nodes on which something is stopped.
fn sources(plan: &Plan) -> impl Iterator<Item = &NodeName> {
    plan.steps.iter().filter(|step| step.verb == Verb::Stop).map(|step| &step.node)
}

/// Waits for commands under `ims-switch run` to end, and keeps new ones from beginning, wherever something is
/// stopped, and on every node but the target when something is started there: one that runs where the group was must
/// not meet itself where it is.
pub fn hold_runs(team: &Team, plan: &Plan, patience: Duration) -> Result<(), Fail> {
    let starts = plan.steps.iter().any(|step| step.verb == Verb::Start);
    let others = team.present().map(Seat::node).filter(|node| starts && Some(*node) != plan.target.as_ref());
    let nodes: BTreeSet<&NodeName> = sources(plan).chain(others).collect();
    for node in nodes {
        let ask = Ask::HoldRuns { patience_ms: millis(patience) };
        team.seat(node)?.ask(ask, patience + PATIENCE).map_err(|fail| {
            Fail::new(fail.exit(), format!("a command of ims-switch run has not ended on {node}: {fail}"))
        })?;
    }
    Ok(())
}

/// Writes the volumes out that will be given up, on each node that has any: what the servers write from now on is little.
pub fn sync(team: &Team, plan: &Plan) -> Result<(), Fail> {
    let is_volume = |step: &&Step| {
        let resource = step.resource.as_ref().and_then(|name| team.group.get(name));
        step.verb == Verb::Stop && resource.is_some_and(|resource| matches!(resource.kind, Kind::Volume(_)))
    };
    let nodes: BTreeSet<&NodeName> = plan.steps.iter().filter(is_volume).map(|step| &step.node).collect();
    nodes.into_iter().try_for_each(|node| team.seat(node)?.ask(Ask::Sync, PATIENCE).map(drop))
}

/// Has every node start the commands of its steps ahead. What one of them cannot prepare, or a node that is lost this
/// moment, is no reason to stop: the step tells why.
pub fn ahead(team: &Team, plan: &Plan) {
    let mut asks: BTreeMap<&NodeName, (BTreeMap<ResourceName, Hints>, BTreeSet<ResourceName>)> =
        BTreeMap::new();
    for step in &plan.steps {
        let Some(resource) = &step.resource else { continue };
        let (starts, stops) = asks.entry(&step.node).or_default();
        match step.verb {
            Verb::Start => drop(starts.insert(resource.clone(), step.hints.clone())),
            Verb::Stop => drop(stops.insert(resource.clone())),
            Verb::Fence => {}
        }
    }
    std::thread::scope(|scope| {
        for (node, (starts, stops)) in asks {
            scope.spawn(move || team.seat(node)?.ask(Ask::Ahead { starts, stops }, PATIENCE));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_a_name_that_nobody_knows_a_fault_fences_and_a_person_does_not() {
        let node: NodeName = "mail-2".parse().unwrap();
        let lost = |why: &str| {
            let why = why.to_owned();
            Found::new(vec![(node.clone(), Seen::Lost { why, can_be_fenced: true })])
        };
        let fence = Step {
            node: node.clone(),
            resource: None,
            verb: Verb::Fence,
            after: Vec::new(),
            why: String::new(),
            hints: Hints::default(),
            command: String::new(),
        };
        let plan = Plan { target: None, steps: vec![fence] };
        let misnamed = lost("ssh: Could not resolve hostname mail2: Name or service not known");
        for (found, by_fault, is_refused) in [
            (&misnamed, false, true),
            (&misnamed, true, false),
            (&lost("ssh: connect to host mail-2 port 22: No route to host"), false, false),
        ] {
            let refused = refuse_misnamed(found, &plan, by_fault).map_err(|fail| fail.exit());
            assert_eq!(refused, if is_refused { Err(Exit::Unknown) } else { Ok(()) }, "{by_fault}");
        }
        let nobody = Plan { target: None, steps: Vec::new() };
        assert!(refuse_misnamed(&misnamed, &nobody, false).is_ok());
    }
}

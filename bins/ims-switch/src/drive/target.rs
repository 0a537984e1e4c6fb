//! The target is asked whether it can take the group before anything is touched. Where a fault moves the group, a node
//! that cannot, or that cannot say, is passed over for the next one, as far as this run goes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ims::Fail;
use ims::name::{NodeName, ResourceName};

use super::Asked;
use super::team::Team;
use crate::found::Found;
use crate::plan::{self, Plan};
use crate::seat::wire::{Ask, Say, answers_another};

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The executables that the servers of a group use, by resource.
type Needs = BTreeMap<ResourceName, Vec<PathBuf>>;

/// The plan, or where a fault moves the group and its target is not fit for it the one for the first that is.
pub fn fit(team: &Team, asked: &Asked, found: &mut Found, mut plan: Plan) -> Result<Plan, Fail> {
    loop {
        let Some(target) = plan.target.clone() else { return Ok(plan) };
        let Err(fail) = check(team, &target, needs(team, &target)?, asked.degraded) else { return Ok(plan) };
        if !asked.is_failover() || found.around().unfit.contains_key(&target) {
            return Err(fail);
        }
        found.pass_over(&target, fail.to_string());
        plan = plan::plan(&team.group, found, &asked.wish)?;
    }
}

/// What the servers use on every node but the target.
pub fn needs(team: &Team, target: &NodeName) -> Result<Needs, Fail> {
    let mut needs = Needs::new();
    for seat in team.present().filter(|seat| seat.node() != target) {
        let Say::Needs(told) = seat.ask(Ask::Needs, PATIENCE)? else {
            return Err(answers_another(seat.node()));
        };
        for (name, paths) in told {
            needs.entry(name).or_default().extend(paths);
        }
    }
    Ok(needs)
}

/// Asks the target what would keep the group from starting there.
pub fn check(team: &Team, target: &NodeName, needs: Needs, degraded: bool) -> Result<(), Fail> {
    let Say::Findings(findings) = team.seat(target)?.ask(Ask::Check { needs, degraded }, PATIENCE)? else {
        return Err(answers_another(target));
    };
    if findings.is_empty() {
        return Ok(());
    }
    Err(Fail::failed(format!("{target} cannot take {}", team.group.name))
        .because(findings.join("; "))
        .hint("nothing was touched"))
}

//! `ims-switch plan --explain`: what a run would find and plan, told resource by resource.

use ims::group::Group;
use ims::nodes::Nodes;
use ims::{Exit, Fail, Host, Out};

use super::team::Team;
use super::{Asked, allow_degraded, around, prepare, refuse_differences, take_word, target};
use crate::plan::{self, Verb};

/// Explains the plan for what is asked for, and refuses what a run would refuse.
pub fn explain(host: &Host, asked: &Asked, out: &mut Out) -> Result<Exit, Fail> {
    let group = Group::load(host, &asked.group)?;
    let mut team = Team::gather(host, group, Nodes::load(host)?, asked.wish.alone())?;
    refuse_differences(host, &team)?;
    let (kept, _) = team.marks()?;
    kept.refuse_frozen(&asked.group)?;
    kept.apply(&mut team.group);
    allow_degraded(&mut team.group, asked);
    let (mut found, _) = team.look();
    take_word(host, &team, &mut found, asked)?;
    let found = found.amid(around::concerning(host, &team, asked, &kept)?);
    let planned = plan::plan(&team.group, &found, &asked.wish);
    for row in plan::explain::explain(&team.group, &found, &asked.wish, &planned) {
        out.record(&row)?;
    }
    let plan = planned?;
    if plan.steps.iter().any(|step| step.verb == Verb::Start) {
        prepare::required_groups(host, &team, &asked.shown_before)?;
        if let Some(to) = &plan.target {
            target::check(&team, to, target::needs(&team, to)?, asked.degraded)?;
        }
    }
    Ok(Exit::Ok)
}

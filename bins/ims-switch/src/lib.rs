//! `ims-switch`: resource groups, moved between nodes in the order their parts require.
//!
//! A run reaches every node ([`seat`] is a node's side), looks at all resources ([`resource`]), plans ([`plan`] is
//! pure), prepares the target before the source is touched, carries the steps out ([`drive`]), and looks again.

mod check;
pub mod cli;
mod drive;
mod fence;
pub mod found;
mod guards;
mod hand;
mod history;
mod interrupt;
mod journal;
mod lap;
#[cfg(test)]
mod model;
pub mod plan;
mod react;
mod record;
mod rehearse;
mod resource;
mod run;
mod seat;
mod status;

use ims::name::GroupName;
use ims::{Exit, Fail, Host, Out};

pub use check::GroupCheck;
pub use cli::Args;
pub use plan::explain::Explained;
pub use react::Decision;
pub use record::{GroupRecord, ResourceRecord, RunRecord, StepRecord};
pub use rehearse::RehearsalRecord;
pub use seat::wire::Reply;

use drive::{Asked, drive};
use interrupt::Interrupt;
use plan::{Verb, Wish};

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb {
        cli::Verb::Check(groups) => check::check(host, &groups.groups, out),
        cli::Verb::Status(groups) => status::status(host, &groups.groups, out),
        cli::Verb::Plan(plan) => {
            let (groups, wish, mut change) = match plan.wish {
                cli::Planned::Online(online) => (online.groups, Wish::Online(online.on), online.change),
                cli::Planned::Offline(offline) => {
                    (offline.groups, offline_wish(host, offline.here)?, offline.change)
                }
                cli::Planned::Move(moved) => (moved.groups, Wish::Move(moved.to), moved.change),
            };
            change.dry_run = true;
            if plan.explain {
                return each_asked(&groups, &wish, &change, |asked| drive::explain(host, asked, out));
            }
            each(host, &groups, &wish, &change, out)
        }
        cli::Verb::Online(online) => {
            each(host, &online.groups, &Wish::Online(online.on), &online.change, out)
        }
        cli::Verb::Offline(offline) => {
            each(host, &offline.groups, &offline_wish(host, offline.here)?, &offline.change, out)
        }
        cli::Verb::Move(moved) => each(host, &moved.groups, &Wish::Move(moved.to), &moved.change, out),
        cli::Verb::History(args) => history::history(host, &args, out),
        cli::Verb::Rehearse(args) => rehearse::rehearse(host, &args, out),
        cli::Verb::Run(args) => run::run(host, &args, &Interrupt::watch()?),
        cli::Verb::React(args) => react::react(host, &args, &Interrupt::watch()?, out),
        cli::Verb::Start(one) => hand::step(host, &one, Verb::Start, out),
        cli::Verb::Stop(one) => hand::step(host, &one, Verb::Stop, out),
        cli::Verb::Fence(args) => fence::command(host, &args, out),
        cli::Verb::Serve { group } => seat::serve::serve(host, &group, out),
    }
}

fn offline_wish(host: &Host, here: bool) -> Result<Wish, Fail> {
    Ok(Wish::Offline(if here { Some(host.name().parse()?) } else { None }))
}

/// Does the same with one group after the other; the first that fails ends it.
fn each(
    host: &Host,
    groups: &[GroupName],
    wish: &Wish,
    change: &cli::Change,
    out: &mut Out,
) -> Result<Exit, Fail> {
    let interrupt = Interrupt::watch()?;
    each_asked(groups, wish, change, |asked| drive(host, asked, &interrupt, out))
}

fn each_asked(
    groups: &[GroupName],
    wish: &Wish,
    change: &cli::Change,
    mut act: impl FnMut(&Asked) -> Result<Exit, Fail>,
) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    for group in groups {
        let asked = Asked {
            group: group.clone(),
            wish: wish.clone(),
            dry_run: change.dry_run,
            timeout: change.timeout.0,
            confirm_fenced: change.confirm_fenced.clone(),
        };
        exit = exit.gravest(act(&asked)?);
    }
    Ok(exit)
}

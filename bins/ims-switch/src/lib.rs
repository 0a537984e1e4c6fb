//! `ims-switch`: resource groups, moved between nodes in the order their parts require.
//!
//! A run reaches every node ([`seat`] is a node's side), looks at all resources ([`resource`]), plans ([`plan`] is
//! pure), prepares the target before the source is touched, carries the steps out ([`drive`]), and looks again.

mod add;
pub mod around;
mod availability;
mod check;
pub mod cli;
mod drive;
mod evacuate;
pub mod export;
mod fence;
pub mod found;
mod freeze;
mod graph;
mod guards;
mod hand;
mod history;
pub mod import;
mod interrupt;
mod journal;
mod kin;
mod lap;
mod marks;
mod model;
pub mod plan;
mod put;
mod react;
mod record;
mod rehearse;
mod resource;
mod run;
mod runs;
mod seat;
mod several;
mod shared;
mod status;
mod unfinished;
mod vcs;
#[cfg(test)]
mod walk;

use ims::{Exit, Fail, Host, Out};

pub use availability::AvailabilityRecord;
pub use check::GroupCheck;
pub use cli::Args;
pub use export::ExportedFile;
pub use graph::{GroupGraph, ResourceGraph};
pub use history::{Recovery, Timeline};
pub use import::Remark;
pub use marks::MarkRecord;
pub use model::ModelRecord;
pub use plan::explain::Explained;
pub use react::Decision;
pub use record::{GroupRecord, ResourceRecord, RunRecord, StepRecord};
pub use rehearse::RehearsalRecord;
pub use seat::wire::Reply;

use interrupt::Interrupt;
use plan::{Verb, Wish};
use several::each;

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb {
        cli::Verb::Check(groups) => check::check(host, &groups.groups, out),
        cli::Verb::Status(groups) => status::status(host, &groups.groups, out),
        cli::Verb::Graph(graph) => graph::graph(host, &graph, args.common.output, out),
        cli::Verb::Model(asked) => model::model(host, &asked, out),
        cli::Verb::Plan(plan) if plan.explain => several::explain(host, plan.wish, out),
        cli::Verb::Plan(plan) => match plan.wish {
            cli::Planned::Online(online) => several::online(host, &online.only_shown(), out),
            cli::Planned::Offline(offline) => several::offline(host, &offline.only_shown(), out),
            cli::Planned::Move(moved) => {
                each(host, &moved.groups, &Wish::Move(moved.to), &moved.change.only_shown(), out)
            }
            cli::Planned::Evacuate(args) => evacuate::evacuate(host, &args.only_shown(), out),
        },
        cli::Verb::Online(online) => several::online(host, &online, out),
        cli::Verb::Offline(offline) => several::offline(host, &offline, out),
        cli::Verb::Move(moved) => each(host, &moved.groups, &Wish::Move(moved.to), &moved.change, out),
        cli::Verb::Restart(restart) => {
            let wish = unfinished::finishing(host, &restart.group, Wish::Renew(restart.resources))?;
            each(host, &[restart.group], &wish, &restart.change, out)
        }
        cli::Verb::Evacuate(args) => evacuate::evacuate(host, &args, out),
        cli::Verb::Enable(enable) => several::enable(host, &enable, out),
        cli::Verb::Disable(disable) => several::disable(host, &disable, out),
        cli::Verb::Freeze(args) => freeze::freeze(host, &args, out),
        cli::Verb::Unfreeze(args) => freeze::unfreeze(host, &args, out),
        cli::Verb::Clear(args) => freeze::clear(host, &args, out),
        cli::Verb::Add(args) => add::add(host, &args, out),
        cli::Verb::Remove(args) => add::remove(host, &args, out),
        cli::Verb::Rehearse(args) => rehearse::rehearse(host, &args, out),
        cli::Verb::History(args) => history::history(host, &args, out),
        cli::Verb::Availability(args) => availability::availability(host, &args, out),
        cli::Verb::Run(args) => run::run(host, &args, &Interrupt::watch()?),
        cli::Verb::React(args) => react::react(host, &args, &Interrupt::watch()?, out),
        cli::Verb::Start(one) => hand::step(host, &one, Verb::Start, out),
        cli::Verb::Stop(one) => hand::step(host, &one, Verb::Stop, out),
        cli::Verb::Fence(args) => fence::command(host, &args, out),
        cli::Verb::Import(args) => import::import(host, &args, out),
        cli::Verb::Export(args) => export::export(host, &args, out),
        cli::Verb::Serve { group, file: false } => seat::serve::serve(host, &group, out),
        cli::Verb::Serve { group, file: true } => seat::serve::serve_file(host, &group, out),
    }
}

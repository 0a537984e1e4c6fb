//! The servers' configuration: where they listen, made to listen on the logical address alone, and given back.

mod ask;
mod chosen;
pub mod cli;
mod plan;
mod show;

use ims::edit::{Plan, Transaction, kept, locks, look, tell};
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out};

pub use ask::ask;
use chosen::Chosen;
pub use show::{Sent, Shown, Stray, show};

/// The name of the command, for what it says on stderr.
const NAME: &str = "ims-ipbind";

/// Makes the servers of the chosen instances listen on their logical addresses alone.
pub fn set(host: &Host, args: &cli::Set, out: &mut Out) -> Result<Exit, Fail> {
    let chosen = chosen::to_set(host, args)?;
    let stop = watch(&args.change)?;
    for one in &chosen {
        bind(host, one, &args.change, stop.as_ref(), out)?;
    }
    Ok(Exit::Ok)
}

/// Makes the servers of one instance listen on its addresses alone.
fn bind(
    host: &Host,
    one: &Chosen,
    args: &cli::Change,
    stop: Option<&Stop>,
    out: &mut Out,
) -> Result<(), Fail> {
    change(host, one, args, stop, out, |found| plan::set(one, found))?;
    out.flush()?; // what was done is told before what is left to do
    chosen::compare_with_registry(host, one);
    Ok(())
}

/// Gives back the files of an instance as they were before the first `set`.
pub fn restore(host: &Host, args: &cli::Restore, out: &mut Out) -> Result<Exit, Fail> {
    let one = chosen::to_restore(host, args)?;
    let stop = watch(&args.change)?;
    change(host, &one, &args.change, stop.as_ref(), out, |found| Ok(plan::restore(&one, found)))?;
    Ok(Exit::Ok)
}

/// From here on signals wait until they are asked for between two steps; a dry run has no steps.
fn watch(args: &cli::Change) -> Result<Option<Stop>, Fail> {
    if args.dry_run { Ok(None) } else { Stop::watch().map(Some) }
}

/// Looks, plans, and carries the plan out under the locks of the instance; a dry run only shows it.
fn change(
    host: &Host,
    one: &Chosen,
    args: &cli::Change,
    stop: Option<&Stop>,
    out: &mut Out,
    plan: impl FnOnce(&look::Found) -> Result<Plan, Fail>,
) -> Result<(), Fail> {
    let _locks = if args.dry_run { Vec::new() } else { locks(host, &[&one.instance], args.timeout.0)? };
    let found = look::found(host, &one.instance, args.timeout.0)?;
    let plan = plan(&found)?;
    if found.is_pending {
        let told = "an earlier change was interrupted; what is left of it is done now";
        ims::sys::stderr::say(NAME, format_args!("{}: {told}", one.instance.name));
    }
    for note in &plan.notes {
        ims::sys::stderr::say(NAME, note);
    }
    if !args.force_slapd_running {
        plan.rewritten_directories().try_for_each(|folder| look::slapd_is_stopped(host, folder))?;
    }
    if let Some(stop) = stop {
        let timeout = args.timeout.0;
        let (command, instance) = (NAME, &one.instance);
        Transaction { command, host, instance, found: &found, plan: &plan, timeout, stop }.carry_out()?;
    }
    tell(&plan, args.dry_run, out)
}

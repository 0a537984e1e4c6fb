//! `ims-portcheck`: which instances would collide on one node, told from their configuration; and which of their
//! ports somebody else has on this node now.

mod ask;
mod assign;
pub mod cli;
mod judge;
pub mod kernel;
mod look;
mod outgoing;
mod overlap;
mod piped;
mod record;
mod units;

use ims::fail::FailRecord;
use ims::group::Group;
use ims::name::NodeName;
use ims::nodes::Nodes;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};

pub use cli::Args;
use look::{Configured, Given};
pub use record::{Conflict, Fit, Fits, Side, Verdict};

/// The name of the command, for what it says on stderr.
const NAME: &str = "ims-portcheck";

/// Runs the command.
pub fn main(mut args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb.take() {
        Some(cli::Verb::Assign(assign)) => match args.stray() {
            Some(stray) => Err(Fail::usage(format!("{stray} before assign"))
                .hint("what it is about stands behind it; see ims-portcheck assign --help")),
            None => assign::run(host, &assign, args.timeout.0, out),
        },
        None => tell(host, &args, out),
    }
}

/// Tells what collides, node by node.
fn tell(host: &Host, args: &Args, out: &mut Out) -> Result<Exit, Fail> {
    let nodes = nodes(host, args)?;
    let given = look::given(host, &args.what)?;
    let mut known = Known { configured: Vec::new(), unread: Vec::new() };
    let mut exit = Exit::Ok;
    // Why the answer is not whole: what this run ends with.
    let mut fail: Option<Fail> = None;
    for instance in &given.asked {
        match look::listeners(host, instance, &given.told) {
            Ok(listeners) => known.configured.extend(listeners),
            Err(why) => {
                stderr::say(NAME, &why);
                known.unread.push(why.to_string());
                if why.exit() == Exit::Usage {
                    fail.get_or_insert(why);
                }
            }
        }
    }
    let mut is_quiet = true;
    for node in &nodes {
        let found = on_node(host, node, args, &given, &known)?;
        for conflict in &found.conflicts {
            exit = exit.gravest(conflict.verdict.into());
            out.record(conflict)?;
        }
        is_quiet = is_quiet && found.conflicts.is_empty();
        let fit = fit(node, &given, &known, &found);
        if let Some(why) = found.unknown.first() {
            let of = if is_asked_per_node(args) { format!("{node}: ") } else { String::new() };
            fail.get_or_insert_with(|| Fail::unknown(format!("{of}{why}")));
        }
        if is_asked_per_node(args) {
            out.record(&fit)?;
        }
    }
    if let Some(fail) = fail {
        out.record(&FailRecord::from(&fail))?;
        return Ok(exit.gravest(fail.exit()));
    }
    if is_quiet && exit == Exit::Ok && !is_asked_per_node(args) {
        let (listeners, instances) = (known.configured.len(), given.asked.len());
        out.text(&format!("no conflict: {listeners} listeners, {instances} instances"))?;
    }
    Ok(exit)
}

/// The configurations as far as they could be read.
struct Known {
    configured: Vec<Configured>,
    /// Why that of an instance could not.
    unread: Vec<String>,
}

/// What was found on a node.
#[derive(Default)]
struct Found {
    conflicts: Vec<Conflict>,
    unknown: Vec<String>,
}

const fn is_asked_per_node(args: &Args) -> bool {
    args.answer || !args.as_on.is_empty() || !args.groups.is_empty()
}

/// The nodes that are asked about, each once.
fn nodes(host: &Host, args: &Args) -> Result<Vec<NodeName>, Fail> {
    let mut nodes: Vec<NodeName> = Vec::new();
    for group in &args.groups {
        nodes.extend(Group::load(host, group)?.nodes);
    }
    nodes.extend(args.as_on.iter().cloned());
    if nodes.is_empty() {
        nodes.push(host.name().parse()?);
    }
    let mut seen = std::collections::HashSet::new();
    nodes.retain(|node| seen.insert(node.clone()));
    Ok(nodes)
}

/// What collides on a node, as if it had to host all instances.
fn on_node(host: &Host, node: &NodeName, args: &Args, given: &Given, known: &Known) -> Result<Found, Fail> {
    let configured = &known.configured;
    let mut found =
        Found { conflicts: judge::configured(node.as_str(), configured), unknown: known.unread.clone() };
    if args.no_live || given.asked.is_empty() {
        return Ok(found);
    }
    if node.as_str() == host.name() {
        here(host, args, given, configured, &mut found)?;
        return Ok(found);
    }
    let more: &[&str] = if args.disabled_units { &["--disabled-units"] } else { &[] };
    let records = ask::known(host.name(), &given.asked, configured)?;
    match ask::ask(&Nodes::load(host)?, node, more, &records, given.asked.len(), args.timeout.0) {
        Ok(answered) => {
            // It judges the configurations too, and with what only it can read.
            for why in &answered.unknown {
                stderr::say(NAME, format_args!("{node}: {why}"));
            }
            found = Found { conflicts: answered.conflicts, unknown: answered.unknown };
        }
        Err(fail) => {
            stderr::say(NAME, &fail);
            found.unknown.push(fail.to_string());
        }
    }
    Ok(found)
}

/// Adds what this node itself has.
fn here(
    host: &Host,
    args: &Args,
    given: &Given,
    configured: &[Configured],
    found: &mut Found,
) -> Result<(), Fail> {
    let units = units::units(host)?;
    for fail in units.unknown {
        stderr::say(NAME, &fail);
        found.unknown.push(fail.to_string());
    }
    let node = host.name();
    found.conflicts.extend(judge::units(node, configured, &units.sockets, args.disabled_units));
    let taken = look::taken(host, configured)?;
    let instances = given.asked.iter().chain(&given.others).map(|piped| &piped.record).collect::<Vec<_>>();
    found.conflicts.extend(judge::live(
        host,
        configured,
        &taken,
        &units.sockets,
        &instances,
        &found.conflicts,
    ));
    found.conflicts.extend(judge::outgoing(node, configured, &outgoing::Outgoing::of(host)?));
    Ok(())
}

/// The answer for a node.
fn fit(node: &NodeName, given: &Given, known: &Known, found: &Found) -> Fit {
    let count = |verdict| found.conflicts.iter().filter(|conflict| conflict.verdict == verdict).count();
    let (conflicts, unknown) = (count(Verdict::Conflict), count(Verdict::Unknown));
    let fits = if conflicts > 0 {
        Fits::No
    } else if unknown > 0 || !found.unknown.is_empty() {
        Fits::Unknown
    } else {
        Fits::Yes
    };
    Fit {
        node: node.to_string(),
        fits,
        instances: given.asked.len(),
        listeners: known.configured.len(),
        conflicts,
        warnings: count(Verdict::Warning),
        unknown: found.unknown.clone(),
    }
}

//! `ims-portcheck`: which instances would collide on one node, told from their configuration; and which of their
//! ports somebody else has on this node now.

pub mod cli;
mod judge;
mod look;
mod overlap;
mod record;

use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};

pub use cli::Args;
pub use record::{Conflict, Side, Verdict};

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    let Args { what, no_live, .. } = args;
    let look::Instances { asked: instances, others } = look::instances(host, &what)?;
    let mut exit = Exit::Ok;
    let mut configured = Vec::new();
    for instance in &instances {
        match look::listeners(host, instance) {
            Ok(listeners) => configured.extend(listeners),
            Err(fail) => {
                stderr::say("ims-portcheck", &fail);
                exit = exit.gravest(if fail.exit() == Exit::Usage { Exit::Usage } else { Exit::Unknown });
            }
        }
    }
    let mut conflicts = judge::configured(&configured);
    if !no_live {
        let taken = look::taken(host, &configured)?;
        let known = instances.iter().chain(&others).map(|piped| &piped.record).collect::<Vec<_>>();
        conflicts.extend(judge::live(host, &configured, &taken, &known, &conflicts));
    }
    for conflict in &conflicts {
        exit = exit.gravest(conflict.verdict.into());
        out.record(conflict)?;
    }
    if conflicts.is_empty() && exit == Exit::Ok {
        out.text(&format!("no conflict: {} listeners, {} instances", configured.len(), instances.len()))?;
    }
    Ok(exit)
}

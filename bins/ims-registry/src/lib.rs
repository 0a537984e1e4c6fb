//! `ims-registry`: which instances this node knows. It reads and edits `/etc/msgregistry.inf` and nothing else;
//! `scan` finds what could stand there.

mod act;
pub mod cli;
mod look;

use ims::{Exit, Fail, Host, Out};

pub use cli::Args;
pub use look::Checked;

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb {
        cli::Verb::List { names } => look::list(host, &names, out),
        cli::Verb::Add(add) => act::add(host, &add, out),
        cli::Verb::Remove(remove) => act::remove(host, &remove, out),
        cli::Verb::Scan { roots } => look::scan(host, &roots, out),
        cli::Verb::Check { names } => look::check(host, &names, out),
    }
}

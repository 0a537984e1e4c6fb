//! `ims-registry`: which instances this node knows. It reads and edits `/etc/msgregistry.inf` and nothing else;
//! `scan` and `import` find what could stand there, `diff` and `replicate` compare it with other nodes' and put it
//! there, through the `ims-registry` that is installed there.

mod act;
mod check;
pub mod cli;
mod draft;
mod import;
mod look;
mod node;
mod receive;
mod replica;
mod replicate;

use ims::{Exit, Fail, Host, Out};

pub use check::{Checked, Finding};
pub use cli::Args;
pub use replica::{Difference, Replica};

/// The command's name, as it stands before what it tells people.
const NAME: &str = "ims-registry";

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb {
        cli::Verb::List { names } => look::list(host, &names, out),
        cli::Verb::Add(add) => act::add(host, &add, out),
        cli::Verb::Remove(remove) => act::remove(host, &remove, out),
        cli::Verb::Scan { roots } => look::scan(host, &roots, out),
        cli::Verb::Import(import) => import::import(host, &import, out),
        cli::Verb::Check { names } => check::check(host, &names, out),
        cli::Verb::Diff(diff) => replicate::diff(host, &diff, out),
        cli::Verb::Replicate(replicate) => replicate::replicate(host, &replicate, out),
        cli::Verb::Receive(receive) => receive::receive(host, &receive, out),
    }
}

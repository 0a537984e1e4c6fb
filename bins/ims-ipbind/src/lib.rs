//! `ims-ipbind`: the logical IP. It puts the address on an interface, and makes an instance's servers listen on
//! it and on nothing else.

pub mod address;
pub mod cli;
pub mod files;

use ims::{Exit, Fail, Host, Out};

pub use cli::Args;
pub use files::Shown;

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb {
        cli::Verb::Show(show) => files::show(host, &show, out),
        cli::Verb::Set(set) => files::set(host, &set, out),
        cli::Verb::Restore(restore) => files::restore(host, &restore, out),
        cli::Verb::Up(up) => address::up(&up, out),
        cli::Verb::Down(down) => address::down(&down, out),
        cli::Verb::Announce(announce) => address::announce(&announce, out),
        cli::Verb::Look(look) => address::look(&look, out),
    }
}

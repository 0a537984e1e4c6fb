//! `ims-ipbind`: the logical IP. It puts the address on an interface, and makes an instance's servers listen on
//! it and on nothing else.

pub mod address;
pub mod cli;
pub mod files;

use ims::sys::prompt::is_attended;
use ims::{Exit, Fail, Host, Out};

pub use cli::Args;
pub use files::{Sent, Shown, Stray};

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    let Some(verb) = args.verb else {
        return if is_attended() {
            files::ask(host, &files::cli::Ask::default(), out)
        } else {
            Err(no_verb())
        };
    };
    match verb {
        cli::Verb::Show(show) => files::show(host, &show, out),
        cli::Verb::Set(set) => files::set(host, &set, out),
        cli::Verb::Ask(ask) => files::ask(host, &ask, out),
        cli::Verb::Restore(restore) => files::restore(host, &restore, out),
        cli::Verb::Up(up) => address::up(&up, out),
        cli::Verb::Down(down) => address::down(&down, out),
        cli::Verb::Announce(announce) => address::announce(&announce, out),
        cli::Verb::Look(look) => address::look(&look, out),
    }
}

/// Nobody is there who could be asked.
fn no_verb() -> Fail {
    Fail::usage("nothing is said to be done, and there is no terminal to ask at")
        .hint("say show, set, ask, restore, up, down, announce or look; see ims-ipbind --help")
}

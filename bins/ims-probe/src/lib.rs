//! `ims-probe`: is a service answering, and how deeply. It holds the first words of a protocol with every target
//! at once, and says what came back; it never repairs, restarts or judges a trend.
//!
//! One probe goes through stages (`connect`, `greet`, `ehlo`, …) under one deadline. What went wrong is a
//! [`trouble::Trouble`]; what that means is decided in [`verdict`] alone: only the server's own doing is *down*,
//! and what the prober could not find out is *unknown*.

pub mod answer;
pub mod ask;
pub mod cli;
mod config;
mod deliver;
mod descriptors;
pub mod dialogue;
pub mod endpoint;
mod engine;
pub mod feed;
pub mod finding;
mod form;
mod gather;
mod hand;
pub mod level;
mod live;
mod names;
mod outlet;
pub mod parcel;
mod plugin;
mod print;
mod probe;
mod pulse;
mod reach;
mod report;
mod rhythm;
mod rounds;
pub mod secrets;
pub mod stage;
mod summary;
mod tally;
mod teller;
mod textfile;
pub mod tls;
pub mod trouble;
mod verdict;
mod watch;
pub mod window;
pub mod wire;
pub mod words;

use std::process::ExitCode;

use ims::{Exit, Fail, Host, Out};

pub use answer::Answer;
pub use cli::Args;
use print::Ended;
pub use summary::Summary;

/// Runs the command, from its arguments to its exit status.
pub fn run() -> ExitCode {
    if plugin::is_asked(std::env::args_os().skip(1)) { plugin::run() } else { ims::command::run(main) }
}

#[allow(clippy::needless_pass_by_value)] // the shape ims::command::run wants
fn main(args: Args, host: &Host, _: &mut Out) -> Result<Exit, Fail> {
    if let Some(starter) = args.hand {
        return hand::serve(starter).map(|()| Exit::Ok);
    }
    probe(&args, host).map(|ended| ended.exit)
}

fn probe(args: &Args, host: &Host) -> Result<Ended, Fail> {
    args.check()?;
    let targets = gather::targets(host, &args.targets, args.part)?;
    watch::run(host, targets, args)
}

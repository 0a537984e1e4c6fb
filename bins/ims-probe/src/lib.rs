//! `ims-probe`: is a service answering, and how deeply. It holds the first words of a protocol with every target
//! at once, and says what came back; it never repairs, restarts or judges a trend.
//!
//! One probe goes through stages (`connect`, `greet`, `ehlo`, …) under one deadline. What went wrong is a
//! [`trouble::Trouble`]; what that means is decided in [`verdict`] alone: only the server's own doing is *down*,
//! and what the prober could not find out is *unknown*.

pub mod answer;
pub mod cli;
mod config;
mod descriptors;
pub mod dialogue;
pub mod endpoint;
mod engine;
pub mod feed;
pub mod finding;
mod gather;
pub mod level;
mod names;
mod outlet;
mod print;
mod probe;
mod pulse;
mod rhythm;
mod rounds;
pub mod stage;
mod tally;
pub mod tls;
pub mod trouble;
mod verdict;
mod watch;
pub mod wire;
pub mod words;

use ims::{Exit, Fail, Host, Out};

pub use answer::Answer;
pub use cli::Args;

/// Runs the command.
#[allow(clippy::needless_pass_by_value)] // the shape ims::command::run wants
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    let kit = args.tls_kit()?;
    let targets = gather::targets(host, &args.targets, args.part)?;
    watch::run(host, targets, &args, kit, out)
}

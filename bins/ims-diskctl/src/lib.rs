//! `ims-diskctl`: which node masters a shared volume; takes it and gives it up.
//!
//! A volume is layers of devices, a file system on them, and a guard that keeps two nodes from writing at once.
//! [`look`] finds what is there, [`plan`] decides, [`act`] does; whatever touches the disk is done by a [`hand`].

mod act;
mod check;
pub mod cli;
mod each;
pub mod filesystem;
pub mod guard;
mod hand;
mod layer;
mod look;
mod mirror;
mod names;
mod naming;
mod owner;
mod plan;
mod proof;
pub mod record;
mod users;
mod volume;

use ims::{Exit, Fail, Host, Out};

pub use check::VolumeCheck;
pub use cli::Args;
pub use guard::show::GuardRecord;
pub use mirror::{Degraded, Mirror};
pub use record::{DiskGroup, LayerStep, Volume, VolumeStep};

/// The command's name in messages.
const NAME: &str = "ims-diskctl";

/// Runs the command.
pub fn main(args: Args, host: &Host, out: &mut Out) -> Result<Exit, Fail> {
    match args.verb {
        cli::Verb::Look(args) => look::print(host, &args, out),
        cli::Verb::Take(args) => act::take(host, &args, out),
        cli::Verb::Release(args) => act::release(host, &args, out),
        cli::Verb::Guard(args) => guard::show::print(host, &args, out),
        cli::Verb::Check(args) => check::print(host, &args, out),
        cli::Verb::Mirror(args) => mirror::print(host, &args, out),
        cli::Verb::Hand { starter } => hand::serve(starter),
    }
}

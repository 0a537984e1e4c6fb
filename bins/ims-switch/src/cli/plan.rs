//! The command line of `ims-switch plan`.

use clap::Subcommand;

use super::{Evacuate, Move, Offline, Online};

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Say for every resource on every node why it is or is not touched, instead of the steps
    #[arg(long, global = true)]
    pub explain: bool,
    /// What is planned.
    #[command(subcommand)]
    pub wish: Planned,
}

/// What is planned.
#[derive(Debug, Subcommand)]
pub enum Planned {
    /// Bring a group online on one node
    Online(Online),
    /// Take a group offline
    Offline(Offline),
    /// Move a group to another node
    Move(Move),
    /// Move every group that is on a node to its next node
    Evacuate(Evacuate),
}

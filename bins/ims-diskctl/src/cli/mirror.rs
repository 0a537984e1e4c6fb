//! The arguments of `mirror`.

use ims::span::Span;

use super::VolumeArgs;

/// The arguments of `mirror`.
#[derive(Debug, clap::Args)]
pub struct Mirror {
    /// The volumes.
    #[command(flatten)]
    pub volumes: VolumeArgs,
    /// Wait until nothing is being made alike any more, for at most so long
    #[arg(long, value_name = "TIME")]
    pub wait: Option<Span>,
    /// How long the disks may take to answer; after that the state is unknown
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub timeout: Span,
}

/// What may be done to start a mirror.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Legs {
    /// Start a mirror without a leg that is missing or lacks what was written since
    #[arg(long)]
    pub degraded: bool,
    /// Start a mirror from the leg that --device names though another is newer: what only that one has is lost
    #[arg(long, requires = "device")]
    pub force_stale_leg: bool,
}

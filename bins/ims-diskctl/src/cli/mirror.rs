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

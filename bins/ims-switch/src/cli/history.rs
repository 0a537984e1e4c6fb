//! The command line of `ims-switch history`.

use std::path::PathBuf;

use ims::name::GroupName;

/// The arguments of `history`.
#[derive(Debug, clap::Args)]
pub struct History {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: GroupName,
    /// Only this many runs, the last ones
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// Draw where the time of each run went, and which steps would shorten the outage if they were quicker
    #[arg(long)]
    pub timeline: bool,
    /// Draw the same into a file, as SVG
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Print how long outages and runs took, by kind of run, instead of the runs
    #[arg(long, conflicts_with_all = ["timeline", "svg"])]
    pub stats: bool,
}

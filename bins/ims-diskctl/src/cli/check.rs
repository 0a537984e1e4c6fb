//! The arguments of `check`.

use ims::Fail;
use ims::span::Span;

use super::VolumeArgs;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The volumes.
    #[command(flatten)]
    pub volumes: VolumeArgs,
    /// What is too much.
    #[command(flatten)]
    pub limits: Limits,
    /// How long it may take in all; a disk that has not answered by then is unknown
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}

/// From where on something is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Limits {
    /// How much of the space may be used, of what users other than root can have
    #[arg(long, value_name = "PERCENT", default_value = "90", value_parser = percent)]
    pub max_space: u64,
    /// How many of the inodes may be used
    #[arg(long, value_name = "PERCENT", default_value = "90", value_parser = percent)]
    pub max_inodes: u64,
    /// How long it may take to write a block and make it durable
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub max_write: Span,
}

fn percent(text: &str) -> Result<u64, Fail> {
    let number = text.trim_end_matches('%').parse().ok().filter(|number| *number <= 100);
    number.ok_or_else(|| Fail::usage(format!("not a percentage: '{}'", text.escape_debug())).hint("0 to 100"))
}

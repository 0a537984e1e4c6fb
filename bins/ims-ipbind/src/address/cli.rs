//! The arguments of the verbs.

use ims::address::LogicalIp;
use ims::span::Span;

/// The arguments of `up`.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// The logical address with its prefix length
    #[arg(value_name = "ADDRESS/PREFIX")]
    pub address: LogicalIp,
    /// The interface to put it on
    #[arg(long, value_name = "DEV")]
    pub device: String,
    /// How long to listen for somebody else who has the address; 0s asks nobody
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub probe_wait: Span,
    /// How long the kernel may take to look for duplicates of an IPv6 address
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
    /// How often to tell the neighbours where the address is now
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub announce: u32,
    /// How long to wait between two announcements
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub announce_every: Span,
    /// Show what would be done and do nothing but ask
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// The arguments of `down`.
#[derive(Debug, clap::Args)]
pub struct Down {
    /// The logical address with its prefix length
    #[arg(value_name = "ADDRESS/PREFIX")]
    pub address: LogicalIp,
    /// The interface to take it off
    #[arg(long, value_name = "DEV")]
    pub device: String,
    /// Show what would be done and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// The arguments of `look`.
#[derive(Debug, clap::Args)]
pub struct Look {
    /// The logical address with its prefix length; without it the interface itself is looked at
    #[arg(value_name = "ADDRESS/PREFIX")]
    pub address: Option<LogicalIp>,
    /// The interface
    #[arg(long, value_name = "DEV")]
    pub device: String,
    /// How long to listen for somebody else who has the address; 0s asks nobody
    #[arg(long, value_name = "TIME", default_value = "0s", requires = "address")]
    pub probe_wait: Span,
}

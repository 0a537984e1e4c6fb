//! The arguments of the verbs.

use std::time::Duration;

use ims::Fail;
use ims::address::LogicalIp;
use ims::ahead::Ahead;
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
    /// Take over an address that stands there and was put on by somebody else, without an interruption
    #[arg(long)]
    pub adopt: bool,
    /// Also forget which neighbour had the address, so that this node does not go on sending there
    #[arg(long)]
    pub flush_neighbours: bool,
    /// Whether it begins at once.
    #[command(flatten)]
    pub ahead: Ahead,
    /// Show what would be done and do nothing but ask
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// The arguments of `down`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
pub struct Down {
    /// The logical address with its prefix length
    #[arg(value_name = "ADDRESS/PREFIX")]
    pub address: LogicalIp,
    /// The interface to take it off
    #[arg(long, value_name = "DEV")]
    pub device: String,
    /// Leave the TCP connections of the address as they are, instead of resetting them
    #[arg(long)]
    pub keep_connections: bool,
    /// Also forget which neighbour had the address, so that this node asks anew who has it
    #[arg(long)]
    pub flush_neighbours: bool,
    /// Take it off although somebody else put it on
    #[arg(long)]
    pub force_not_ours: bool,
    /// Whether it begins at once.
    #[command(flatten)]
    pub ahead: Ahead,
    /// Show what would be done and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// The arguments of `announce`.
#[derive(Debug, clap::Args)]
pub struct Announce {
    /// The logical address with its prefix length
    #[arg(value_name = "ADDRESS/PREFIX")]
    pub address: LogicalIp,
    /// The interface it is up on
    #[arg(long, value_name = "DEV")]
    pub device: String,
    /// How often, up to 100 times, or 3 times for IPv6 [default: 2, or 3 for IPv6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub count: Option<u32>,
    /// How long to wait in between, 10ms or more, or 1s or more for IPv6 [default: 2s, or 1s for IPv6]
    #[arg(long, value_name = "TIME")]
    pub every: Option<Span>,
    /// Show what would be done and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

impl Announce {
    /// How often to announce, and how long to wait in between.
    ///
    /// Without being told as the standards have it: IPv4 twice, two seconds apart (`ANNOUNCE_NUM` and
    /// `ANNOUNCE_INTERVAL`, RFC 5227 §1.1). IPv6 three times, a second apart, and no more and no faster than that
    /// (`MAX_NEIGHBOR_ADVERTISEMENT` and `RETRANS_TIMER`, RFC 4861 §7.2.6 and §10).
    pub fn rhythm(&self) -> Result<(u32, Duration), Fail> {
        let is_v6 = self.address.address().ip().is_ipv6();
        let second = Duration::from_secs(1);
        let (count, every) = if is_v6 { (3, second) } else { (2, 2 * second) };
        let (count, every) = (self.count.unwrap_or(count), self.every.map_or(every, |span| span.0));
        let (most, shortest) = if is_v6 { (3, second) } else { (100, Duration::from_millis(10)) };
        if count > most {
            return Err(Fail::usage(format!(
                "--count {count}: an IPv6 address is announced {most} times at most"
            ))
            .because("RFC 4861 section 7.2.6"));
        }
        if count > 1 && every < shortest {
            let shortest = Span(shortest);
            return Err(Fail::usage(format!("--every {}: give {shortest} or more", Span(every))));
        }
        Ok((count, every))
    }
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

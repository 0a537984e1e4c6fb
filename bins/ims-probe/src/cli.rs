//! The command line of `ims-probe`.

use std::net::IpAddr;
use std::num::NonZeroU64;

use clap::{Parser, ValueEnum};
use ims::Fail;
use ims::address;
use ims::command::{Arguments, Common};
use ims::span::Span;

use crate::level::Level;
use crate::secrets;

/// Say whether services are answering, and how deeply
#[derive(Debug, Parser)]
#[command(name = "ims-probe", version, max_term_width = 100)]
pub struct Args {
    /// URLs (SCHEME://HOST:PORT; tcp, smtp, submission, lmtp, imap, pop3, ldap), names of registered instances, or
    /// - to read ims.instance/1 records from stdin [default: every registered instance]
    #[arg(value_name = "TARGET|-")]
    pub targets: Vec<String>,
    /// How deeply to ask
    #[arg(short, long, default_value = "session")]
    pub level: Level,
    /// Probe only this part of instances
    #[arg(long)]
    pub part: Option<PartOf>,
    /// How long one probe may take, from reading the configuration to the server's goodbye
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = positive)]
    pub timeout: Span,
    /// Probe again and again, this long from one beginning to the next
    #[arg(long, value_name = "TIME", value_parser = positive)]
    pub every: Option<Span>,
    /// End after this many probes of each target
    #[arg(long, value_name = "N", requires = "every")]
    pub count: Option<NonZeroU64>,
    /// Who logs in where: a file of users and passwords that only its owner may read, or fd:N for an open descriptor
    #[arg(long, value_name = "FILE|fd:N")]
    pub secrets: Option<secrets::From>,
    /// The prober's own address
    #[arg(long, value_name = "ADDRESS", value_parser = address::host)]
    pub from: Option<IpAddr>,
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
}

impl Arguments for Args {
    fn common(&self) -> &Common {
        &self.common
    }
}

/// Which half of an instance is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PartOf {
    /// The mail servers.
    Mail,
    /// The directory server.
    Directory,
}

fn positive(text: &str) -> Result<Span, Fail> {
    let span: Span = text.parse()?;
    if span.0.is_zero() { Err(Fail::usage("no time at all").hint("at least 1ms")) } else { Ok(span) }
}

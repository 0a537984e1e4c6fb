//! The command line of `ims-probe`.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use ims::Fail;
use ims::address;
use ims::command::{Arguments, Common};
use ims::span::Span;

use rustls::pki_types::ServerName;

use crate::level::Level;
use crate::tls::{Kit, Mode, Trust, server_name};

/// Say whether services are answering, and how deeply
#[derive(Debug, Parser)]
#[command(name = "ims-probe", version, max_term_width = 100)]
pub struct Args {
    /// URLs (SCHEME://HOST:PORT; tcp, smtp, smtps, submission, lmtp, imap, imaps, pop3, pop3s, ldap, ldaps, http, https), names of registered instances, or
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
    /// Whether to ask for STARTTLS, and how strict to be with TLS [default: what the target's scheme says]
    #[arg(long, value_name = "MODE")]
    pub tls: Option<Mode>,
    /// Trust the certificates in this PEM file, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name to ask for and to look for in certificates, in place of each target's own
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<ServerName<'static>>,
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

impl Args {
    /// What the options say of TLS.
    pub fn tls_kit(&self) -> Result<Kit, Fail> {
        if self.level == Level::Connect && matches!(self.tls, Some(Mode::Require | Mode::Try)) {
            return Err(Fail::usage("a connection alone has no TLS").hint("ask with --level greet or deeper"));
        }
        let trust = self.ca.as_deref().map(Trust::from_file).transpose()?;
        Ok(Kit::new(self.tls, self.name.clone(), trust))
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

fn name(text: &str) -> Result<ServerName<'static>, Fail> {
    server_name(text)
        .ok_or_else(|| Fail::usage("not a name that a certificate can have").hint("like mail.example.org"))
}

fn positive(text: &str) -> Result<Span, Fail> {
    let span: Span = text.parse()?;
    if span.0.is_zero() { Err(Fail::usage("no time at all").hint("at least 1ms")) } else { Ok(span) }
}

//! The command line of `ims-probe`.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use ims::Fail;
use ims::address;
use ims::command::Arguments;
use ims::output::Format;
use ims::span::Span;

use rustls::pki_types::ServerName;

use crate::form::{Form, Reported, Told};
use crate::level::Level;
use crate::secrets;
use crate::tls::{Kit, Mode, server_name};
use crate::window::Window;

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
    #[arg(long, value_name = "N", requires = "every", value_parser = number)]
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
    /// Add up failures in a sliding window of so many probes, or of so much time
    #[arg(long, value_name = "N|TIME", requires = "every")]
    pub window: Option<Window>,
    /// Who logs in where: a file of users and passwords that only its owner may read, or fd:N for an open descriptor
    #[arg(long, value_name = "FILE|fd:N")]
    pub secrets: Option<secrets::From>,
    /// The prober's own address
    #[arg(long, value_name = "ADDRESS", value_parser = address::host)]
    pub from: Option<IpAddr>,
    /// Tell answers as JSON lines, as tables, or as a report for another program [default: tables on a terminal,
    /// JSON elsewhere]
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<Form>,
    /// Replace this file with the report (prometheus, openmetrics, junit) instead of printing it
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Do what may hang, for the process with this pid, which started this one
    #[arg(long, value_name = "PID", hide = true)]
    pub hand: Option<u32>,
    /// Look for files and helper programs below this folder
    #[arg(long, value_name = "FOLDER", hide = true, default_value = "/")]
    pub root: PathBuf,
}

impl Arguments for Args {
    fn output(&self) -> Option<Format> {
        self.output.map(|form| form.told().records())
    }

    fn root(&self) -> &Path {
        &self.root
    }
}

impl Args {
    /// How answers are told.
    pub fn told(&self) -> Told {
        self.output.map_or_else(|| Told::Records(Format::or_by_terminal(None)), Form::told)
    }

    /// What one option forbids of the others.
    pub fn check(&self) -> Result<(), Fail> {
        if let (Some(window), Some(every)) = (self.window, self.every) {
            window.check(every.0)?;
        }
        let (is_again, has_file) = (self.every.is_some(), self.to.is_some());
        match self.told() {
            Told::Report(Reported::Nagios) if is_again => {
                Err(Fail::usage("a plugin probes once")
                    .hint("leave --every out; Nagios has its own interval"))
            }
            Told::Records(_) | Told::Report(Reported::Nagios) if has_file => {
                Err(Fail::usage("--to is for a report").hint("with -o prometheus, openmetrics or junit"))
            }
            Told::Report(Reported::Prometheus | Reported::Openmetrics) if is_again && !has_file => {
                Err(Fail::usage("metrics again and again need a file").hint("name it with --to"))
            }
            Told::Report(Reported::Junit) if is_again && self.count.is_none() => {
                Err(Fail::usage("a test report needs an end").hint("say --count"))
            }
            Told::Records(_) | Told::Report(_) => Ok(()),
        }
    }
}

impl Args {
    /// What the options say of TLS.
    pub fn tls_kit(&self) -> Result<Kit, Fail> {
        if self.level == Level::Connect && matches!(self.tls, Some(Mode::Require | Mode::Try)) {
            return Err(Fail::usage("a connection alone has no TLS").hint("ask with --level greet or deeper"));
        }
        Ok(Kit::new(self.tls, self.name.clone(), self.ca.clone()))
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

fn number(text: &str) -> Result<NonZeroU64, Fail> {
    text.parse().map_err(|_| Fail::usage("not a number of probes").hint("at least 1"))
}

fn positive(text: &str) -> Result<Span, Fail> {
    let span: Span = text.parse()?;
    if span.0.is_zero() { Err(Fail::usage("no time at all").hint("at least 1ms")) } else { Ok(span) }
}

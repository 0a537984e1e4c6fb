//! Where a probe is, and how long each part of it took.

use std::fmt;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Found;
use crate::tls::Secured;

/// A part of a probe, named by what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Reading the instance's configuration.
    Config,
    /// Turning a name into addresses.
    Resolve,
    /// The TCP connection.
    Connect,
    /// TLS: the answer to STARTTLS, the handshake and the server's certificate.
    Tls,
    /// The server's greeting.
    Greet,
    /// The answer to SMTP's EHLO.
    Ehlo,
    /// The answer to LMTP's LHLO.
    Lhlo,
    /// The answer to CAPABILITY (IMAP) or CAPA (POP3).
    Capability,
    /// The answer to a login by SMTP, IMAP or POP3.
    Auth,
    /// The answers to LDAP binds: the anonymous one, and that of a login.
    Bind,
    /// The LDAP searches: of the root DSE, and the one that a login is for.
    Search,
    /// The answer to SMTP's MAIL.
    Mail,
    /// The answer to SMTP's RCPT.
    Rcpt,
    /// The answers to SMTP's DATA and to the message.
    Data,
    /// The mailbox, from the connection to the message that is seen in it.
    Fetch,
    /// The message's end in the mailbox.
    Delete,
    /// The answer to QUIT.
    Quit,
    /// The answer to IMAP's LOGOUT.
    Logout,
    /// The answer to HTTP's GET.
    Get,
}

impl Stage {
    /// The word for people, tables and records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greet => "greet",
            Self::Ehlo => "ehlo",
            Self::Lhlo => "lhlo",
            Self::Capability => "capability",
            Self::Auth => "auth",
            Self::Bind => "bind",
            Self::Search => "search",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Fetch => "fetch",
            Self::Delete => "delete",
            Self::Quit => "quit",
            Self::Logout => "logout",
            Self::Get => "get",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A part of a probe that was reached, and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The part.
    pub stage: Stage,
    /// Its time in microseconds, up to the failure when it failed.
    pub took_us: u64,
}

/// The way a probe has come. It outlives the dialogue that a deadline cuts off, so that the stage is still known.
#[derive(Debug)]
pub struct Way {
    start: Instant,
    since: Instant,
    now: Stage,
    steps: Vec<Step>,
    /// What was agreed with the target to keep it secret.
    pub secured: Option<Secured>,
    /// What is not as it should be, though the way went on.
    pub findings: Vec<Found>,
}

impl Way {
    /// Starts the clock at the first stage.
    pub fn from(stage: Stage) -> Self {
        let start = Instant::now();
        Self {
            start,
            since: start,
            now: stage,
            steps: Vec::with_capacity(4),
            secured: None,
            findings: Vec::new(),
        }
    }

    /// Ends the present stage and enters the next.
    pub fn enter(&mut self, next: Stage) {
        let now = Instant::now();
        self.leave(now);
        self.since = now;
        self.now = next;
    }

    /// Notes what was agreed; the mailbox that a message is fetched from is not the target any more.
    pub fn secure(&mut self, secured: Secured) {
        if self.steps.iter().all(|step| step.stage != Stage::Fetch) {
            self.secured = Some(secured);
        }
    }

    /// Notes what is not as it should be.
    pub fn found(&mut self, found: Found) {
        self.findings.push(found);
    }

    /// The stage the probe is in.
    pub const fn stage(&self) -> Stage {
        self.now
    }

    /// The time of the whole until now, and of each stage reached.
    pub fn end(mut self, now: Instant) -> (Duration, Vec<Step>) {
        self.leave(now);
        (now - self.start, self.steps)
    }

    /// Notes the time of the present stage; one that was there before is one with it.
    fn leave(&mut self, now: Instant) {
        let (stage, took_us) = (self.now, micros(now - self.since));
        match self.steps.iter_mut().find(|step| step.stage == stage) {
            Some(step) => step.took_us += took_us,
            None => self.steps.push(Step { stage, took_us }),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

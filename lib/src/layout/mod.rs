//! Layouts: where an instance keeps things, which servers it runs, and how each is started, stopped, bound and
//! listened to. Pure descriptions: reading the files is all they do.

pub mod detect;
pub mod directory;
pub mod dovecot;
pub mod iplanet5;
pub mod messaging;
pub mod messaging6;
pub mod openldap;
pub mod outbound;
mod ports;
pub mod postfix;
mod program;
mod spliced;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::conf::text;
use crate::instance::Instance;
use crate::place::Place;
use crate::sys::file;
use crate::{Fail, Host};

pub use program::{Part, Program, Stop};
pub(crate) use program::{first_there, runtime_folders};

/// A way to lay out a server root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// iPlanet Messaging Server 5.x with Directory Server 4.x or 5, or 389 Directory Server.
    #[serde(rename = "iplanet-5")]
    Iplanet5,
    /// Sun Java System Messaging Server 6, one instance a root and no directory server.
    #[serde(rename = "messaging-6")]
    Messaging6,
    /// Postfix, Dovecot and `OpenLDAP`.
    PostfixDovecot,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 3] = [Self::Iplanet5, Self::Messaging6, Self::PostfixDovecot];

    /// The name in the registry and in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Iplanet5 => "iplanet-5",
            Self::Messaging6 => "messaging-6",
            Self::PostfixDovecot => "postfix-dovecot",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Layout {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        Self::ALL.into_iter().find(|layout| layout.word() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::word).join(", ");
            Fail::usage(format!("no layout '{}'", text.escape_debug())).hint(format!("there are {known}"))
        })
    }
}

/// What a port is for, and so which dialogue a probe holds with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// SMTP, RFC 5321.
    Smtp,
    /// Message submission, RFC 6409.
    Submission,
    /// Submission over TLS from the first byte, RFC 8314.
    Smtps,
    /// LMTP, RFC 2033.
    Lmtp,
    /// IMAP, RFC 3501.
    Imap,
    /// IMAP over TLS from the first byte.
    Imaps,
    /// POP3, RFC 1939.
    Pop3,
    /// POP3 over TLS from the first byte.
    Pop3s,
    /// HTTP.
    Http,
    /// HTTP over TLS from the first byte.
    Https,
    /// LDAP, RFC 4511.
    Ldap,
    /// LDAP over TLS from the first byte.
    Ldaps,
    /// The Job Controller of the iPlanet line; its protocol is not published.
    JobController,
    /// Anything else that listens.
    Other,
}

impl Service {
    /// The word for people, tables and records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Smtps => "smtps",
            Self::Lmtp => "lmtp",
            Self::Imap => "imap",
            Self::Imaps => "imaps",
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
            Self::Http => "http",
            Self::Https => "https",
            Self::Ldap => "ldap",
            Self::Ldaps => "ldaps",
            Self::JobController => "job_controller",
            Self::Other => "other",
        }
    }
}

/// The address a listener is configured to bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bind {
    /// Every IPv4 and IPv6 address of the node.
    Any,
    /// Every IPv4 address of the node.
    AnyV4,
    /// Every IPv6 address of the node, and no IPv4 one.
    AnyV6,
    /// One address, loopback included.
    One(std::net::IpAddr),
}

impl Bind {
    /// The bind of an address as it is written, `0.0.0.0` and `::` being every one of their family.
    pub const fn of(ip: std::net::IpAddr) -> Self {
        match (ip.is_unspecified(), ip) {
            (true, std::net::IpAddr::V4(_)) => Self::AnyV4,
            (true, std::net::IpAddr::V6(_)) => Self::AnyV6,
            (false, one) => Self::One(one),
        }
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.pad("*"),
            Self::AnyV4 => f.pad("0.0.0.0"),
            Self::AnyV6 => f.pad("::"),
            Self::One(ip) => ip.fmt(f),
        }
    }
}

/// A TCP listener that an instance's configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The program that listens: `postfix`, `dovecot`, `slapd`, `dispatcher`, `job_controller`, `store`.
    pub server: &'static str,
    /// What is spoken there.
    pub service: Service,
    /// Where it binds.
    pub bind: Bind,
    /// The TCP port.
    pub port: u16,
    /// The line that says so.
    pub at: Place,
}

/// The programs of one part of an instance, in the order they are started; independent ones may start at once.
pub fn programs(host: &Host, instance: &Instance, part: Part) -> Result<Vec<Program>, Fail> {
    match (instance.layout, part) {
        (Layout::Iplanet5, part) => iplanet5::programs(host, instance, part),
        (Layout::Messaging6, part) => Ok(messaging6::programs(host, instance, part)),
        (Layout::PostfixDovecot, Part::Directory) => {
            openldap::program(host, instance).map(|found| found.into_iter().collect())
        }
        (Layout::PostfixDovecot, Part::Mail) => {
            let mut programs = Vec::new();
            programs.extend(dovecot::program(host, instance)?);
            programs.extend(postfix::program(host, instance)?);
            if instance.mail && programs.is_empty() { Err(no_mail_server(instance)) } else { Ok(programs) }
        }
    }
}

/// Every TCP listener that the instance's configuration asks for.
///
/// Files alone are read (a standby node may not have the servers' software), with one exception: the message
/// store's ports of `iplanet-5` and `messaging-6` are asked of its `configutil`, whose store only it can read.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    listeners_until(host, instance, Instant::now() + messaging::PATIENCE)
}

/// The same, with the moment at which `configutil` is given up.
pub fn listeners_until(host: &Host, instance: &Instance, until: Instant) -> Result<Vec<Listener>, Fail> {
    match instance.layout {
        Layout::Iplanet5 => iplanet5::listeners(host, instance, until),
        Layout::Messaging6 => messaging::listeners(host, instance, until),
        Layout::PostfixDovecot => {
            let mut listeners = Vec::new();
            if instance.mail {
                if !postfix::is_there(host, instance)? && !dovecot::is_there(host, instance)? {
                    return Err(no_mail_server(instance));
                }
                listeners.extend(postfix::listeners(host, instance)?);
                listeners.extend(dovecot::listeners(host, instance)?);
            }
            listeners.extend(openldap::listeners(host, instance)?);
            Ok(listeners)
        }
    }
}

/// An instance that should have mail servers and of which no file is here: an empty mount point looks like that.
fn no_mail_server(instance: &Instance) -> Fail {
    Fail::unknown(format!("{} has neither Postfix nor Dovecot", instance.mail_dir().display()))
        .hint("another node may master its volume")
}

/// Reads a file of an instance, whatever its encoding.
pub(crate) fn optional_text(host: &Host, path: &Path) -> Result<Option<String>, Fail> {
    let bytes = file::read(&host.path(path))?;
    bytes.map(|bytes| text::decoded(&bytes, path).map(Cow::into_owned)).transpose()
}

/// The same of one that must be there.
pub(crate) fn text_of(host: &Host, path: &Path) -> Result<String, Fail> {
    optional_text(host, path)?.ok_or_else(|| absent(path))
}

fn absent(path: &Path) -> Fail {
    Fail::unknown(format!("{} is not there", path.display())).hint("another node may master its volume")
}

/// The addresses at which clients reach a listener of an instance: its own when it is bound to one, else the
/// instance's logical addresses.
pub fn endpoints(instance: &Instance, listener: &Listener) -> Vec<std::net::IpAddr> {
    match listener.bind {
        Bind::One(ip) => vec![ip],
        Bind::Any | Bind::AnyV4 | Bind::AnyV6 => instance
            .addresses
            .iter()
            .map(|address: &Address| address.ip())
            .filter(|ip| match listener.bind {
                Bind::AnyV4 => ip.is_ipv4(),
                Bind::AnyV6 => ip.is_ipv6(),
                Bind::Any | Bind::One(_) => true,
            })
            .collect(),
    }
}

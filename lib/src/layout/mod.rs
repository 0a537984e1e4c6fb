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
mod spliced;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::conf::text;
use crate::instance::Instance;
use crate::place::Place;
use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

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

/// Which half of an instance is meant: a `messaging-server` or a `directory-server` resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The mail servers, below `<root>/msg-<name>` or, in `messaging-6`, below the root itself.
    Mail,
    /// The directory server below `<root>/slapd-<ldap>`.
    Directory,
}

/// How a program is asked to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// By a signal to its first process.
    Signal(i32),
    /// By a signal to every one of its processes at once, the first among them. Only when the last is gone is it
    /// stopped: sessions outlive the first process and hold files on the volume. Once the first is alone, which may
    /// take its time to notice, it is killed and its pid file removed.
    SignalAll(i32),
    /// By SIGKILL to its first process alone, upon which the others finish what they are at and exit; those that
    /// run one of `agents` are given `moment`, then whatever is left gets SIGTERM.
    ///
    /// This is `postfix drain`. SIGTERM to Postfix's master would end its delivery agents in the middle, and a
    /// message that Dovecot has saved by then would be delivered again by the next start.
    Drain {
        /// The executables of its delivery agents.
        agents: Vec<PathBuf>,
        /// How long the agents may take, at most.
        moment: Duration,
    },
    /// By a command of its own, such as `stop-msg`.
    Command(Line),
}

/// A program of an instance that is started and stopped as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its short name: `postfix`, `dovecot`, `slapd`, `msg` (all of the iPlanet or Sun mail server).
    pub name: &'static str,
    /// The command line that starts it and returns once it listens.
    pub start: Line,
    /// How it is asked to end.
    pub stop: Stop,
    /// Where it writes the pid of its first process, when it does.
    pub pid_file: Option<PathBuf>,
    /// The executable its first process runs, by which a pid file that is out of date is told.
    pub executable: Option<PathBuf>,
    /// How long it may take to end before it is killed.
    pub patience: Duration,
    /// Folders it needs outside the server root, which a node that just booted does not have
    /// (path, owner's user name, mode).
    pub folders: Vec<(PathBuf, String, u32)>,
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
    optional_text(host, path)?.ok_or_else(|| {
        Fail::unknown(format!("{} is not there", path.display())).hint("another node may master its volume")
    })
}

/// The first of some paths that is there, or the first of all where none is: a standby node may do without.
fn first_there<'a, const N: usize>(host: &Host, paths: [&'a str; N]) -> Result<&'a str, Fail> {
    for path in paths {
        if file::is_there(&host.path(path))? {
            return Ok(path);
        }
    }
    Ok(paths.first().copied().unwrap_or_default())
}

/// The folders a program needs on the way to a path that a node loses when it boots, outermost first; the last
/// belongs to `owner`.
pub(crate) fn runtime_folders(folder: &Path, owner: &str, mode: u32) -> Vec<(PathBuf, String, u32)> {
    let is_runtime =
        ["/run", "/var/run"].iter().any(|run| folder.starts_with(run) && folder != Path::new(run));
    if !is_runtime {
        return Vec::new();
    }
    let mut folders: Vec<(PathBuf, String, u32)> = folder
        .ancestors()
        .skip(1)
        .take_while(|above| !["/run", "/var/run"].iter().any(|run| *above == Path::new(run)))
        .map(|above| (above.to_owned(), "root".to_owned(), 0o755))
        .collect();
    folders.reverse();
    folders.push((folder.to_owned(), owner.to_owned(), mode));
    folders
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

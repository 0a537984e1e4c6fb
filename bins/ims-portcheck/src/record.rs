//! What a conflict looks like on stdout.

use std::borrow::Cow;
use std::net::IpAddr;

use ims::layout::{Listener, Service};
use ims::name::InstanceName;
use ims::place::Place;
use ims::sys::sock::{Listening, Owner};
use ims::{Exit, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::Answer;
use crate::units::UnitSocket;

/// Whether it is a conflict for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The two cannot both listen, or clients would get either.
    Conflict,
    /// Both listen unless something happens first that need not happen.
    Warning,
    /// The port is taken on this node, and it could not be found out by whom.
    Unknown,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Conflict => Self::No,
            Verdict::Warning => Self::Ok,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

/// Two that want the same port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The node on which the two would meet.
    pub node: String,
    /// The port.
    pub port: u16,
    /// Always `tcp`.
    pub protocol: Cow<'static, str>,
    /// Whether it is certain.
    pub verdict: Verdict,
    /// What the kernel answers the second of the two: it refuses, it lets both share the port without a word, or
    /// it allows both.
    pub kernel: Answer,
    /// A configured listener.
    pub a: Side,
    /// Another configured listener, a socket that listens now, a unit of systemd, or the kernel's own range of ports.
    pub b: Side,
    /// Why the two collide.
    pub why: String,
    /// What would mend it.
    pub mend: String,
}

/// One of the two. What is configured has a place and no pid; a socket that listens now has no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The instance, when it is one that we know.
    pub instance: Option<InstanceName>,
    /// The host whose registry named the instance; of a socket, the node it listens on.
    pub host: String,
    /// The program of the instance that is to listen.
    pub server: Option<String>,
    /// What is to be spoken there.
    pub service: Option<Service>,
    /// Where it binds: an address, `0.0.0.0` or `::` for all of one kind, `*` for all of both.
    pub address: String,
    /// The line that says so.
    pub at: Option<Place>,
    /// The process that listens.
    pub pid: Option<u32>,
    /// Its executable.
    pub command: Option<String>,
    /// The unit of systemd that opens the socket, or that the process belongs to.
    pub unit: Option<String>,
    /// The user who opened the socket.
    pub uid: Option<u32>,
}

impl Side {
    /// A listener that a configuration asks for.
    pub fn configured(instance: &InstanceName, host: &str, listener: &Listener) -> Self {
        Self {
            instance: Some(instance.clone()),
            host: host.to_owned(),
            server: Some(listener.server.to_owned()),
            service: Some(listener.service),
            address: listener.bind.to_string(),
            at: Some(listener.at.clone()),
            pid: None,
            command: None,
            unit: None,
            uid: None,
        }
    }

    /// A socket that a unit of systemd asks for.
    pub fn unit(host: &str, unit: &UnitSocket) -> Self {
        Self { unit: Some(unit.unit.clone()), ..Self::place(host, unit.bind.to_string(), unit.at.clone()) }
    }

    /// Whatever a line of a file asks for.
    pub fn place(host: &str, address: String, at: Place) -> Self {
        Self {
            instance: None,
            host: host.to_owned(),
            server: None,
            service: None,
            address,
            at: Some(at),
            pid: None,
            command: None,
            unit: None,
            uid: None,
        }
    }

    /// A socket that listens now.
    pub fn live(host: &str, socket: &Listening, owner: Option<&Owner>) -> Self {
        Self {
            instance: None,
            host: host.to_owned(),
            server: None,
            service: None,
            address: socket.bind.to_string(),
            at: None,
            pid: owner.map(|owner| owner.pid),
            command: owner.map(|owner| owner.command.clone()),
            unit: owner.and_then(unit),
            uid: Some(socket.uid),
        }
    }

    fn cell(&self, port: u16) -> String {
        let address = if self.address.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()) {
            format!("[{}]:{port}", self.address)
        } else {
            format!("{}:{port}", self.address)
        };
        let who = match (&self.instance, &self.server, self.command.as_ref().or(self.unit.as_ref())) {
            (Some(instance), Some(server), _) => format!("{instance} {server}"),
            (Some(instance), None, _) => instance.to_string(),
            (None, _, Some(command)) => command.clone(),
            (None, _, None) if self.at.is_some() => "outgoing connections".to_owned(),
            (None, _, None) => "somebody".to_owned(),
        };
        match (&self.at, self.pid) {
            (Some(at), _) => format!("{who} {address} ({at})"),
            (None, Some(pid)) => format!("{who} {address} (pid {pid})"),
            (None, None) => format!("{who} {address}"),
        }
    }
}

/// The unit of systemd that a process belongs to, by the last part of its control group that is one.
fn unit(owner: &Owner) -> Option<String> {
    let mut groups = owner.clues.iter().filter_map(|clue| clue.split_once("::").map(|(_, path)| path));
    let is_unit = |part: &&str| [".service", ".scope", ".socket"].iter().any(|end| part.ends_with(end));
    groups.find_map(|path| path.split('/').rfind(is_unit)).map(ToOwned::to_owned)
}

impl Record for Conflict {
    const SCHEMA: &'static str = "ims.conflict/1";

    fn columns() -> &'static [&'static str] {
        &["node", "verdict", "a", "b", "why", "mend"]
    }

    fn row(&self) -> Vec<String> {
        let verdict = match self.verdict {
            Verdict::Conflict => "conflict",
            Verdict::Warning => "warning",
            Verdict::Unknown => "unknown",
        };
        let (a, b) = (self.a.cell(self.port), self.b.cell(self.port));
        vec![self.node.clone(), verdict.to_owned(), a, b, self.why.clone(), self.mend.clone()]
    }
}

/// Whether a node could host all the instances that were asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fits {
    /// Nothing collides.
    Yes,
    /// Something collides.
    No,
    /// Nothing is known to collide, and not everything could be found out.
    Unknown,
}

/// The answer for one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fit {
    /// The node.
    pub node: String,
    /// Whether it could host them all.
    pub fits: Fits,
    /// How many instances were compared.
    pub instances: usize,
    /// How many listeners they have.
    pub listeners: usize,
    /// How many pairs collide.
    pub conflicts: usize,
    /// How many may collide one day.
    pub warnings: usize,
    /// What could not be found out.
    pub unknown: Vec<String>,
}

impl From<Fits> for Exit {
    fn from(fits: Fits) -> Self {
        match fits {
            Fits::Yes => Self::Ok,
            Fits::No => Self::No,
            Fits::Unknown => Self::Unknown,
        }
    }
}

impl Record for Fit {
    const SCHEMA: &'static str = "ims.fit/1";

    fn columns() -> &'static [&'static str] {
        &["node", "fits", "instances", "listeners", "conflicts", "warnings", "unknown"]
    }

    fn row(&self) -> Vec<String> {
        let fits = match self.fits {
            Fits::Yes => "yes",
            Fits::No => "no",
            Fits::Unknown => "unknown",
        };
        let counts = [self.instances, self.listeners, self.conflicts, self.warnings].map(|n| n.to_string());
        let mut row = vec![self.node.clone(), fits.to_owned()];
        row.extend(counts);
        row.push(self.unknown.join("; "));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_with_the_unit_that_its_control_group_is_of() {
        for (clue, unit_of) in [
            ("0::/system.slice/dovecot.service", Some("dovecot.service")),
            ("0::/system.slice/system-postfix.slice/postfix@-.service", Some("postfix@-.service")),
            ("0::/user.slice/user-0.slice/session-3.scope", Some("session-3.scope")),
            ("0::/system.slice/docker.service/payload/x", Some("docker.service")),
            ("0::/ims/stork/postfix", None),
            ("/usr/lib/x.service", None),
        ] {
            let (command, clues) = ("x".to_owned(), vec![clue.to_owned()]);
            let owner = Owner { pid: 1, command, clues, is_whole: true };
            assert_eq!(unit(&owner).as_deref(), unit_of, "{clue}");
        }
    }
}

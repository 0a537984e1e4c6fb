//! What a conflict looks like on stdout.

use std::net::IpAddr;

use ims::layout::{Listener, Service};
use ims::name::InstanceName;
use ims::place::Place;
use ims::sys::sock::{Listening, Owner};
use ims::{Exit, Record};
use schemars::JsonSchema;
use serde::Serialize;

/// Whether it is a conflict for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The two cannot both listen, or clients would get either.
    Conflict,
    /// The port is taken on this node, and it could not be found out by whom.
    Unknown,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Conflict => Self::No,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

/// Two that want the same port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conflict {
    /// The port.
    pub port: u16,
    /// Always `tcp`.
    pub protocol: &'static str,
    /// Whether it is certain.
    pub verdict: Verdict,
    /// A configured listener.
    pub a: Side,
    /// Another configured listener, or a socket that listens now.
    pub b: Side,
    /// Why the two collide.
    pub why: String,
    /// What would mend it.
    pub mend: String,
}

/// One of the two. A configured listener has a place and no pid; a socket that listens now has no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
            uid: None,
        }
    }

    /// A socket that listens now.
    pub fn live(
        instance: Option<&InstanceName>,
        host: &str,
        socket: &Listening,
        owner: Option<&Owner>,
    ) -> Self {
        Self {
            instance: instance.cloned(),
            host: host.to_owned(),
            server: None,
            service: None,
            address: socket.bind.to_string(),
            at: None,
            pid: owner.map(|owner| owner.pid),
            command: owner.map(|owner| owner.command.clone()),
            uid: Some(socket.uid),
        }
    }

    fn cell(&self, port: u16) -> String {
        let address = if self.address.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()) {
            format!("[{}]:{port}", self.address)
        } else {
            format!("{}:{port}", self.address)
        };
        let who = match (&self.instance, &self.server, &self.command) {
            (Some(instance), Some(server), _) => format!("{instance} {server}"),
            (Some(instance), None, _) => instance.to_string(),
            (None, _, Some(command)) => command.clone(),
            (None, _, None) => "somebody".to_owned(),
        };
        match (&self.at, self.pid) {
            (Some(at), _) => format!("{who} {address} ({at})"),
            (None, Some(pid)) => format!("{who} {address} (pid {pid})"),
            (None, None) => format!("{who} {address}"),
        }
    }
}

impl Record for Conflict {
    const SCHEMA: &'static str = "ims.conflict/1";

    fn columns() -> &'static [&'static str] {
        &["verdict", "a", "b", "mend"]
    }

    fn row(&self) -> Vec<String> {
        let verdict = match self.verdict {
            Verdict::Conflict => "conflict",
            Verdict::Unknown => "unknown",
        };
        vec![verdict.to_owned(), self.a.cell(self.port), self.b.cell(self.port), self.mend.clone()]
    }
}

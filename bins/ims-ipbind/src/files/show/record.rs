//! What `show` prints.

use std::net::IpAddr;

use ims::layout::{Bind, Listener, Service};
use ims::name::InstanceName;
use ims::place::Place;
use ims::{Exit, Record};
use schemars::JsonSchema;
use serde::Serialize;

use super::live::Held;

/// Whether a running server does what its files say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// It listens where the line says.
    Agrees,
    /// It runs, and does not listen there: it was started with other files.
    Drift,
    /// It does not run on this node.
    NotRunning,
    /// It could not be found out.
    Unknown,
}

impl Agreement {
    const fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Drift => "drift",
            Self::NotRunning => "not running",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Agreement> for Exit {
    fn from(running: Agreement) -> Self {
        match running {
            Agreement::Agrees | Agreement::NotRunning => Self::Ok,
            Agreement::Drift => Self::No,
            Agreement::Unknown => Self::Unknown,
        }
    }
}

/// Where a running server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Now {
    /// The address it has bound; `*` for every one, `0.0.0.0` and `::` for every one of their family.
    pub address: String,
    /// The TCP port.
    pub port: u16,
    /// A process that has it.
    pub pid: u32,
}

impl From<&Held> for Now {
    fn from(held: &Held) -> Self {
        Self { address: held.bind.to_string(), port: held.port, pid: held.pid }
    }
}

impl Now {
    fn cell(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }
}

/// One TCP listener of an instance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    /// The instance.
    pub instance: InstanceName,
    /// The program that listens.
    pub server: String,
    /// What is spoken there.
    pub service: Service,
    /// The address it binds; `*` for every one, `0.0.0.0` and `::` for every one of their family.
    pub address: String,
    /// The TCP port.
    pub port: u16,
    /// The line that says so.
    pub at: Place,
    /// Whether it is bound to a logical address of the instance and to nothing else. A listener on the node's own
    /// loopback, which no client sees, counts as bound. Absent where that cannot be told, for the instance's logical
    /// address is not known.
    pub bound: Option<bool>,
    /// Whether the running server listens there.
    pub running: Agreement,
    /// With a drift, where it listens instead; empty when nowhere.
    pub now: Vec<Now>,
}

/// Whether an address is a logical one of the instance, or the node's own loopback; `None` where no logical one is
/// known.
pub(super) fn is_ours(ip: IpAddr, logical: &[IpAddr]) -> Option<bool> {
    if ip.is_loopback() {
        return Some(true);
    }
    (!logical.is_empty()).then(|| logical.contains(&ip))
}

/// The answer that a claim gives.
pub(super) fn answer(claim: Option<bool>) -> Exit {
    match claim {
        Some(true) => Exit::Ok,
        Some(false) => Exit::No,
        None => Exit::Unknown,
    }
}

impl Shown {
    /// A listener with what was found of it.
    pub fn of(
        instance: &InstanceName,
        logical: &[IpAddr],
        listener: &Listener,
        running: Agreement,
        now: &[&Held],
    ) -> Self {
        let bound = match listener.bind {
            Bind::Any | Bind::AnyV4 | Bind::AnyV6 => Some(false),
            Bind::One(ip) => is_ours(ip, logical),
        };
        Self {
            instance: instance.clone(),
            server: listener.server.to_owned(),
            service: listener.service,
            address: listener.bind.to_string(),
            port: listener.port,
            at: listener.at.clone(),
            bound,
            running,
            now: now.iter().map(|held| Now::from(*held)).collect(),
        }
    }

    /// The answer it gives.
    pub fn exit(&self) -> Exit {
        answer(self.bound).gravest(self.running.into())
    }
}

impl Record for Shown {
    const SCHEMA: &'static str = "ims.listener/1";

    fn columns() -> &'static [&'static str] {
        &["instance", "server", "service", "address", "port", "bound", "running", "at"]
    }

    fn row(&self) -> Vec<String> {
        let now: Vec<String> = self.now.iter().map(Now::cell).collect();
        let running = match self.running {
            Agreement::Drift if now.is_empty() => "drift: nowhere".to_owned(),
            Agreement::Drift => format!("drift: {}", now.join(", ")),
            other @ (Agreement::Agrees | Agreement::NotRunning | Agreement::Unknown) => {
                other.word().to_owned()
            }
        };
        vec![
            self.instance.to_string(),
            self.server.clone(),
            self.service.word().to_owned(),
            self.address.clone(),
            self.port.to_string(),
            word(self.bound),
            running,
            self.at.to_string(),
        ]
    }
}

pub(super) fn word(claim: Option<bool>) -> String {
    match claim {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
    .to_owned()
}

/// A listening socket of a running server of the instance that no line asks for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stray {
    /// The instance.
    pub instance: InstanceName,
    /// The program of the instance that has it, when that can be told.
    pub server: Option<String>,
    /// The address it has bound; `*` for every one, `0.0.0.0` and `::` for every one of their family.
    pub address: String,
    /// The TCP port.
    pub port: u16,
    /// A process that has it.
    pub pid: u32,
    /// Its executable.
    pub command: String,
}

impl Stray {
    /// A socket that is left over.
    pub fn of(instance: &InstanceName, held: &Held) -> Self {
        Self {
            instance: instance.clone(),
            server: held.server.map(ToOwned::to_owned),
            address: held.bind.to_string(),
            port: held.port,
            pid: held.pid,
            command: held.command.clone(),
        }
    }
}

impl Record for Stray {
    const SCHEMA: &'static str = "ims.stray/1";

    fn columns() -> &'static [&'static str] {
        &["instance", "stray", "address", "port", "pid"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.instance.to_string(),
            self.command.clone(),
            self.address.clone(),
            self.port.to_string(),
            self.pid.to_string(),
        ]
    }
}

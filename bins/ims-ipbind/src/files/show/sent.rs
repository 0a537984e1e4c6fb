//! What `show` prints of outgoing mail.

use std::net::IpAddr;

use ims::layout::outbound::Outbound;
use ims::name::InstanceName;
use ims::place::Place;
use ims::{Exit, Record};
use schemars::JsonSchema;
use serde::Serialize;

use super::record::{answer, is_ours, word};

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Where the mail of one sending program leaves from, in one family of addresses.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sent {
    /// The instance.
    pub instance: InstanceName,
    /// The server that sends.
    pub server: String,
    /// What it calls the way out: a service of `master.cf`, a channel of `imta.cnf`.
    pub client: String,
    /// The family.
    pub family: Family,
    /// The source address; absent when the kernel chooses one of the node's.
    pub address: Option<IpAddr>,
    /// The line that says so, or that could.
    pub at: Place,
    /// Whether it is a logical address of the instance, or loopback; absent when the kernel chooses, or where the
    /// instance's logical address is not known.
    pub bound: Option<bool>,
}

impl Sent {
    /// A sending program.
    pub fn of(instance: &InstanceName, logical: &[IpAddr], outbound: Outbound) -> Self {
        Self {
            instance: instance.clone(),
            server: outbound.server.to_owned(),
            client: outbound.client,
            family: if outbound.is_v6 { Family::Ipv6 } else { Family::Ipv4 },
            address: outbound.source,
            at: outbound.at,
            bound: outbound.source.and_then(|ip| is_ours(ip, logical)),
        }
    }

    /// The answer it gives: another address that somebody wrote down is a no, the kernel's choice is told and is none.
    pub fn exit(&self) -> Exit {
        self.address.map_or(Exit::Ok, |_| answer(self.bound))
    }
}

impl Record for Sent {
    const SCHEMA: &'static str = "ims.outbound/1";

    fn columns() -> &'static [&'static str] {
        &["instance", "outbound", "client", "family", "address", "bound", "at"]
    }

    fn row(&self) -> Vec<String> {
        let family = match self.family {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        vec![
            self.instance.to_string(),
            self.server.clone(),
            self.client.clone(),
            family.to_owned(),
            self.address.map_or_else(|| "the kernel's choice".to_owned(), |ip| ip.to_string()),
            self.address.map_or_else(|| "-".to_owned(), |_| word(self.bound)),
            self.at.to_string(),
        ]
    }
}

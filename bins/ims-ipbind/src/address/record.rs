//! What an address and an interface look like on stdout.

use ims::address::LogicalIp;
use ims::sys::net::Mac;
use ims::{Record, State};
use schemars::JsonSchema;
use serde::Serialize;

/// What was found or done with an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AddressRecord {
    /// The address with its prefix length.
    pub address: LogicalIp,
    /// The interface that was asked about.
    pub device: String,
    /// Up when it can be used there; partial when it stands there but cannot be, or stands somewhere else on this
    /// node, or somebody else answers for it too.
    pub state: State,
    /// Why it is partial or down, in words.
    pub reason: Option<String>,
    /// Whether this run changed anything, or with `--dry-run` would.
    pub changed: bool,
    /// Whether the change was only shown.
    pub dry_run: bool,
    /// Whether ims-ipbind put it there; null when the kernel does not tell (IPv6 before Linux 5.18).
    pub ours: Option<bool>,
    /// The hardware address of somebody else who answered for it.
    pub answered_by: Option<Mac>,
    /// How many TCP connections of the address were reset.
    pub connections_reset: usize,
    /// How many neighbour entries of the address this node has forgotten.
    pub neighbours_flushed: usize,
    /// How often the neighbours were told.
    pub announced: u32,
    /// How long it took.
    pub took_ms: u64,
}

impl Record for AddressRecord {
    const SCHEMA: &'static str = "ims.address/1";

    fn columns() -> &'static [&'static str] {
        &["address", "device", "state", "ours", "changed", "answered_by", "reason"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let changed = match (self.changed, self.dry_run) {
            (false, _) => "no",
            (true, true) => "would be",
            (true, false) => "yes",
        };
        vec![
            self.address.to_string(),
            self.device.clone(),
            self.state.to_string(),
            match self.ours {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            }
            .to_owned(),
            changed.to_owned(),
            self.answered_by.map_or_else(dash, |mac| mac.to_string()),
            self.reason.clone().unwrap_or_else(dash),
        ]
    }
}

/// Whether an interface works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LinkRecord {
    /// The interface.
    pub device: String,
    /// Up when it is set up and connected.
    pub state: State,
    /// Why it is down, in words.
    pub reason: Option<String>,
    /// Its hardware address.
    pub mac: Option<Mac>,
}

impl Record for LinkRecord {
    const SCHEMA: &'static str = "ims.link/1";

    fn columns() -> &'static [&'static str] {
        &["device", "state", "mac", "reason"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.device.clone(),
            self.state.to_string(),
            self.mac.map_or_else(dash, |mac| mac.to_string()),
            self.reason.clone().unwrap_or_else(dash),
        ]
    }
}

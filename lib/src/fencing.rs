//! The proof that a node was fenced: the only thing that lets another take what that node may still hold.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Record;
use crate::name::NodeName;

/// Where each node keeps the proofs it has, one file `<node>.json` for each node that was fenced.
pub const FOLDER: &str = "/var/lib/ims/fenced";

/// A confirmed fencing of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fenced {
    /// The node that was fenced.
    pub node: NodeName,
    /// How: the fence agent's command, or `operator`.
    pub method: String,
    /// Who confirmed it: `agent` when the command ended with 0, else a person's name.
    pub confirmed_by: String,
    /// When it was confirmed, by the clock of the node that confirmed it.
    pub time: Timestamp,
}

impl Record for Fenced {
    const SCHEMA: &'static str = "ims.fenced/1";

    fn columns() -> &'static [&'static str] {
        &["node", "method", "confirmed_by", "time"]
    }

    fn row(&self) -> Vec<String> {
        vec![self.node.to_string(), self.method.clone(), self.confirmed_by.clone(), self.time.to_string()]
    }
}

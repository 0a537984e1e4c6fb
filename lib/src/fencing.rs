//! The proof that a node was fenced: the only thing that lets another take what that node may still hold.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::NodeName;
use crate::record::Envelope;
use crate::sys::file;
use crate::{Exit, Fail, Host, Record};

/// Where each node keeps the proofs it has, one file `<node>.json` for each node that was fenced.
pub const FOLDER: &str = "/var/lib/ims/fenced";

/// Who confirmed a fencing when that was a fence agent, which ended with 0.
pub const AGENT: &str = "agent";

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
    /// The guards as they were seen when it had been confirmed. A volume whose guard is still so was not written since,
    /// whatever any clock says; for one that is not among them the times are compared.
    #[serde(default)]
    pub guards: Vec<SeenGuard>,
}

/// What a volume's guard said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenGuard {
    /// The volume, by the UUID of its file system.
    pub uuid: String,
    /// The node that wrote it last.
    pub written_by: String,
    /// How often the file system was mounted until then: a holder begins to count anew with each mount.
    pub mounts: u16,
    /// The number that a living holder counts up.
    pub sequence: u32,
    /// When it was last written, by that node's clock.
    pub last_sign: Timestamp,
}

/// The person who runs the command, by the name they logged in with; `None` where nobody did.
pub fn person() -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|key| std::env::var(key).ok())
}

impl Fenced {
    /// The word of the person who runs the command.
    pub fn by_word(node: &NodeName) -> Self {
        Self {
            node: node.clone(),
            method: "operator".to_owned(),
            // Nobody is called as the agents are.
            confirmed_by: person().filter(|person| person != AGENT).unwrap_or_else(|| "operator".to_owned()),
            time: Timestamp::now(),
            guards: Vec::new(),
        }
    }

    /// Whether a machine confirmed it, which does not mistake one node for another as people do.
    pub fn is_by_agent(&self) -> bool {
        self.confirmed_by == AGENT
    }

    /// Writes it where `ims-diskctl take` of this node finds it.
    pub fn keep(&self, host: &Host) -> Result<PathBuf, Fail> {
        let folder = host.path(FOLDER);
        fs_err::create_dir_all(&folder).map_err(|e| Fail::io(Exit::Failed, "cannot keep the proof", &e))?;
        let line = Envelope::new(host.name(), self)
            .line()
            .map_err(|e| Fail::failed("cannot keep the proof").because(e))?;
        let path = folder.join(format!("{}.json", self.node));
        file::replace(&path, format!("{line}\n").as_bytes())?;
        Ok(path)
    }
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

//! What this node remembers of having started a mirror without all of its legs, until they are alike again.

use std::path::PathBuf;

use ims::sys::file;
use ims::{Exit, Fail, Host, Record};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::btrfs::Seen;
use crate::filesystem::Uuid;

/// Where each node remembers, one file `<UUID>.json` for each file system.
const FOLDER: &str = "/var/lib/ims/degraded";

/// A start without all legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Degraded {
    /// The file system.
    pub uuid: String,
    /// The generation that it had.
    pub generation: u64,
    /// The legs that it was started with, by their own numbers.
    pub legs: Vec<String>,
    /// How many were left out.
    pub missing: u64,
    /// When.
    pub time: Timestamp,
}

impl Degraded {
    /// What this node remembers of a file system.
    pub fn load(host: &Host, uuid: Uuid) -> Result<Option<Self>, Fail> {
        let path = path(host, &uuid.to_string());
        let wrong = |e| {
            Fail::unknown(format!("{} is not what was written there", path.display()))
                .because(e)
                .hint("see with btrfs filesystem show which legs were written last, then take the file away")
        };
        file::read_text(&path)?.map(|text| serde_json::from_str(&text).map_err(wrong)).transpose()
    }

    /// Remembers it.
    pub fn keep(&self, host: &Host) -> Result<(), Fail> {
        let path = path(host, &self.uuid);
        let cannot =
            |e: &std::io::Error| Fail::io(Exit::Failed, format!("cannot write {}", path.display()), e);
        fs_err::create_dir_all(host.path(FOLDER)).map_err(|e| cannot(&e))?;
        let mut text = serde_json::to_vec(self).map_err(|e| Fail::failed("cannot remember").because(e))?;
        text.push(b'\n');
        file::replace(&path, &text)
    }

    /// Forgets it, now that the legs are alike again.
    pub fn forget(&self, host: &Host) -> Result<(), Fail> {
        file::remove(&path(host, &self.uuid)).map(drop)
    }

    /// Whether it was started with this leg.
    pub fn has(&self, leg: &Seen) -> bool {
        let uuid = leg.superblock.device_uuid.to_string();
        self.legs.contains(&uuid)
    }
}

fn path(host: &Host, uuid: &str) -> PathBuf {
    host.path(FOLDER).join(format!("{uuid}.json"))
}

impl Record for Degraded {
    const SCHEMA: &'static str = "ims.degraded/1";

    fn columns() -> &'static [&'static str] {
        &["uuid", "generation", "legs", "missing", "time"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.uuid.clone(),
            self.generation.to_string(),
            self.legs.join(", "),
            self.missing.to_string(),
            self.time.to_string(),
        ]
    }
}

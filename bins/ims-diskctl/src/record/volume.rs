//! A volume.

use std::path::PathBuf;

use ims::{Record, State, sys};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Guard, GuardState, Layer, Lease, Reservation};

/// A volume as it was found, or as a run left it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Volume {
    /// Its resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// The path of its device, as it was given.
    pub device: PathBuf,
    /// The device's major and minor number, by which it is known; absent while the layers that it stands on are not
    /// active here.
    pub number: Option<String>,
    /// Where it is, or is to be, mounted.
    pub mount: PathBuf,
    /// The file system on it; absent when none was found or the device could not be read.
    pub fstype: Option<String>,
    /// The file system's own number.
    pub uuid: Option<String>,
    /// The file system's label; absent when it has none.
    pub label: Option<String>,
    /// Up when it is mounted there to be written, down when it is not mounted here at all, partial when it is mounted
    /// read-only or elsewhere on this node, or when something else is mounted there.
    pub state: State,
    /// Every folder of this node where it is mounted.
    pub mounted_at: Vec<PathBuf>,
    /// The options that it is mounted with.
    pub options: Option<String>,
    /// Who holds it.
    pub guard: Guard,
    /// Who alone can write to its disk; absent where that knows no reservations, or could not be asked.
    pub reservation: Option<Reservation>,
    /// Its sanlock lease; absent when none was named.
    pub lease: Option<Lease>,
    /// Whether its journal holds what is not in its place yet: it is mounted somewhere, or was when its node died.
    pub needs_recovery: Option<bool>,
    /// How many errors the kernel counted on it since its last check.
    pub errors: Option<u32>,
    /// What the device stands on, bottom up.
    pub layers: Vec<Layer>,
    /// How often it was mounted to be written since then, here or elsewhere.
    pub mounts: Option<u16>,
    /// Processes that keep it from being released, or that were ended for that.
    pub users: Vec<User>,
    /// What the kernel itself uses there, in words: swap files, loop devices, exports, overlays.
    pub kernel_users: Vec<String>,
    /// How long this run took to write out what was in memory, the last time it did, in milliseconds.
    pub sync_ms: Option<u64>,
    /// Whether this run mounted or unmounted it.
    pub changed: bool,
    /// Why the state is what it is, where that is not plain.
    pub why: Option<String>,
}

impl Record for Volume {
    const SCHEMA: &'static str = "ims.volume/1";

    fn columns() -> &'static [&'static str] {
        &["device", "mount", "state", "guard", "held by", "age", "changed"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let word = |state: Option<GuardState>| state.map_or_else(dash, |state| state.word().to_owned());
        vec![
            self.device.display().to_string(),
            self.mount.display().to_string(),
            self.state.to_string(),
            format!("{} {}", self.guard.kind.word(), word(self.guard.state))
                .trim_end_matches(" -")
                .to_owned(),
            self.reservation
                .as_ref()
                .and_then(|reservation| reservation.held_by.clone())
                .or_else(|| self.lease.as_ref().and_then(|lease| lease.held_by.clone()))
                .or_else(|| self.guard.held_by.clone())
                .unwrap_or_else(dash),
            self.guard.age_s.map_or_else(dash, |age| format!("{age} s")),
            if self.changed { "yes" } else { "no" }.to_owned(),
        ]
    }
}

/// A process that uses a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Which process, and what it has there.
    #[serde(flatten)]
    pub process: sys::mount::User,
    /// The instance that it belongs to, of those that may be ended.
    pub instance: Option<String>,
    /// The last signal that it was sent: `TERM` or `KILL`.
    pub signal: Option<String>,
}

//! What the command prints.

use std::path::PathBuf;

use ims::sys::exec::Line;
use ims::{Record, State, sys};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// A layer that the device of a volume stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Layer {
    /// Its kind and name, such as `lvm:shared/mail`.
    pub layer: ims::layer::Layer,
    /// Up when it is active here, down when it is not, partial when in part or not to be written.
    pub state: State,
    /// The node that has it, or had it when it died, where the layer tells.
    pub held_by: Option<String>,
    /// Whether it keeps the other nodes off by itself: a system ID or a lock of LVM, the role of DRBD, the host of a ZFS
    /// pool or a disk group of Veritas.
    pub is_guard: bool,
    /// How many parts of it are missing.
    pub missing: u32,
    /// What should be known of it.
    pub why: Option<String>,
}

/// A step that a run would take with a layer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LayerStep {
    /// The resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// What is done: `activate` or `deactivate`.
    pub action: &'static str,
    /// The layer.
    pub layer: ims::layer::Layer,
    /// The command line; absent where that can be told only when the layer below is active.
    pub command: Option<String>,
}

impl LayerStep {
    /// A step by a command line.
    pub fn new(
        resource: Option<&str>,
        action: &'static str,
        layer: &ims::layer::Layer,
        line: Option<&Line>,
    ) -> Self {
        let resource = resource.map(ToOwned::to_owned);
        Self { resource, action, layer: layer.clone(), command: line.map(ToString::to_string) }
    }
}

impl Record for LayerStep {
    const SCHEMA: &'static str = "ims.layer-step/1";

    fn columns() -> &'static [&'static str] {
        &["action", "layer", "command"]
    }

    fn row(&self) -> Vec<String> {
        let command = self.command.clone().unwrap_or_else(|| "-".to_owned());
        vec![self.action.to_owned(), self.layer.to_string(), command]
    }
}

/// A disk group: layers alone.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DiskGroup {
    /// The resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// Up when all its layers are active here, down when none is, partial when some are.
    pub state: State,
    /// Its layers, bottom up.
    pub layers: Vec<Layer>,
    /// Whether this run activated any or let any go.
    pub changed: bool,
    /// Why the state is what it is, where that is not plain.
    pub why: Option<String>,
}

impl Record for DiskGroup {
    const SCHEMA: &'static str = "ims.disk-group/1";

    fn columns() -> &'static [&'static str] {
        &["layers", "state", "held by", "changed"]
    }

    fn row(&self) -> Vec<String> {
        let names: Vec<String> = self.layers.iter().map(|layer| layer.layer.to_string()).collect();
        let holder = self.layers.iter().find_map(|layer| layer.held_by.clone());
        let changed = if self.changed { "yes" } else { "no" };
        vec![
            names.join(" "),
            self.state.to_string(),
            holder.unwrap_or_else(|| "-".to_owned()),
            changed.to_owned(),
        ]
    }
}

/// What keeps two nodes from writing at once, and what it says.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Guard {
    /// What it is.
    pub kind: GuardKind,
    /// What it says; absent where there is none.
    pub state: Option<GuardState>,
    /// The node that holds it, and so masters the volume; absent when it is clean.
    pub held_by: Option<String>,
    /// The name that the device has on that node.
    pub held_by_device: Option<String>,
    /// The node that wrote it last, whether it still holds it or gave it up.
    pub written_by: Option<String>,
    /// When it was last written, by that node's clock.
    pub last_sign: Option<Timestamp>,
    /// How long ago that is, by this node's clock, in seconds; negative when the clocks disagree.
    pub age_s: Option<i64>,
    /// The number that a living holder counts up.
    pub sequence: Option<u32>,
    /// How often a living holder writes it, in seconds.
    pub interval_s: Option<u16>,
    /// How long `take` would wait for a sign of life, in seconds.
    pub wait_s: Option<u64>,
}

/// A persistent reservation of a disk.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reservation {
    /// The node that has it, or the key of somebody who is no node that is known here; absent when nobody has.
    pub held_by: Option<String>,
    /// The key by which it is held.
    pub key: Option<String>,
    /// Every key that is registered, once for each path.
    pub keys: Vec<String>,
    /// How often registrations changed since the disk has power.
    pub generation: u32,
}

/// A lease of sanlock.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Lease {
    /// Where it is: `LOCKSPACE:NAME:PATH:OFFSET`.
    pub lease: String,
    /// How it stands.
    pub state: LeaseState,
    /// The node that has it; absent when nobody has.
    pub held_by: Option<String>,
    /// The number of that node in the lockspace.
    pub host_id: Option<u64>,
    /// How long ago this node saw another renew its place there, in seconds.
    pub age_s: Option<u64>,
    /// How long `take` would wait for another's lease to run out, in seconds.
    pub wait_s: Option<u64>,
    /// Whether this node's daemon works with the watchdog.
    pub watchdog: Option<bool>,
    /// Why it is unknown, or cannot be taken by this node.
    pub why: Option<String>,
}

/// How a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeaseState {
    /// Nobody has it.
    Free,
    /// This node has it.
    Ours,
    /// Another node has it, or had it when it died.
    Held,
    /// It could not be told.
    Unknown,
}

/// The kinds of guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardKind {
    /// Multiple mount protection of ext4.
    Mmp,
    /// There is none.
    None,
    /// The device could not be read.
    Unknown,
}

impl GuardKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Mmp => "mmp",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

/// What a guard says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardState {
    /// The last holder gave it up.
    Clean,
    /// A node holds it, or held it when it died.
    Held,
    /// A file system check holds it, or held it when it died.
    Fsck,
    /// It could not be read, or its checksum is wrong.
    Unreadable,
}

impl GuardState {
    const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Held => "held",
            Self::Fsck => "fsck",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A step that a run would take.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VolumeStep {
    /// The volume's resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// What is done: `leave-out`, `lease`, `free-lease`, `reserve`, `preempt`, `claim`, `clear-guard`, `mount`, `sync`, `end`,
    /// `unmount`, `unreserve`, `unlease`.
    pub action: &'static str,
    /// The device.
    pub device: PathBuf,
    /// Where it is, or is to be, mounted.
    pub mount: PathBuf,
    /// How long it waits for a sign of life of another node, in seconds.
    pub wait_s: u64,
    /// Why.
    pub why: String,
}

impl VolumeStep {
    /// A leg of a mirror that a take leaves out: what it alone has is not seen then.
    pub fn leaves_out(volume: &crate::volume::Volume, leg: &std::path::Path) -> Self {
        Self {
            resource: volume.name.clone(),
            action: "leave-out",
            device: leg.to_owned(),
            mount: volume.mount.clone(),
            wait_s: 0,
            why: "it is not like the leg that is started: what it alone has is not seen".to_owned(),
        }
    }
}

impl Record for VolumeStep {
    const SCHEMA: &'static str = "ims.volume-step/1";

    fn columns() -> &'static [&'static str] {
        &["action", "device", "mount", "wait", "why"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.action.to_owned(),
            self.device.display().to_string(),
            self.mount.display().to_string(),
            format!("{} s", self.wait_s),
            self.why.clone(),
        ]
    }
}

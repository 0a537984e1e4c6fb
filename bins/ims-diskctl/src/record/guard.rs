//! Who holds a volume, by each of its guards.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

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
    pub(super) const fn word(self) -> &'static str {
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
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Held => "held",
            Self::Fsck => "fsck",
            Self::Unreadable => "unreadable",
        }
    }
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

//! What is to be done: pure functions from what is wanted and what was found to steps, or to the rule that forbids them.

mod by_guard;
mod ending;
mod leasing;
mod release;
mod reserving;
mod take;

use std::path::PathBuf;
use std::time::Duration;

use crate::guard::mmp::{Block, Sequence};
use crate::guard::reservation::Deed;
use crate::guard::sanlock::{self, Host};
use crate::record::VolumeStep;
use crate::volume::Volume;

pub use ending::ending;
pub use leasing::last_sign;
pub use release::release;
pub use take::{Taking, take};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Claim the volume by its guard, which is clean, or whose holder is proven dead.
    Claim {
        /// The guard block as it was judged.
        judged: Block,
        /// For how long it must not move before.
        watch: Duration,
        /// Why.
        why: String,
    },
    /// Take the lease, or give it up.
    Lease {
        /// What is to be done.
        deed: sanlock::Deed,
        /// The host that has it, and for how long it must not renew its place before; absent when nobody has it.
        watch: Option<(Host, Duration)>,
        /// Why.
        why: String,
    },
    /// Reserve the disk, or give that up.
    Reserve {
        /// What is to be done.
        deed: Deed,
        /// Why.
        why: String,
    },
    /// Mount at a folder.
    Mount {
        /// The folder.
        point: PathBuf,
        /// The guard block to watch, for how long the kernel does so; absent when the kernel need not wait.
        watch: Option<(Block, Duration)>,
        /// Why.
        why: String,
    },
    /// Write out what is in memory.
    Sync(PathBuf),
    /// End those who use it: who they are, in words.
    End(String),
    /// Unmount a folder.
    Unmount(PathBuf),
}

impl Step {
    /// The record of a step.
    pub fn record(&self, volume: &Volume) -> VolumeStep {
        let (action, wait, why) = match self {
            Self::Claim { judged, watch, why } if judged.sequence() == Sequence::Clean => {
                ("claim", *watch, why.as_str())
            }
            Self::Claim { watch, why, .. } => ("clear-guard", *watch, why.as_str()),
            Self::Mount { watch, why, .. } => {
                ("mount", watch.as_ref().map_or(Duration::ZERO, |(_, wait)| *wait), why.as_str())
            }
            Self::Lease { deed, watch, why } => {
                let action = match deed {
                    sanlock::Deed::Take => "lease",
                    sanlock::Deed::SetFree(_) => "free-lease",
                    sanlock::Deed::GiveUp => "unlease",
                };
                (action, watch.as_ref().map_or(Duration::ZERO, |(_, wait)| *wait), why.as_str())
            }
            Self::Reserve { deed, why } => {
                let action = match deed {
                    Deed::Reserve => "reserve",
                    Deed::Preempt(_) => "preempt",
                    Deed::GiveUp => "unreserve",
                };
                (action, Duration::ZERO, why.as_str())
            }
            Self::Sync(_) => ("sync", Duration::ZERO, "so that the unmount has little left to write"),
            Self::End(who) => ("end", Duration::ZERO, who.as_str()),
            Self::Unmount(_) => ("unmount", Duration::ZERO, "so that another node can take it at once"),
        };
        VolumeStep {
            resource: volume.name.clone(),
            action,
            device: volume.device.clone(),
            mount: volume.mount.clone(),
            wait_s: wait.as_secs(),
            why: why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

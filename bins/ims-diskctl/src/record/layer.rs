//! What a volume stands on, and a disk group, which is that alone.

use ims::{Record, State};
use schemars::JsonSchema;
use serde::Serialize;

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

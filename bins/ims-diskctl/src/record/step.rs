//! What a run would do.

use std::path::{Path, PathBuf};

use ims::Record;
use ims::sys::exec::Line;
use schemars::JsonSchema;
use serde::Serialize;

use crate::volume::Volume;

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
    pub fn leaves_out(volume: &Volume, leg: &Path) -> Self {
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

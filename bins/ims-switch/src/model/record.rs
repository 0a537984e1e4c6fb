//! An instance of a model as a record.

use std::path::PathBuf;

use ims::Record;
use ims::address::LogicalIp;
use ims::layer::Layer;
use ims::layout::Layout;
use ims::name::{DirectoryName, GroupName, InstanceName, NodeName};
use schemars::JsonSchema;
use serde::Serialize;

use super::plan::{Laid, Placed};

/// What was decided for one instance of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModelRecord {
    /// The model: `asymmetric`, `symmetric` or `n+1`.
    pub model: String,
    /// The instance.
    pub instance: InstanceName,
    /// Its group.
    pub group: GroupName,
    /// The node it is to run on, and then its backup.
    pub nodes: Vec<NodeName>,
    /// Its addresses with their prefix lengths.
    pub addresses: Vec<LogicalIp>,
    /// The network interface they are put on.
    pub interface: String,
    /// How it is laid out.
    pub layout: Layout,
    /// Its server root.
    pub root: PathBuf,
    /// The directory server below that root.
    pub ldap: Option<DirectoryName>,
    /// What its block device stands on, bottom up.
    pub layers: Vec<Layer>,
    /// Its block device.
    pub device: PathBuf,
    /// The type of its file system.
    pub fstype: String,
    /// Where that is mounted.
    pub mount: PathBuf,
    /// The port of its Job Controller; none in a layout that has no Job Controller.
    pub job_controller_port: Option<u16>,
    /// The lease of sanlock that guards its volume; none where no disk of leases was named.
    pub lease: Option<String>,
}

impl ModelRecord {
    /// What was decided for an instance.
    pub fn of(laid: &Laid, placed: &Placed) -> Self {
        Self {
            model: laid.model.word().to_owned(),
            instance: placed.instance.name.clone(),
            group: placed.group.clone(),
            nodes: placed.nodes.clone(),
            addresses: placed.addresses.clone(),
            interface: placed.interface.clone(),
            layout: placed.instance.layout,
            root: placed.instance.root.clone(),
            ldap: placed.instance.ldap.clone(),
            layers: placed.stand.layers.clone(),
            device: placed.stand.device.clone(),
            fstype: laid.storage.fstype.word().to_owned(),
            mount: placed.mount.clone(),
            job_controller_port: placed.job_controller,
            lease: placed.stand.lease.as_ref().map(ToString::to_string),
        }
    }
}

impl Record for ModelRecord {
    const SCHEMA: &'static str = "ims.model/1";

    fn columns() -> &'static [&'static str] {
        &["instance", "group", "nodes", "addresses", "device", "mount", "job controller"]
    }

    fn row(&self) -> Vec<String> {
        let nodes: Vec<&str> = self.nodes.iter().map(NodeName::as_str).collect();
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        vec![
            self.instance.to_string(),
            self.group.to_string(),
            nodes.join(", "),
            addresses.join(", "),
            self.device.display().to_string(),
            self.mount.display().to_string(),
            self.job_controller_port.map_or_else(|| "-".to_owned(), |port| port.to_string()),
        ]
    }
}

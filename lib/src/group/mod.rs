//! Resource groups: what a mail service is made of, and what needs what. Described in
//! `/etc/ims/groups/<GROUP>.toml`, see ims-group(5).

mod bonds;
mod kind;
mod order;
mod parse;

use std::path::PathBuf;
use std::time::Duration;

use crate::address::LogicalIp;
use crate::layer::Layer;
use crate::lease::Lease;
use crate::load::Load;
use crate::name::{DirectoryName, GroupName, InstanceName, NodeName, ResourceName};
use crate::volume::{Fstype, Options};
use crate::{Fail, Host, sys};

pub use bonds::Bonds;
pub use parse::PINGPONG_INTERVAL;

/// Where the groups are described, one file `<GROUP>.toml` each, the same bytes on every node.
pub const FOLDER: &str = "/etc/ims/groups";

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// The nodes it may run on, in the order of preference.
    pub nodes: Vec<NodeName>,
    /// Groups that must be online somewhere before this one starts.
    pub requires_groups: Vec<GroupName>,
    /// Whether it goes back to a more preferred node once that can have it.
    pub failback: bool,
    /// Which groups it is kept together with, or apart from.
    pub bonds: Bonds,
    /// What it asks of the node it is on: one group at least.
    pub load: Load,
    /// For how long a fault keeps it from being given over to the node that it failed on; none where that is no time.
    pub pingpong_interval: Duration,
    /// Its resources in an order in which they can be started.
    pub resources: Vec<Resource>,
    /// The file's bytes, to be compared with those on other nodes.
    pub text: String,
}

/// One thing a group is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the group.
    pub name: ResourceName,
    /// What it is.
    pub kind: Kind,
    /// What must be up on the same node before it starts.
    pub requires: Vec<ResourceName>,
    /// How long starting and stopping may take.
    pub limits: Limits,
    /// What is done about faults.
    pub policy: Policy,
    /// Whether somebody said that it is neither started nor watched. That is no part of the file.
    pub is_disabled: bool,
}

/// The types of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A network interface; it is looked at, never started or stopped.
    Nic {
        /// The interface.
        device: String,
    },
    /// A logical IP.
    LogicalIp {
        /// The address with its prefix length.
        address: LogicalIp,
        /// The interface it is put on.
        device: String,
    },
    /// Layers of shared disks with no file system of ours on them: a disk group.
    DiskGroup {
        /// The layers, bottom up: one at least.
        layers: Vec<Layer>,
    },
    /// A file system on a shared disk.
    Volume(Volume),
    /// The directory server of an instance.
    DirectoryServer {
        /// Its name, without the leading `slapd-`.
        instance: DirectoryName,
    },
    /// The mail servers of an instance.
    MessagingServer {
        /// Its name, without the leading `msg-`.
        instance: InstanceName,
    },
    /// Anything that is started, stopped and monitored by command lines.
    Command(Commands),
    /// An installed OCF resource agent.
    Ocf(Ocf),
}

/// A file system on a shared disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What the block device stands on, bottom up.
    pub layers: Vec<Layer>,
    /// The block device.
    pub device: PathBuf,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The type of its file system.
    pub fstype: Fstype,
    /// Mount options.
    pub options: Options,
    /// What guards it against two masters: `auto`, `reservation`, `sanlock`, `mmp` or `none`.
    pub guard: Option<String>,
    /// Its sanlock lease: `LOCKSPACE:NAME:PATH:OFFSET`.
    pub lease: Option<Lease>,
    /// Whether a mirror may be started without legs that are missing or stale, with nobody there to say so.
    pub degraded_start: bool,
}

/// Three command lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Starts it and returns once it is up.
    pub start: Vec<String>,
    /// Stops it and returns once it is down.
    pub stop: Vec<String>,
    /// Exits with 0 when it is up and with one of `offline_status` when it is down.
    pub monitor: Vec<String>,
    /// The exit statuses of `monitor` that mean down; any other is unknown.
    pub offline_status: Vec<i32>,
}

/// An OCF resource agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ocf {
    /// The folder below `/usr/lib/ocf/resource.d`.
    pub provider: String,
    /// The agent in it.
    pub agent: String,
    /// What it gets as `OCF_RESKEY_<name>`.
    pub parameters: Vec<(String, String)>,
}

/// How long starting and stopping may take before they are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For starting (`OnlineTimeout`).
    pub online_timeout: Duration,
    /// For stopping (`OfflineTimeout`).
    pub offline_timeout: Duration,
}

/// What is done about faults, with the names and defaults that the seed's `MsgSrv` type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The time between two probes.
    pub monitor_interval: Duration,
    /// The time after which a probe is given up.
    pub monitor_timeout: Duration,
    /// How often a start that failed is tried again.
    pub online_retry_limit: u32,
    /// How many intervals a resource may take to come up after its start.
    pub online_wait_limit: u32,
    /// How many failed probes are tolerated before there is a fault.
    pub tolerance_limit: u32,
    /// How often a fault is answered by a restart before the group is given over.
    pub restart_limit: u32,
    /// After this time without a fault the counts begin again.
    pub conf_interval: Duration,
}

impl Kind {
    /// The type's name in the group file.
    pub fn word(&self) -> String {
        match self {
            Self::Nic { .. } => "nic".to_owned(),
            Self::LogicalIp { .. } => "logical-ip".to_owned(),
            Self::DiskGroup { .. } => "disk-group".to_owned(),
            Self::Volume(_) => "volume".to_owned(),
            Self::DirectoryServer { .. } => "directory-server".to_owned(),
            Self::MessagingServer { .. } => "messaging-server".to_owned(),
            Self::Command(_) => "command".to_owned(),
            Self::Ocf(ocf) => format!("ocf:{}:{}", ocf.provider, ocf.agent),
        }
    }

    /// The name of the instance whose servers it is; none of what is no server.
    pub fn instance(&self) -> Option<&str> {
        match self {
            Self::MessagingServer { instance } => Some(instance.as_str()),
            Self::DirectoryServer { instance } => Some(instance.as_str()),
            Self::Nic { .. }
            | Self::LogicalIp { .. }
            | Self::DiskGroup { .. }
            | Self::Volume(_)
            | Self::Command(_)
            | Self::Ocf(_) => None,
        }
    }

    /// Whether it is only looked at, and may be up on every node at once (a network interface).
    pub const fn is_persistent(&self) -> bool {
        match self {
            Self::Nic { .. } => true,
            Self::LogicalIp { .. }
            | Self::DiskGroup { .. }
            | Self::Volume(_)
            | Self::DirectoryServer { .. }
            | Self::MessagingServer { .. }
            | Self::Command(_)
            | Self::Ocf(_) => false,
        }
    }
}

impl Group {
    /// The group's file.
    pub fn path(name: &GroupName) -> PathBuf {
        PathBuf::from(FOLDER).join(format!("{name}.toml"))
    }

    /// Reads a group of a host.
    pub fn load(host: &Host, name: &GroupName) -> Result<Self, Fail> {
        let path = Self::path(name);
        let file = host.path(&path);
        let Some(text) = sys::file::read_text(&file)? else {
            let known: Vec<String> = Self::names(host)?.iter().map(ToString::to_string).collect();
            let hint = match crate::suggest::nearest(name.as_str(), known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean '{meant}'?"),
                None if known.is_empty() => format!("describe it in {}, see ims-group(5)", path.display()),
                None => format!("there are {}", known.join(", ")),
            };
            return Err(Fail::usage(format!("no group '{name}'")).hint(hint));
        };
        Self::parse(name.clone(), &text, &file)
    }

    /// The names of the groups of a host, in order.
    pub fn names(host: &Host) -> Result<Vec<GroupName>, Fail> {
        let folder = host.path(FOLDER);
        let cannot = |e: &std::io::Error| Fail::io(crate::Exit::Unknown, "cannot list the groups", e);
        let entries = match fs_err::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(cannot(&e)),
        };
        let mut names: Vec<GroupName> = Vec::new();
        for entry in entries {
            let file = entry.map_err(|e| cannot(&e))?.file_name();
            names.extend(file.to_str().and_then(|file| file.strip_suffix(".toml")?.parse().ok()));
        }
        names.sort();
        Ok(names)
    }

    /// The groups that must be online before this one: those it requires, and those it must be together with.
    pub fn needed_groups(&self) -> impl Iterator<Item = &GroupName> {
        let together = self.bonds.together_with.iter();
        self.requires_groups.iter().chain(together.filter(|name| !self.requires_groups.contains(name)))
    }

    /// The resource of that name.
    pub fn get(&self, name: &ResourceName) -> Option<&Resource> {
        self.resources.iter().find(|resource| &resource.name == name)
    }

    /// The resource of that name, or a failure that says which there are.
    pub fn find(&self, name: &ResourceName) -> Result<&Resource, Fail> {
        self.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.resources.iter().map(|resource| resource.name.as_str()).collect();
            Fail::usage(format!("no resource '{name}' in {}", self.name))
                .hint(format!("there are {}", known.join(", ")))
        })
    }

    /// The resources that require this one directly.
    pub fn dependents<'a>(&'a self, name: &'a ResourceName) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| resource.requires.contains(name))
    }
}

//! The command line of `ims-switch model`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use ims::Fail;
use ims::address::LogicalIp;
use ims::layout::Layout;
use ims::name::{DirectoryName, GroupName, InstanceName, NodeName};
use ims::span::Span;

/// The arguments of `model`.
#[derive(Debug, clap::Args)]
pub struct Model {
    /// The model
    #[arg(value_name = "MODEL")]
    pub model: Kind,
    /// The nodes, by the names that uname -n gives there; of n+1 the last is the standby
    #[arg(long, value_name = "NODE,NODE", value_delimiter = ',', required = true)]
    pub nodes: Vec<NodeName>,
    /// An instance, its logical address (several with commas), and the node it is to run on [default: the first; of
    /// symmetric and n+1 each primary in turn]; may be given several times
    #[arg(long = "instance", value_name = "NAME=ADDRESS/PREFIX[@NODE]", required = true)]
    pub instances: Vec<Wanted>,
    /// How the instances are laid out [default: postfix-dovecot]
    #[arg(long)]
    pub layout: Option<Layout>,
    /// The directory server below an instance's root; the instance may be left out where there is one alone
    #[arg(long = "ldap", value_name = "[INSTANCE=]DIRECTORY")]
    pub directories: Vec<Directory>,
    /// A group that must be online first, such as the directory of users; may be given several times
    #[arg(long = "requires-group", value_name = "GROUP")]
    pub requires_groups: Vec<GroupName>,
    /// The network interface of the addresses, the same on every node [default: eth0]
    #[arg(long, value_name = "DEVICE")]
    pub interface: Option<String>,
    /// The folder below which the volumes are mounted, each at the name of its instance [default: /global]
    #[arg(long, value_name = "FOLDER")]
    pub mounts: Option<PathBuf>,
    /// The block device of an instance's volume [default: the mirror's, else /dev/disk/by-label/INSTANCE]
    #[arg(long = "disk", value_name = "INSTANCE=DEVICE")]
    pub disks: Vec<Disk>,
    /// What keeps two copies of each volume [default: md of symmetric, none of the others]
    #[arg(long)]
    pub mirror: Option<Mirror>,
    /// The type of the volumes' file systems [default: ext4]
    #[arg(long)]
    pub fstype: Option<Fstype>,
    /// Write below this folder; / is this node itself
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    pub to: Option<PathBuf>,
    /// Replace entries and files that say something else
    #[arg(long)]
    pub force_replace: bool,
    /// Show what would be written, against this node where no --to is given, and write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs that write the same files to end
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
    /// How many groups the standby of n+1 can run at once [default: all of them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub capacity: Option<u64>,
}

/// The models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// One node runs all instances, the other is its hot standby
    Asymmetric,
    /// Both nodes run instances, and each is the other's backup
    Symmetric,
    /// Several nodes run instances, and one more is the standby of all
    #[value(name = "n+1")]
    NPlusOne,
}

impl Kind {
    /// The name, as it is typed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asymmetric => "asymmetric",
            Self::Symmetric => "symmetric",
            Self::NPlusOne => "n+1",
        }
    }
}

/// What keeps two copies of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mirror {
    /// An array of mdadm over a disk of each of two arrays that both nodes reach
    Md,
    /// A resource of DRBD over a disk of each node
    Drbd,
    /// Nothing here: one disk, or an array that mirrors by itself
    None,
}

/// The file systems that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fstype {
    /// With multiple mount protection
    Ext4,
    /// Without a guard of its own
    Xfs,
}

impl Fstype {
    /// The name, as mount takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }

    /// The longest label, in bytes (`EXT2_LABEL_LEN`, `XFSLABEL_MAX`).
    pub const fn longest_label(self) -> usize {
        match self {
            Self::Ext4 => 16,
            Self::Xfs => 12,
        }
    }
}

/// `stork=10.0.37.10/24@mail-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The instance.
    pub name: InstanceName,
    /// Its addresses, one at least.
    pub addresses: Vec<LogicalIp>,
    /// The node it is to run on, when that was said.
    pub node: Option<NodeName>,
}

impl FromStr for Wanted {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (name, rest) = pair(text, "like stork=10.0.37.10/24 or stork=10.0.37.10/24@mail-1")?;
        let (addresses, node) = rest.split_once('@').map_or((rest, None), |(all, node)| (all, Some(node)));
        Ok(Self {
            name: name.parse()?,
            addresses: addresses.split(',').map(str::parse).collect::<Result<_, _>>()?,
            node: node.map(str::parse).transpose()?,
        })
    }
}

/// `stork=mail`, or `mail` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Whose it is, when that was said.
    pub instance: Option<InstanceName>,
    /// Its name, without the leading `slapd-`.
    pub name: DirectoryName,
}

impl FromStr for Directory {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        Ok(match text.split_once('=') {
            Some((instance, name)) => Self { instance: Some(instance.parse()?), name: name.parse()? },
            None => Self { instance: None, name: text.parse()? },
        })
    }
}

/// `stork=/dev/disk/by-label/ims`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The instance.
    pub instance: InstanceName,
    /// The block device.
    pub device: PathBuf,
}

impl FromStr for Disk {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (name, device) = pair(text, "like stork=/dev/disk/by-label/ims")?;
        Ok(Self { instance: name.parse()?, device: ims::registry::absolute(device)? })
    }
}

fn pair<'a>(text: &'a str, like: &str) -> Result<(&'a str, &'a str), Fail> {
    text.split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or_else(|| Fail::usage(format!("no name and value: '{}'", text.escape_debug())).hint(like))
}

//! The command line of `ims-switch import`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use ims::Fail;
use ims::address::LogicalIp;
use ims::layout::Layout;
use ims::name::NodeName;
use ims::span::Span;

/// The arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Whose configuration it is
    #[arg(value_name = "LANGUAGE")]
    pub language: Language,
    /// The files; - reads stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write the group files into this folder [default: /etc/ims/groups]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// The address of a host name that the files use; may be given several times
    #[arg(long = "address", value_name = "NAME=ADDRESS/PREFIX")]
    pub addresses: Vec<NamedAddress>,
    /// The network interface of addresses for which the files name none
    #[arg(long, value_name = "DEVICE")]
    pub interface: Option<String>,
    /// The device of a mount point for which the files name none; may be given several times
    #[arg(long = "volume", value_name = "MOUNT=DEVICE[:FSTYPE]")]
    pub volumes: Vec<NamedVolume>,
    /// The nodes of groups for which the files name none, in the order of preference
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub nodes: Vec<NodeName>,
    /// The layout of the instances that SUNW.ims and SUNW.nsldap run: iplanet-5, messaging-6 or postfix-dovecot
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,
    /// Replace a group file that says something else
    #[arg(long)]
    pub force_replace: bool,
    /// Show what would be written and write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for other runs that write group files to end
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: Span,
}

/// The languages that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// VERITAS Cluster Server: main.cf and its types files
    Vcs,
    /// Sun Cluster 3: a script of scrgadm and scswitch, or of clresourcegroup, clresource and their like
    SunCluster,
    /// Pacemaker: a CIB as cibadmin -Q prints it
    Pacemaker,
    /// Told that it manages no groups
    #[value(hide = true)]
    Keepalived,
}

/// `mail=10.0.37.10/24`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddress {
    /// The host name, as the files have it.
    pub name: String,
    /// What it stands for.
    pub address: LogicalIp,
}

impl FromStr for NamedAddress {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (name, address) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            Fail::usage(format!("no name and address: '{}'", text.escape_debug()))
                .hint("like mail=10.0.37.10/24")
        })?;
        Ok(Self { name: name.to_owned(), address: address.parse()? })
    }
}

/// `/global/ims=/dev/disk/by-label/ims:ext4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedVolume {
    /// The mount point, as the files have it.
    pub mount: PathBuf,
    /// Its device.
    pub device: PathBuf,
    /// Its type, when that was said.
    pub fstype: Option<String>,
}

impl FromStr for NamedVolume {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let bad = || {
            Fail::usage(format!("no mount point and device: '{}'", text.escape_debug()))
                .hint("like /global/ims=/dev/disk/by-label/ims or /global/ims=/dev/sdb1:xfs")
        };
        let (mount, device) = text.split_once('=').ok_or_else(bad)?;
        // The paths in /dev/disk/by-path have colons; a type of a file system has no slash.
        let (device, fstype) = match device.rsplit_once(':') {
            Some((device, fstype)) if is_a_type(fstype) => (device, Some(fstype.to_owned())),
            Some(_) | None => (device, None),
        };
        if !Path::new(mount).is_absolute() || !Path::new(device).is_absolute() {
            return Err(bad());
        }
        Ok(Self { mount: mount.into(), device: device.into(), fstype })
    }
}

fn is_a_type(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_a_mount_point_its_device_and_perhaps_its_type() {
        let volume = |text: &str| text.parse::<NamedVolume>();
        let plain = volume("/m=/dev/disk/by-path/pci-0000:00:1f.2-ata-1:xfs").unwrap();
        assert_eq!(plain.device, Path::new("/dev/disk/by-path/pci-0000:00:1f.2-ata-1"));
        assert_eq!(plain.fstype.as_deref(), Some("xfs"));
        assert_eq!(volume("/m=/dev/disk/by-path/pci-0000:00:1f.2").unwrap().fstype, None);
        assert!(volume("m=/dev/sdb1").is_err() && volume("/m").is_err() && volume("/m=sdb1").is_err());
    }
}

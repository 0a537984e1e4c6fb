//! A volume as it is wanted: the device, the place, the file system, the guard.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use ims::Fail;
use ims::layer::Layer;
use ims::lease::Lease;

use crate::filesystem::Filesystem;

/// The type of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fstype {
    /// The fourth extended file system.
    Ext4,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
    /// Any other, by its name in /proc/filesystems: what is on the device the kernel alone knows.
    Other(String),
}

impl Fstype {
    /// Its name, as the kernel knows it.
    pub fn word(&self) -> &str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Other(word) => word,
        }
    }

    /// Whether what was found on a device may be this; what we do not know may be any other.
    pub fn may_be(&self, found: Option<&Filesystem>) -> bool {
        match (self, found) {
            (Self::Ext4, Some(Filesystem::Ext4(_)))
            | (Self::Xfs, Some(Filesystem::Xfs(_)))
            | (Self::Btrfs, Some(Filesystem::Btrfs(_)))
            | (Self::Other(_), None) => true,
            // Its elders have its superblock.
            (Self::Other(word), Some(Filesystem::Ext4(_))) => matches!(word.as_str(), "ext2" | "ext3"),
            (Self::Ext4 | Self::Xfs | Self::Btrfs | Self::Other(_), _) => false,
        }
    }
}

impl FromStr for Fstype {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        match text {
            "ext4" => Ok(Self::Ext4),
            "xfs" => Ok(Self::Xfs),
            "btrfs" => Ok(Self::Btrfs),
            other if is_word && other != "auto" => Ok(Self::Other(other.to_owned())),
            _ => Err(Fail::usage(format!("not a type of file system: '{}'", text.escape_debug()))
                .hint("ext4, xfs, btrfs or another that /proc/filesystems has")),
        }
    }
}

/// What must keep two nodes from writing at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wanted {
    /// The strongest that the volume has; without any the volume is not taken.
    Auto,
    /// A persistent reservation of the disk.
    Reservation,
    /// A lease of sanlock.
    Sanlock,
    /// The role of the DRBD resource that it stands on.
    Drbd,
    /// Multiple mount protection of ext4.
    Mmp,
    /// The host of the ZFS pool that it stands on.
    Zfs,
    /// The host of the disk group of Veritas that it stands on.
    Vxvm,
    /// The system ID, or the shared lock, of the LVM volume group that it stands on.
    Lvm,
    /// Nothing, if the volume has nothing: whoever says this keeps the other nodes away.
    None,
}

/// Mount options that go with mastering a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(String);

impl Options {
    /// The options as mount(8) takes them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Options {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        for option in text.split(',') {
            // The kernel reads `ro=1` as `ro`, whatever the value says.
            let why = match option.split('=').next().unwrap_or(option) {
                // Read-only, ext4 replays the journal all the same and does not look at its guard.
                "ro" | "noload" | "norecovery" => {
                    "a volume is taken to be written, and its guard works only then"
                }
                "remount" | "bind" | "rbind" | "move" | "loop" => "this is not a mount of a device",
                _ if option.chars().any(char::is_control) => "it has control characters",
                _ => continue,
            };
            return Err(Fail::usage(format!("not for a volume: '{}'", option.escape_debug())).because(why));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A volume.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Its resource, where it was named by its group: `GROUP:RESOURCE`.
    pub name: Option<String>,
    /// What its device stands on, bottom up.
    pub layers: Vec<Layer>,
    /// The path of its device.
    pub device: PathBuf,
    /// Where it is mounted on the node that masters it.
    pub mount: PathBuf,
    /// Its file system.
    pub fstype: Fstype,
    /// The options that it is mounted with.
    pub options: Options,
    /// What must guard it.
    pub guard: Wanted,
    /// Its lease.
    pub lease: Option<Lease>,
}

impl Volume {
    /// What people call it: its resource, else its device.
    pub fn called(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.device.display().to_string())
    }
}

/// Layers alone, with no file system of ours on them.
#[derive(Debug, Clone)]
pub struct DiskGroup {
    /// Its resource, where it was named by its group: `GROUP:RESOURCE`.
    pub name: Option<String>,
    /// The layers, bottom up: one at least.
    pub layers: Vec<Layer>,
}

/// What a command line means by one of its names.
#[derive(Debug, Clone)]
pub enum Item {
    /// A volume.
    Volume(Volume),
    /// A disk group.
    DiskGroup(DiskGroup),
}

impl Item {
    /// What people call it: its resource, else its device or its topmost layer.
    pub fn called(&self) -> String {
        match self {
            Self::Volume(volume) => volume.called(),
            Self::DiskGroup(group) => group.called(),
        }
    }

    /// Its resource.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Volume(volume) => volume.name.as_deref(),
            Self::DiskGroup(group) => group.name.as_deref(),
        }
    }

    /// Where it is mounted.
    pub fn mount(&self) -> Option<&Path> {
        match self {
            Self::Volume(volume) => Some(&volume.mount),
            Self::DiskGroup(_) => None,
        }
    }
}

impl DiskGroup {
    /// What people call it: its resource, else its topmost layer.
    pub fn called(&self) -> String {
        let top = || self.layers.last().map(ToString::to_string).unwrap_or_default();
        self.name.clone().unwrap_or_else(top)
    }
}

/// A path that is absolute, without `.` and `..`, as the kernel's tables have them.
pub fn absolute(text: &str) -> Result<PathBuf, Fail> {
    let path: PathBuf = Path::new(text).components().collect();
    let is_plain = path
        .components()
        .all(|part| matches!(part, std::path::Component::RootDir | std::path::Component::Normal(_)));
    if path.is_absolute() && is_plain {
        Ok(path)
    } else {
        Err(Fail::usage(format!("not an absolute path: '{}'", text.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_would_get_around_the_guard_are_not_taken() {
        for good in ["", "noatime", "nodev,nosuid,data=ordered,commit=5", "errors=panic"] {
            assert_eq!(good.parse::<Options>().unwrap().as_str(), good);
        }
        for bad in ["ro", "ro=1", "ro=", "noatime,noload", "norecovery", "remount", "bind", "a\nb"] {
            assert!(bad.parse::<Options>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_system_is_told_by_its_name() {
        for good in ["ext4", "xfs", "btrfs", "ext3", "reiserfs", "f2fs"] {
            assert_eq!(good.parse::<Fstype>().unwrap().word(), good);
        }
        for bad in ["", "auto", "-o", "ext4,ro", "a b"] {
            assert!(bad.parse::<Fstype>().is_err(), "{bad}");
        }
        let xfs = crate::filesystem::xfs::Superblock {
            uuid: crate::filesystem::Uuid([0; 16]),
            label: String::new(),
        };
        let xfs = Filesystem::Xfs(xfs);
        let other = Fstype::Other("f2fs".into());
        assert!(
            Fstype::Xfs.may_be(Some(&xfs)) && !Fstype::Ext4.may_be(Some(&xfs)) && !Fstype::Xfs.may_be(None)
        );
        assert!(other.may_be(None) && !other.may_be(Some(&xfs)));
    }

    #[test]
    fn a_path_is_absolute_and_plain() {
        assert_eq!(absolute("/global//ims/").unwrap(), Path::new("/global/ims"));
        for bad in ["", "global", "/a/../b", "./x"] {
            assert!(absolute(bad).is_err(), "{bad}");
        }
    }
}

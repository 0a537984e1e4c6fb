//! A volume as it is wanted: the device, the place, the file system, the guard.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ims::Fail;
use ims::layer::Layer;
use ims::lease::Lease;
use ims::volume::{Fstype, Options};

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
    /// Whether its group says that a mirror may be started without legs that are missing or stale.
    pub degraded_start: bool,
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
    fn a_path_is_absolute_and_plain() {
        assert_eq!(absolute("/global//ims/").unwrap(), Path::new("/global/ims"));
        for bad in ["", "global", "/a/../b", "./x"] {
            assert!(absolute(bad).is_err(), "{bad}");
        }
    }
}

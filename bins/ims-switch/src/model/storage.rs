//! What the volumes of a model stand on: their mirror, their file system, their device and what guards them. Pure.

use std::path::PathBuf;

use ims::Fail;
use ims::layer::Layer;
use ims::lease::Lease;
use ims::name::InstanceName;

use crate::cli::model::{Fstype, Kind, Mirror, Model};

/// How the volumes of a model are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// What keeps two copies of each.
    pub mirror: Mirror,
    /// The type of their file systems.
    pub fstype: Fstype,
}

/// What one volume stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// What its block device stands on, bottom up.
    pub layers: Vec<Layer>,
    /// Its block device.
    pub device: PathBuf,
    /// The lease that guards it.
    pub lease: Option<Lease>,
}

/// How far the leases of two volumes are from each other: as much as one takes on disks with sectors of 4 KiB.
const LEASE: u64 = 8 << 20;

impl Storage {
    /// The mirror and the file system that were asked for, or the usual ones, told as decided.
    pub fn of(asked: &Model, decided: &mut Vec<String>) -> Result<Self, Fail> {
        let mirror = asked.mirror.unwrap_or_else(|| {
            let mirror = mirror_of(asked.model);
            decided.push(format!("{} (--mirror)", mirror_words(mirror)));
            mirror
        });
        let fstype = match (asked.fstype, mirror) {
            (None | Some(Fstype::Btrfs), Mirror::Btrfs) => Fstype::Btrfs,
            (Some(Fstype::Ext4 | Fstype::Xfs), Mirror::Btrfs) => {
                return Err(Fail::usage("a mirror of Btrfs has Btrfs on it").hint("leave --fstype out"));
            }
            (Some(fstype), Mirror::Md | Mirror::Drbd | Mirror::None) => fstype,
            (None, Mirror::Md | Mirror::Drbd | Mirror::None) => {
                decided.push("file system ext4 (--fstype)".to_owned());
                Fstype::Ext4
            }
        };
        Ok(Self { mirror, fstype })
    }

    /// Whether nothing keeps a second node off a volume but a lease: neither the file system nor DRBD does.
    pub const fn needs_a_lease(self) -> bool {
        match (self.fstype, self.mirror) {
            (Fstype::Ext4, _) | (Fstype::Xfs | Fstype::Btrfs, Mirror::Drbd) => false,
            (Fstype::Xfs | Fstype::Btrfs, Mirror::Md | Mirror::Btrfs | Mirror::None) => true,
        }
    }

    /// What the volume of an instance stands on, the instance being the one at that place of those that were named.
    pub fn stand(self, asked: &Model, name: &InstanceName, index: usize) -> Result<Stand, Fail> {
        let Self { mirror, fstype } = self;
        let said = asked.disks.iter().find(|disk| &disk.instance == name).map(|disk| disk.device.clone());
        let (layers, usual): (Vec<Layer>, String) = match mirror {
            Mirror::Md => (vec![format!("md:/dev/md/{name}").parse()?], format!("/dev/md/{name}")),
            Mirror::Drbd => (vec![format!("drbd:{name}").parse()?], format!("/dev/drbd/by-res/{name}/0")),
            Mirror::Btrfs | Mirror::None => (Vec::new(), format!("/dev/disk/by-label/{name}")),
        };
        let longest = fstype.longest_label();
        let is_by_label = said.is_none() && matches!(mirror, Mirror::Btrfs | Mirror::None);
        if is_by_label && name.as_str().len() > longest {
            let fstype = fstype.word();
            return Err(Fail::usage(format!(
                "{name} is too long for a label of {fstype}, at most {longest} bytes"
            ))
            .hint(format!("say --disk {name}=DEVICE")));
        }
        Ok(Stand { layers, device: said.unwrap_or_else(|| usual.into()), lease: lease(asked, name, index)? })
    }
}

/// The lease of a volume, on the disk of leases that was named; the lockspace stands before the first.
fn lease(asked: &Model, name: &InstanceName, index: usize) -> Result<Option<Lease>, Fail> {
    let Some(disk) = &asked.leases else { return Ok(None) };
    let place = u64::try_from(index).ok().and_then(|index| index.checked_add(1)?.checked_mul(LEASE));
    let place = place.ok_or_else(|| Fail::usage("too many instances"))?;
    format!("ims:{name}:{}:{place}", disk.display()).parse().map(Some)
}

const fn mirror_of(model: Kind) -> Mirror {
    match model {
        Kind::Symmetric => Mirror::Md,
        Kind::Asymmetric | Kind::NPlusOne => Mirror::None,
    }
}

const fn mirror_words(mirror: Mirror) -> &'static str {
    match mirror {
        Mirror::Btrfs => "volumes mirrored by Btrfs over both disk arrays",
        Mirror::Md => "volumes mirrored by md over both disk arrays",
        Mirror::Drbd => "volumes mirrored by DRBD over both nodes",
        Mirror::None => "volumes not mirrored here",
    }
}

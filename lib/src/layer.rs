//! The layers of devices that a volume may stand on, as an operator names one: `KIND:NAME`.
//!
//! A volume's layers are told bottom up: `md:/dev/md/ims`, then `lvm:shared/mail`. Nothing here touches a device.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fail;
use crate::suggest::nearest;

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Layer {
    /// An array of Linux' software RAID, by the file of its device: `/dev/md/NAME`.
    Md(String),
    /// A volume group of LVM, or one logical volume of it.
    Lvm {
        /// The volume group.
        group: String,
        /// The logical volume; all of the group when absent.
        volume: Option<String>,
    },
    /// A resource of DRBD.
    Drbd(String),
    /// A pool of ZFS.
    Zfs(String),
    /// A Btrfs on several devices, by its UUID in lower case.
    Btrfs(String),
    /// A disk group of the Veritas volume manager.
    Vxvm(String),
}

/// The kinds, and what the name of each is.
const KINDS: &[(&str, &str)] = &[
    ("md", "/dev/md/NAME"),
    ("lvm", "GROUP or GROUP/VOLUME"),
    ("drbd", "RESOURCE"),
    ("zfs", "POOL"),
    ("btrfs", "UUID"),
    ("vxvm", "DISK-GROUP"),
];

impl Layer {
    /// The kind, as it is written before the colon.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Md(_) => "md",
            Self::Lvm { .. } => "lvm",
            Self::Drbd(_) => "drbd",
            Self::Zfs(_) => "zfs",
            Self::Btrfs(_) => "btrfs",
            Self::Vxvm(_) => "vxvm",
        }
    }

    /// The name, as it is written behind the colon.
    pub fn name(&self) -> String {
        match self {
            Self::Lvm { group, volume: Some(volume) } => format!("{group}/{volume}"),
            Self::Lvm { group: name, volume: None }
            | Self::Md(name)
            | Self::Drbd(name)
            | Self::Zfs(name)
            | Self::Btrfs(name)
            | Self::Vxvm(name) => name.clone(),
        }
    }
}

/// A word that is no option, no path and nothing a tool could take for a pattern.
fn word(text: &str) -> Option<String> {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "_.+:-".contains(c));
    let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    (is_plain && is_name && text.len() <= 127).then(|| text.to_owned())
}

fn array(text: &str) -> Option<String> {
    let name = text.strip_prefix("/dev/md/")?;
    word(name).map(|_| text.to_owned())
}

fn group(text: &str) -> Option<Layer> {
    let (group, volume) = text.split_once('/').map_or((text, None), |(group, lv)| (group, Some(lv)));
    let volume = match volume {
        Some(volume) => Some(word(volume)?),
        None => None,
    };
    Some(Layer::Lvm { group: word(group)?, volume })
}

fn uuid(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = parts.iter().all(|part| part.chars().all(|c| c.is_ascii_hexdigit()));
    (is_hex && lengths == [8, 4, 4, 4, 12]).then(|| text.to_ascii_lowercase())
}

impl FromStr for Layer {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let known = || KINDS.iter().map(|(kind, _)| *kind);
        let Some((_, form)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            let fail = Fail::usage(format!("unknown layer '{}'", text.escape_debug()));
            return Err(match nearest(kind, known()) {
                Some(meant) => fail.hint(format!("did you mean '{meant}:…'?")),
                None => fail.hint(format!(
                    "a kind, a colon and a name; there are {}",
                    known().collect::<Vec<_>>().join(", ")
                )),
            });
        };
        let layer = match kind {
            "md" => array(name).map(Self::Md),
            "lvm" => group(name),
            "drbd" => word(name).map(Self::Drbd),
            "zfs" => word(name).map(Self::Zfs),
            "btrfs" => uuid(name).map(Self::Btrfs),
            _vxvm => word(name).map(Self::Vxvm),
        };
        layer.ok_or_else(|| {
            Fail::usage(format!("not a layer: '{}'", text.escape_debug())).hint(format!("{kind}:{form}"))
        })
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.name())
    }
}

impl TryFrom<String> for Layer {
    type Error = Fail;

    fn try_from(text: String) -> Result<Self, Fail> {
        text.parse()
    }
}

impl From<Layer> for String {
    fn from(layer: Layer) -> Self {
        layer.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_a_kind_and_a_name() {
        for good in [
            "md:/dev/md/ims",
            "lvm:shared",
            "lvm:shared/mail",
            "drbd:ims",
            "zfs:tank",
            "btrfs:123e4567-e89b-12d3-a456-426614174000",
            "vxvm:imsdg",
        ] {
            assert_eq!(good.parse::<Layer>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn what_a_tool_could_take_for_something_else_is_no_layer() {
        for bad in [
            "",
            "md",
            "md:",
            "md:ims",
            "md:/dev/sda",
            "md:/dev/md/../sda",
            "lvm:",
            "lvm:a/b/c",
            "lvm:-y",
            "lvm:a/",
            "lvm:../x",
            "drbd:-all",
            "drbd:a b",
            "zfs:tank/mail",
            "zfs:a*",
            "btrfs:tank",
            "vxvm:-f",
            "raid:x",
            "x",
        ] {
            assert!(bad.parse::<Layer>().is_err(), "{bad}");
        }
        let told = "lvn:shared".parse::<Layer>().unwrap_err().to_string();
        assert_eq!(told, "unknown layer 'lvn:shared' (did you mean 'lvm:…'?)");
    }
}

//! What a volume is to be mounted with: the type of its file system and the options.

use std::str::FromStr;

use crate::Fail;

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
    }
}

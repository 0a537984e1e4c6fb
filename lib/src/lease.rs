//! A lease of sanlock(8) as an operator names it. Nothing here touches a disk.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Fail;

/// The longest name of a lockspace or a lease (`NAME_ID_SIZE` of sanlock).
const LONGEST: usize = 48;
/// A lease: where it is. Written `LOCKSPACE:NAME:PATH:OFFSET`, as sanlock(8) does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The lockspace that it belongs to.
    pub space: String,
    /// Its name there.
    pub name: String,
    /// The disk or file that it is on.
    pub path: PathBuf,
    /// Where on it, in bytes.
    pub offset: u64,
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.space, self.name, self.path.display(), self.offset)
    }
}

impl FromStr for Lease {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let wrong = |why: &str| {
            Fail::usage(format!("not a lease: '{}'", text.escape_debug()))
                .because(why)
                .hint("like ims:vol1:/dev/disk/by-label/leases:1048576")
        };
        let [space, name, path, offset] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err(wrong("it has four parts: lockspace, name, path and offset"));
        };
        let is_name = |name: &str| {
            (1..=LONGEST).contains(&name.len())
                && !name.starts_with('-')
                && name.chars().all(|c| c.is_ascii_graphic() && c != '\\')
        };
        if !is_name(space) || !is_name(name) {
            return Err(wrong("a name has 1 to 48 plain characters"));
        }
        let path = Path::new(path);
        let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        if !path.is_absolute() || !path.components().all(is_plain) {
            return Err(wrong("its path begins at / and has no .."));
        }
        let offset: u64 = offset.parse().map_err(|_| wrong("the offset is a number of bytes"))?;
        if !offset.is_multiple_of(1 << 20) {
            return Err(wrong("the offset is a multiple of 1048576"));
        }
        Ok(Self { space: space.to_owned(), name: name.to_owned(), path: path.to_owned(), offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_written_as_sanlock_does() {
        let text = "ims:vol1:/dev/disk/by-label/leases:1048576";
        let lease: Lease = text.parse().unwrap();
        assert_eq!((lease.to_string().as_str(), lease.offset), (text, 1 << 20));
        for bad in [
            "",
            "ims:vol1:/dev/x",
            "ims:vol1:/dev/x:1:2",
            ":vol1:/dev/x:0",
            "ims:-P:/dev/x:0",
            "ims:vol1:x:0",
            "ims:vol1:/dev/x:512",
            "ims:vol1:/dev/x:-1",
            "ims:a b:/dev/x:0",
        ] {
            assert!(bad.parse::<Lease>().is_err(), "{bad}");
        }
    }
}

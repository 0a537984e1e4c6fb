//! A Btrfs on several devices: the kernel has to know all of them before one is mounted (btrfs-device(8)). It guards nothing.

use ims::Fail;
use ims::sys::exec::Line;

use super::tools::Tools;
use super::{Sight, Standing, strange};

/// A file system as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legs {
    /// How many devices it has.
    devices: u32,
    /// How many of them are here.
    found: u32,
    /// Whether the kernel knows all of them.
    is_ready: bool,
}

/// Looks at a file system.
pub fn look(uuid: &str, tools: &mut Tools<'_>) -> Result<Legs, Fail> {
    let shown = tools.run(&Line::new(["btrfs", "filesystem", "show", "--raw", uuid]))?;
    if !shown.is_success() {
        return Err(Fail::unknown(format!("cannot find the Btrfs {uuid}"))
            .because(shown.words())
            .hint("are its disks attached to this node?"));
    }
    let (devices, found) = legs(&shown.stdout).ok_or_else(|| strange("btrfs", shown.words()))?;
    let is_ready = match first(&shown.stdout) {
        Some(device) => tools.run(&Line::new(["btrfs", "device", "ready", device]))?.is_success(),
        None => false,
    };
    Ok(Legs { devices, found, is_ready })
}

/// The devices that there are, and those that were found: `Total devices 2 …`, and a line `devid …` for each.
fn legs(text: &str) -> Option<(u32, u32)> {
    let total = text.lines().find_map(|line| line.trim().strip_prefix("Total devices "))?;
    let is_there = |line: &&str| line.trim().starts_with("devid") && !line.contains("MISSING");
    let found = text.lines().filter(is_there).count();
    Some((total.split_whitespace().next()?.parse().ok()?, u32::try_from(found).ok()?))
}

/// The path of the first device that was found.
fn first(text: &str) -> Option<&str> {
    let is_there = |line: &&str| line.trim().starts_with("devid") && !line.contains("MISSING");
    text.lines().find(is_there)?.split_once(" path ").map(|(_, path)| path.trim())
}

impl Sight for Legs {
    fn standing(&self) -> Standing {
        if self.is_ready { Standing::Active } else { Standing::Free }
    }

    fn is_enough(&self, degraded: bool) -> bool {
        self.is_ready || degraded
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn is_guard(&self) -> bool {
        false
    }

    fn missing(&self) -> u32 {
        self.devices.saturating_sub(self.found)
    }

    fn why(&self) -> Option<String> {
        let missing = self.missing();
        (missing > 0).then(|| format!("{missing} of its {} devices are missing", self.devices))
    }

    fn up(&self, _degraded: bool) -> Vec<Line> {
        vec![Line::new(["btrfs", "device", "scan"])]
    }

    fn down(&self) -> Vec<Line> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_missing() {
        let whole = include_str!("../../../../tests/data/layers/btrfs/show.txt");
        assert_eq!((legs(whole), first(whole)), (Some((2, 2)), Some("/dev/ubda")));
        let missing = include_str!("../../../../tests/data/layers/btrfs/show-missing.txt");
        assert_eq!(legs(missing), Some((2, 1)));
        assert_eq!(legs(""), None);
    }
}

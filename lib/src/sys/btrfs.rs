//! Which devices of this node are part of a mounted Btrfs. Its mounts have numbers of their own in the mount table, none of a device.

pub mod progress;

use std::io;
use std::path::Path;

use super::block::Number;

/// The devices of the mounted Btrfs that a device is part of, this one among them; none when it is part of none, whatever mount
/// namespace that would be in.
///
/// The kernel answers from memory (`/sys/fs/btrfs/UUID/devices`), so this never waits for a disk.
pub fn devices_with(number: Number) -> io::Result<Vec<Number>> {
    let mounted = match fs_err::read_dir("/sys/fs/btrfs") {
        Ok(mounted) => mounted,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    for filesystem in mounted {
        let devices = devices_in(&filesystem?.path().join("devices"))?;
        if devices.contains(&number) {
            return Ok(devices);
        }
    }
    Ok(Vec::new())
}

fn devices_in(folder: &Path) -> io::Result<Vec<Number>> {
    let is_gone = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        // Not the folder of a file system, or it is unmounted this moment.
        Err(e) if is_gone(&e) || e.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        match fs_err::read_to_string(entry?.path().join("dev")) {
            Ok(text) => numbers.extend(text.trim().parse::<Number>()),
            Err(e) if is_gone(&e) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(numbers)
}

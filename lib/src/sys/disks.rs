//! The disks that a block device stands on, as sysfs tells of them: the kernel answers from memory, so this never hangs.
//!
//! Partitions lead to their disk, and device mapper, MD and DRBD to what lies below them.

use std::io;
use std::path::{Path, PathBuf};

use super::block::Number;
use crate::{Exit, Fail, Host};

/// How deep devices may stand on each other; the kernel's own limit is smaller.
const DEEPEST: usize = 32;

/// A disk that stands on no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The kernel's name, such as `sda`.
    pub name: String,
    /// Its number.
    pub number: Number,
    /// How its driver says that it is: `running` of a SCSI disk, `live` of an `NVMe` one; absent where the driver says
    /// nothing.
    pub state: Option<String>,
    /// Commands that ended with an error since the kernel knows the disk, which SCSI disks alone count. Some end so on a
    /// disk that is in order: the kernel asks for what it may not know.
    pub errors: Option<u64>,
    /// Commands that timed out; newer kernels count them.
    pub timeouts: Option<u64>,
}

impl Disk {
    /// Its device file.
    pub fn path(&self) -> PathBuf {
        // The kernel writes a slash in a name as an exclamation mark in sysfs.
        Path::new("/dev").join(self.name.replace('!', "/"))
    }

    /// Whether its driver says that it works.
    pub fn is_working(&self) -> bool {
        self.state.as_deref().is_none_or(|state| matches!(state, "running" | "live"))
    }
}

/// The disks below a device, each once; the device itself when it stands on nothing.
///
/// # Errors
/// Unknown when sysfs does not know the device.
pub fn below(host: &Host, number: Number) -> Result<Vec<Disk>, Fail> {
    let mut disks = Vec::new();
    let folder = host.path(format!("/sys/dev/block/{number}"));
    descend(&folder, DEEPEST, &mut disks)
        .map_err(|e| Fail::io(Exit::Unknown, format!("cannot look up the disks of device {number}"), &e))?;
    Ok(disks)
}

/// The name that the kernel has for a device, as file systems use it below `/sys/fs`.
pub fn name(host: &Host, number: Number) -> io::Result<String> {
    let folder = fs_err::canonicalize(host.path(format!("/sys/dev/block/{number}")))?;
    Ok(last(&folder))
}

fn descend(folder: &Path, deep: usize, disks: &mut Vec<Disk>) -> io::Result<()> {
    let folder = fs_err::canonicalize(folder)?;
    if deep == 0 {
        return Err(io::Error::other("too many devices stand on each other"));
    }
    if folder.join("partition").exists() {
        return descend(folder.parent().unwrap_or(&folder), deep - 1, disks);
    }
    let slaves = match fs_err::read_dir(folder.join("slaves")) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    if slaves.is_empty() {
        let disk = disk(&folder)?;
        if !disks.contains(&disk) {
            disks.push(disk);
        }
    }
    slaves.iter().try_for_each(|slave| descend(slave, deep - 1, disks))
}

fn disk(folder: &Path) -> io::Result<Disk> {
    let number = fs_err::read_to_string(folder.join("dev"))?;
    let number = number.trim().parse().map_err(|e: Fail| io::Error::other(e.to_string()))?;
    let count = |name| word(&folder.join("device").join(name)).and_then(|word| hexadecimal(&word));
    Ok(Disk {
        name: last(folder),
        number,
        state: word(&folder.join("device/state")),
        errors: count("ioerr_cnt"),
        timeouts: count("iotmo_cnt"),
    })
}

/// What a file of sysfs says; nothing where this kernel or driver has no such file.
pub fn word(path: &Path) -> Option<String> {
    fs_err::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

fn last(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A machine whose mapped device 253:0 stands on a partition of one disk and on another disk.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            std::io::Write::write_all(&mut fs_err::File::create(path).unwrap(), text.as_bytes()).unwrap();
        };
        put("sys/devices/a/block/sda/dev", "8:0\n");
        put("sys/devices/a/block/sda/device/state", "running\n");
        put("sys/devices/a/block/sda/device/ioerr_cnt", "0x1f\n");
        put("sys/devices/a/block/sda/sda1/partition", "1\n");
        put("sys/devices/a/block/sda/sda1/dev", "8:1\n");
        put("sys/devices/b/block/cciss!c0d0/dev", "104:0\n");
        put("sys/devices/b/block/cciss!c0d0/device/state", "transport-offline\n");
        put("sys/devices/virtual/block/dm-0/dev", "253:0\n");
        let slaves = root.path().join("sys/devices/virtual/block/dm-0/slaves");
        fs_err::create_dir_all(&slaves).unwrap();
        fs_err::create_dir_all(root.path().join("sys/dev/block")).unwrap();
        symlink("../../../../a/block/sda/sda1", slaves.join("sda1")).unwrap();
        symlink("../../../../b/block/cciss!c0d0", slaves.join("cciss!c0d0")).unwrap();
        for (number, to) in [("253:0", "virtual/block/dm-0"), ("8:1", "a/block/sda/sda1")] {
            symlink(format!("../../devices/{to}"), root.path().join("sys/dev/block").join(number)).unwrap();
        }
        root
    }

    #[test]
    fn a_device_leads_to_the_disks_below_it() {
        let root = machine();
        let host = Host::below(root.path());
        let mut disks = below(&host, "253:0".parse().unwrap()).unwrap();
        disks.sort_by(|a, b| b.name.cmp(&a.name));
        let told: Vec<_> = disks.iter().map(|disk| (disk.path(), disk.errors, disk.is_working())).collect();
        assert_eq!(told, [("/dev/sda".into(), Some(31), true), ("/dev/cciss/c0d0".into(), None, false)]);
        assert_eq!(below(&host, "8:1".parse().unwrap()).unwrap().len(), 1);
        assert_eq!(name(&host, "8:1".parse().unwrap()).unwrap(), "sda1");
        assert_eq!(below(&host, "9:9".parse().unwrap()).unwrap_err().exit(), Exit::Unknown);
    }
}

//! What `check` prints.

use std::path::PathBuf;

use ims::sys::block::Number;
use ims::{Record, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::finding::Remark;
use super::smart::Smart;

/// How well a volume is, on the node that has it mounted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VolumeCheck {
    /// The volume's resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// The path of its device, as it was given.
    pub device: PathBuf,
    /// The device's major and minor number; absent when the device is gone.
    #[schemars(with = "Option<String>")]
    pub number: Option<Number>,
    /// Where it is, or is to be, mounted.
    pub mount: PathBuf,
    /// The file system that is mounted there.
    pub fstype: Option<String>,
    /// Up when it can be written and nothing was found, partial when it can and something was found, down when it cannot
    /// be written, unknown when that could not be found out in time.
    pub state: State,
    /// Its space, in bytes.
    pub space: Option<Usage>,
    /// Its inodes; absent where the file system has no fixed number of them.
    pub inodes: Option<Usage>,
    /// How long a block took to be written and made durable, in microseconds.
    pub write_us: Option<u64>,
    /// The errors that the file system counted; absent counters are not counted there.
    pub errors: Vec<Counter>,
    /// The disks below it.
    pub disks: Vec<Disk>,
    /// What is not as it should be.
    pub findings: Vec<Remark>,
    /// The time of the whole check, in milliseconds.
    pub took_ms: u64,
    /// When it ended.
    pub time: Timestamp,
}

/// How much of something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
pub struct Usage {
    /// All there is.
    pub total: u64,
    /// What is left to users other than root.
    pub available: u64,
    /// What is used of all that users other than root can have, in percent, rounded up as df(1) does.
    pub used_percent: u64,
}

impl Usage {
    /// The usage of so many, so many of which are free, and free for everybody; none where there is no such number.
    pub fn of(total: u64, free: u64, available: u64) -> Option<Self> {
        let used = total.saturating_sub(free);
        let all = used.saturating_add(available);
        let percent = u128::from(used) * 100;
        let used_percent = u64::try_from(percent.div_ceil(u128::from(all).max(1))).unwrap_or(100);
        (total > 0).then_some(Self { total, available, used_percent })
    }
}

/// A count of errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counter {
    /// What counts: the file system's device, or one of its devices.
    pub of: String,
    /// What is counted, as the kernel calls it: `errors_count` of ext4; `write_errs`, `read_errs`, `flush_errs`,
    /// `corruption_errs`, `generation_errs` of Btrfs; `sick` of XFS, whose bits are parts of it that are damaged.
    pub what: String,
    /// How many.
    pub count: u64,
    /// When the last one was, where that is known.
    pub last: Option<Timestamp>,
}

/// A disk below a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Disk {
    /// The kernel's name.
    pub name: String,
    /// Its major and minor number.
    #[schemars(with = "String")]
    pub number: Number,
    /// How its driver says that it is, such as `running` or `offline`.
    pub state: Option<String>,
    /// Commands that ended with an error, for whatever reason, since the kernel knows the disk.
    pub errors: Option<u64>,
    /// Commands that timed out.
    pub timeouts: Option<u64>,
    /// What it says of itself; absent where there is no smartctl.
    pub smart: Option<Smart>,
}

impl Record for VolumeCheck {
    const SCHEMA: &'static str = "ims.volume-check/1";

    fn columns() -> &'static [&'static str] {
        &["device", "mount", "state", "space", "inodes", "write", "errors", "findings"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let percent =
            |usage: Option<Usage>| usage.map_or_else(dash, |usage| format!("{} %", usage.used_percent));
        let errors: u64 = self.errors.iter().map(|counter| counter.count).fold(0, u64::saturating_add);
        let findings: Vec<&str> = self.findings.iter().map(|remark| remark.words.as_str()).collect();
        vec![
            self.device.display().to_string(),
            self.mount.display().to_string(),
            self.state.to_string(),
            percent(self.space),
            percent(self.inodes),
            self.write_us.map_or_else(dash, milliseconds),
            errors.to_string(),
            if findings.is_empty() { dash() } else { findings.join("; ") },
        ]
    }
}

/// Microseconds for people: `1.2 ms`.
pub fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_alone_can_have_counts_as_used_up() {
        for (total, free, available, percent) in
            [(100, 100, 100, 0), (100, 50, 50, 50), (100, 5, 0, 100), (1000, 999, 999, 1), (200, 20, 10, 95)]
        {
            assert_eq!(Usage::of(total, free, available).unwrap().used_percent, percent, "{total} {free}");
        }
        assert_eq!(Usage::of(0, 0, 0), None);
        assert_eq!(milliseconds(1234), "1.2 ms");
    }
}

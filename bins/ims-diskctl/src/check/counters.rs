//! The errors that file systems count, as sysfs tells them: the kernel answers from memory.

use std::path::Path;

use ims::Host;
use ims::sys::block::Number;
use ims::sys::disks::{self, word};
use jiff::Timestamp;

use super::record::Counter;
use crate::filesystem::Uuid;

/// What ext4 counted since its last check, by fsck(8), of the file system on a device.
pub fn ext4(host: &Host, number: Number) -> Vec<Counter> {
    let Ok(name) = disks::name(host, number) else { return Vec::new() };
    let folder = host.path("/sys/fs/ext4").join(&name);
    let count = |what: &str| word(&folder.join(what)).and_then(|word| word.parse::<u64>().ok());
    let last = count("last_error_time").filter(|time| *time > 0);
    let last = last.and_then(|time| Timestamp::from_second(time.try_into().ok()?).ok());
    let counter = |count| Counter { of: name.clone(), what: "errors_count".to_owned(), count, last };
    count("errors_count").map(counter).into_iter().collect()
}

/// What Btrfs counted since its counters were cleared, by `btrfs device stats -z`, on each device of a file system.
pub fn btrfs(host: &Host, uuid: Uuid) -> Vec<Counter> {
    let folder = host.path("/sys/fs/btrfs").join(uuid.to_string()).join("devinfo");
    let mut counters: Vec<Counter> = entries(&folder)
        .into_iter()
        .flat_map(|device| {
            let stats = word(&folder.join(&device).join("error_stats")).unwrap_or_default();
            stats.lines().filter_map(|line| btrfs_line(&device, line)).collect::<Vec<_>>()
        })
        .collect();
    counters.sort_by(|a, b| a.of.cmp(&b.of));
    counters
}

/// A line such as `write_errs 0`.
fn btrfs_line(device: &str, line: &str) -> Option<Counter> {
    let (what, count) = line.split_once(' ')?;
    let count = count.trim().parse().ok()?;
    Some(Counter { of: format!("device {device}"), what: what.to_owned(), count, last: None })
}

fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_btrfs_is_read() {
        let counter = btrfs_line("2", "corruption_errs 7").unwrap();
        assert_eq!(
            (counter.of.as_str(), counter.what.as_str(), counter.count),
            ("device 2", "corruption_errs", 7)
        );
        assert_eq!(btrfs_line("2", "invalid"), None);
    }
}

//! How much memory there is, and how much of it processes use.

use std::path::Path;

use crate::{Exit, Fail};

/// What new programs can have without swapping, in bytes: `MemAvailable` of `proc_meminfo(5)`.
pub fn available() -> Result<u64, Fail> {
    let path = Path::new("/proc/meminfo");
    let text =
        fs_err::read_to_string(path).map_err(|e| Fail::io(Exit::Unknown, "cannot tell the memory", &e))?;
    field(&text, "MemAvailable")
        .ok_or_else(|| Fail::unknown("cannot tell the memory").because("no MemAvailable"))
}

/// What a process uses, in bytes, its share of what it has in common with others counted: `Pss` of `proc_pid_smaps(5)`.
/// None when it has ended, or may not be looked at.
pub fn of(pid: i32) -> Option<u64> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    field(&text, "Pss")
}

/// A line `NAME: 123 kB`, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let number: u64 = rest.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    number.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_in_bytes() {
        let text = "Rss:  900 kB\nPss_Dirty: 1 kB\nPss:                1234 kB\n";
        assert_eq!(field(text, "Pss"), Some(1234 * 1024));
        assert_eq!(field("Pss: 12\n", "Pss"), None);
        assert!(available().unwrap() > 0);
        assert!(of(i32::try_from(std::process::id()).unwrap()).is_some_and(|bytes| bytes > 4096));
    }
}

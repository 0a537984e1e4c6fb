//! What of the things that were measured is not as it should be. Pure.

use super::finding::{Finding, Remark};
use super::record::{Counter, Disk, Usage, milliseconds};
use crate::cli::Limits;

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// The space.
    pub space: Option<Usage>,
    /// The inodes.
    pub inodes: Option<Usage>,
    /// How long a write took, in microseconds.
    pub write_us: Option<u64>,
    /// The errors that were counted.
    pub errors: Vec<Counter>,
    /// The disks.
    pub disks: Vec<Disk>,
}

/// What exceeds the limits, and what has none.
pub fn judge(measured: &Measured, limits: &Limits) -> Vec<Remark> {
    let mut found = Vec::new();
    for (usage, limit, what, name) in [
        (measured.space, limits.max_space, Finding::Space, "space"),
        (measured.inodes, limits.max_inodes, Finding::Inodes, "inodes"),
    ] {
        if let Some(usage) = usage.filter(|usage| usage.used_percent > limit) {
            let used = usage.used_percent;
            found.push(Remark::new(what, format!("{used} % of its {name} used, more than {limit} %")));
        }
    }
    if let Some(us) = measured.write_us.filter(|us| u128::from(*us) > limits.max_write.0.as_micros()) {
        let words = format!("a write took {}, more than {}", milliseconds(us), limits.max_write);
        found.push(Remark::new(Finding::Slow, words));
    }
    for counter in measured.errors.iter().filter(|counter| counter.count > 0) {
        let last = counter.last.map_or_else(String::new, |last| format!(", the last one at {last}"));
        let words = format!("{} of {} is {}{last}", counter.what, counter.of, counter.count);
        found.push(Remark::new(Finding::Errors, words));
    }
    for disk in &measured.disks {
        if let Some(state) = disk.state.as_deref().filter(|state| !matches!(*state, "running" | "live")) {
            found.push(Remark::new(Finding::Disk, format!("disk {} is {state}", disk.name)));
        }
        if let Some(trouble) = disk.smart.as_ref().and_then(super::smart::Smart::trouble) {
            found.push(Remark::new(Finding::Smart, format!("disk {} {trouble}", disk.name)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ims::span::Span;

    use super::*;
    use crate::check::smart::Smart;

    fn limits() -> Limits {
        Limits { max_space: 90, max_inodes: 90, max_write: Span(Duration::from_secs(1)) }
    }

    fn disk(state: &str, smart: Option<Smart>) -> Disk {
        let (name, number) = ("sda".to_owned(), "8:0".parse().unwrap());
        Disk { name, number, state: Some(state.to_owned()), errors: Some(7), timeouts: None, smart }
    }

    #[test]
    fn each_measure_has_its_finding_and_a_limit_that_is_just_reached_has_none() {
        let usage = |percent: u64| Usage::of(100, 100 - percent, 100 - percent);
        let counter = |count| Counter { of: "sda1".into(), what: "errors_count".into(), count, last: None };
        let good = Measured {
            space: usage(90),
            inodes: usage(90),
            write_us: Some(1_000_000),
            errors: vec![counter(0)],
            disks: vec![disk("running", Some(Smart { passed: Some(true), ..Smart::default() }))],
        };
        assert_eq!(judge(&good, &limits()), []);
        let failing = Smart { passed: Some(false), ..Smart::default() };
        for (measured, what, words) in [
            (
                Measured { space: usage(91), ..good.clone() },
                Finding::Space,
                "91 % of its space used, more than 90 %",
            ),
            (
                Measured { inodes: usage(99), ..good.clone() },
                Finding::Inodes,
                "99 % of its inodes used, more than 90 %",
            ),
            (
                Measured { write_us: Some(1_000_001), ..good.clone() },
                Finding::Slow,
                "a write took 1000.0 ms, more than 1s",
            ),
            (
                Measured { errors: vec![counter(2)], ..good.clone() },
                Finding::Errors,
                "errors_count of sda1 is 2",
            ),
            (
                Measured { disks: vec![disk("offline", None)], ..good.clone() },
                Finding::Disk,
                "disk sda is offline",
            ),
            (
                Measured { disks: vec![disk("running", Some(failing))], ..good.clone() },
                Finding::Smart,
                "disk sda says that it is about to fail",
            ),
        ] {
            assert_eq!(judge(&measured, &limits()), [Remark::new(what, words)]);
        }
    }
}

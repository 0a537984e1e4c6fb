//! Operations and meta attributes as what a group file says about times and faults.

use std::path::Path;

use super::cib::{Operation, Primitive};
use crate::import::{DraftResource, Remark, RemarkKind};

/// Puts the times and limits of a primitive into its draft.
pub fn put(primitive: &Primitive, resource: &mut DraftResource, file: &Path, remarks: &mut Vec<Remark>) {
    let mut is_monitored = false;
    for operation in &primitive.operations {
        match operation.name.as_str() {
            "start" => times(operation, primitive, &[("timeout", "online_timeout")], resource, file, remarks),
            "stop" => times(operation, primitive, &[("timeout", "offline_timeout")], resource, file, remarks),
            "monitor" if !is_monitored && !is_once(operation) => {
                is_monitored = true;
                let keys = [("interval", "monitor_interval"), ("timeout", "monitor_timeout")];
                times(operation, primitive, &keys, resource, file, remarks);
            }
            "monitor" if is_once(operation) => {}
            other => {
                let what = format!("the operation {other} of {}", primitive.id);
                remarks.push(Remark::at(RemarkKind::Lost, file, operation.line, what));
            }
        }
    }
    for pair in &primitive.meta {
        let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, pair.line, what));
        let told = format!("{}={} of {}", pair.name, pair.value, primitive.id);
        match (pair.name.as_str(), pair.value.parse::<u64>(), seconds(&pair.value)) {
            ("migration-threshold", Ok(failures), _) if failures > 0 => {
                resource.set("restart_limit", failures - 1);
                say(RemarkKind::Changed, format!("{told}: after {} restarts it is given over", failures - 1));
            }
            ("failure-timeout", _, Some(time)) => {
                resource.set("conf_interval", time);
                say(
                    RemarkKind::Changed,
                    format!("{told} is conf_interval, which begins again with each fault"),
                );
            }
            ("target-role", ..) if pair.value.eq_ignore_ascii_case("started") => {}
            ("target-role", ..) => {
                say(RemarkKind::Changed, format!("{told}: a group file starts all that it has"));
            }
            ("resource-stickiness", ..) => {} // read with the locations
            ("is-managed", ..) if pair.value == "true" => {}
            _ => say(RemarkKind::Lost, format!("{told}: no counterpart")),
        }
    }
}

/// A monitor that looks once, as a resource is found, has the interval 0.
fn is_once(operation: &Operation) -> bool {
    let interval = operation.attributes.iter().find(|pair| pair.name == "interval");
    interval.is_none_or(|interval| seconds(&interval.value) == Some(0))
}

fn times(
    operation: &Operation,
    primitive: &Primitive,
    keys: &[(&str, &str)],
    resource: &mut DraftResource,
    file: &Path,
    remarks: &mut Vec<Remark>,
) {
    for pair in &operation.attributes {
        let told = format!("{}={} of {} of {}", pair.name, pair.value, operation.name, primitive.id);
        let key = keys.iter().find(|(name, _)| *name == pair.name).map(|(_, key)| *key);
        match (key, seconds(&pair.value)) {
            (Some(key), Some(time)) if time > 0 => resource.set(key, time),
            (None, _) if pair.name == "interval" && seconds(&pair.value) == Some(0) => {}
            (None, _) if pair.name == "on-fail" && pair.value == "restart" => {}
            (Some(_), _) => {
                remarks.push(Remark::at(RemarkKind::Lost, file, pair.line, format!("{told}: no time")));
            }
            (None, _) => {
                remarks.push(Remark::at(
                    RemarkKind::Lost,
                    file,
                    pair.line,
                    format!("{told}: no counterpart"),
                ));
            }
        }
    }
}

/// A time of Pacemaker in seconds, as its manual gives them: `30`, `30s`, `2min`, `500ms`; parts of a second count
/// whole.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "" | "s" | "sec" => Some(number),
        "ms" | "msec" => Some(number.div_ceil(1000)),
        "us" | "usec" => Some(number.div_ceil(1_000_000)),
        "m" | "min" => number.checked_mul(60),
        "h" | "hr" => number.checked_mul(3600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_units() {
        for (text, wanted) in [
            ("30", Some(30)),
            ("30s", Some(30)),
            ("2min", Some(120)),
            ("1h", Some(3600)),
            ("500ms", Some(1)),
            ("0", Some(0)),
            ("0ms", Some(0)),
            ("soon", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }
}

//! The properties that every resource of Sun Cluster has, as keys of a group file. Their meanings are those of
//! `r_properties(5)`.

use super::cluster::Made;
use crate::import::{DraftResource, Remark, RemarkKind};

/// What becomes of a property.
enum Fate {
    /// It is this key, in seconds or as a count.
    Key(&'static str),
    /// It is this key, which does not mean quite the same.
    Nearly(&'static str, &'static str),
    /// The type's own reader has read it, or it says what a group does anyway.
    Read,
    /// It has no counterpart.
    Lost(&'static str),
}

/// Lower-case names, and what becomes of each.
const KNOWN: &[(&str, Fate)] = &[
    ("thorough_probe_interval", Fate::Key("monitor_interval")),
    ("probe_timeout", Fate::Key("monitor_timeout")),
    ("start_timeout", Fate::Key("online_timeout")),
    ("stop_timeout", Fate::Key("offline_timeout")),
    ("retry_count", Fate::Key("restart_limit")),
    (
        "retry_interval",
        Fate::Nearly(
            "conf_interval",
            "there the restarts in a sliding window are counted, here those since the last quiet time",
        ),
    ),
    ("resource_dependencies", Fate::Read),
    ("resource_dependencies_weak", Fate::Read),
    ("resource_dependencies_restart", Fate::Read),
    ("resource_dependencies_offline_restart", Fate::Read),
    ("network_resources_used", Fate::Read),
    ("on_off_switch", Fate::Read),
    ("cheap_probe_interval", Fate::Lost("there is one probe")),
    (
        "failover_mode",
        Fate::Lost(
            "a start that fails goes back, a stop that fails is a failure, no node is rebooted for it",
        ),
    ),
    ("resource_description", Fate::Lost("write it as a comment")),
    ("r_description", Fate::Lost("write it as a comment")),
    ("port_list", Fate::Lost("the ports stand in the instance's own files")),
    ("scalable", Fate::Lost("a group is up on one node")),
    ("load_balancing_policy", Fate::Lost("a group is up on one node")),
    ("load_balancing_weights", Fate::Lost("a group is up on one node")),
    ("monitored_switch", Fate::Lost("ims-probe and ims-switch react watch what they are told to")),
    ("monitor_retry_count", Fate::Lost("the monitor is run by cron or a supervisor")),
    ("monitor_retry_interval", Fate::Lost("the monitor is run by cron or a supervisor")),
    ("child_mon_level", Fate::Lost("servers run in a control group of their own")),
    ("log_level", Fate::Lost("nothing is left unsaid")),
];

/// Puts the common properties of a resource into its draft; `read` are those that its type has read, in lower case.
pub fn common(made: &Made, read: &[&str], resource: &mut DraftResource, remarks: &mut Vec<Remark>) {
    for (file, property) in &made.properties {
        let name = property.name.to_lowercase();
        let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, property.line, what));
        if read.contains(&name.as_str()) {
            continue;
        }
        let told = format!("{}={}", property.name, property.value);
        let mut put = |key: &str| match property.value.parse::<u64>() {
            Ok(number) => {
                resource.set(key, number);
                true
            }
            Err(_) => false,
        };
        match KNOWN.iter().find(|(known, _)| *known == name).map(|(_, fate)| fate) {
            Some(Fate::Read) => {}
            Some(Fate::Key(key)) if put(key) => {}
            Some(Fate::Nearly(key, why)) if put(key) => {
                say(RemarkKind::Changed, format!("{told} of {} is {key}: {why}", made.name));
            }
            Some(Fate::Key(_) | Fate::Nearly(..)) => {
                say(RemarkKind::Lost, format!("{told} of {}: not a number", made.name));
            }
            Some(Fate::Lost(why)) => say(RemarkKind::Lost, format!("{told} of {}: {why}", made.name)),
            None => say(RemarkKind::Lost, format!("{told} of {}: an unknown property", made.name)),
        }
    }
}

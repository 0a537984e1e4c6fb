//! What the writers share: the order of groups, the times of a resource, and what is left out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use ims::Fail;
use ims::group::{Group, Policy, Resource};
use ims::load::Load;
use ims::name::ResourceName;

use crate::import::{Remark, RemarkKind};

/// The policy of a resource whose group file says nothing of it.
pub fn default_policy() -> Policy {
    Policy {
        monitor_interval: Duration::from_secs(180),
        monitor_timeout: Duration::from_secs(180),
        online_retry_limit: 1,
        online_wait_limit: 1,
        tolerance_limit: 0,
        restart_limit: 2,
        conf_interval: Duration::from_secs(600),
    }
}

/// Whole seconds, one at least.
pub fn seconds(time: Duration) -> u64 {
    let rest = u64::from(time.subsec_nanos() > 0);
    (time.as_secs() + rest).max(1)
}

/// A remark about a group's file.
pub fn remark(kind: RemarkKind, group: &Group, what: impl Into<String>) -> Remark {
    Remark::of(kind, &PathBuf::from(format!("{}.toml", group.name)), what)
}

/// The groups, each after those that it requires.
pub fn in_order(groups: &[Group]) -> Result<Vec<&Group>, Fail> {
    let mut left: Vec<&Group> = groups.iter().collect();
    let mut ordered: Vec<&Group> = Vec::new();
    while !left.is_empty() {
        let waits = |group: &Group| {
            left.iter().any(|other| {
                group.needed_groups().any(|name| *name == other.name) && other.name != group.name
            })
        };
        let Some(at) = left.iter().position(|group| !waits(group)) else {
            let names: Vec<&str> = left.iter().map(|group| group.name.as_str()).collect();
            return Err(Fail::usage(format!("groups require each other: {}", names.join(", "))));
        };
        ordered.push(left.remove(at));
    }
    Ok(ordered)
}

/// What each resource of a group requires where some are left out: in the place of one that is, what that requires.
pub fn requirements(
    group: &Group,
    is_left_out: impl Fn(&Resource) -> bool,
) -> HashMap<&ResourceName, Vec<&ResourceName>> {
    let mut found: HashMap<&ResourceName, Vec<&ResourceName>> = HashMap::new();
    // Resources stand after what they require.
    for resource in &group.resources {
        let mut required: Vec<&ResourceName> = Vec::new();
        for name in &resource.requires {
            let left_out = group.get(name).is_some_and(&is_left_out);
            let meant = if left_out { found.get(name).cloned().unwrap_or_default() } else { vec![name] };
            for name in meant {
                if !required.contains(&name) {
                    required.push(name);
                }
            }
        }
        found.insert(&resource.name, required);
    }
    found
}

/// The parts of a policy that other managers have no word for, where they are not what they always are.
pub fn lost_policy(group: &Group, resource: &Resource, remarks: &mut Vec<Remark>) {
    let (said, usual) = (&resource.policy, default_policy());
    for (key, value, usual) in [
        ("online_retry_limit", said.online_retry_limit, usual.online_retry_limit),
        ("online_wait_limit", said.online_wait_limit, usual.online_wait_limit),
        ("tolerance_limit", said.tolerance_limit, usual.tolerance_limit),
    ] {
        if value != usual {
            let what = format!("{key} = {value} of {}: no counterpart", resource.name);
            remarks.push(remark(RemarkKind::Lost, group, what));
        }
    }
}

/// What a group asks of its node, where the other manager has no word for it.
pub fn lost_load(group: &Group, remarks: &mut Vec<Remark>) {
    if group.load != Load::default().of_a_group() {
        let what = format!("load = {{ {} }}: no counterpart", group.load);
        remarks.push(remark(RemarkKind::Lost, group, what));
    }
}

/// A word as a shell takes it.
pub fn shell(word: &str) -> String {
    let is_plain =
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

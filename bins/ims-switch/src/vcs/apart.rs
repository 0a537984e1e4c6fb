//! Keys of a group file that the writer of `main.cf` does not know, taken from the file's own text, so that none is
//! dropped silently when group files learn new ones.

use ims::Fail;
use ims::group::Group;

use super::kept;

/// Keys of the group that the writer says itself.
const HEAD: &[&str] =
    &["nodes", "requires_groups", "failback", "together_with", "apart_from", "load", "resource"];

/// Keys of resources that the writer says itself.
const RESOURCE: &[&str] = &[
    "type",
    "requires",
    "device",
    "address",
    "disk_group",
    "layers",
    "mount",
    "fstype",
    "options",
    "guard",
    "lease",
    "instance",
    "start",
    "stop",
    "monitor",
    "offline_status",
    "parameters",
    "online_timeout",
    "offline_timeout",
    "monitor_interval",
    "monitor_timeout",
    "online_retry_limit",
    "online_wait_limit",
    "tolerance_limit",
    "restart_limit",
    "conf_interval",
];

/// The keys, each as `KEY = VALUE`.
#[derive(Debug)]
pub struct Apart {
    /// Those of the group, as comments of a block are kept.
    pub head: Vec<(usize, String)>,
    /// Those of resources, each with the resource's name.
    pub resources: Vec<(String, String)>,
}

impl Apart {
    /// Finds them in the group's text.
    pub fn of(group: &Group) -> Result<Self, Fail> {
        let wrong = |e: toml::de::Error| Fail::usage(group.name.to_string()).because(e.message());
        let top: toml::Table = group.text.parse().map_err(wrong)?;
        let mut resources = Vec::new();
        for (name, table) in top.get("resource").and_then(toml::Value::as_table).into_iter().flatten() {
            let Some(table) = table.as_table() else { continue };
            resources.extend(strangers(table, RESOURCE).map(|kept| (name.clone(), kept)));
        }
        Ok(Self { head: strangers(&top, HEAD).map(|kept| (0, kept)).collect(), resources })
    }
}

fn strangers<'a>(table: &'a toml::Table, known: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    table
        .iter()
        .filter(|(key, _)| !known.contains(&key.as_str()))
        .filter_map(|(key, value)| Some(kept::said(key, &kept::value(value.clone())?).1))
}

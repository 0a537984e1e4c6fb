//! A group file's text as a [`Group`], or what is wrong with it and on which line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Fail;
use crate::group::{Group, Kind, Limits, Policy, Resource, bonds, kind, order};
use crate::keys::{self, Keys, Source};
use crate::load::Load;
use crate::name::{GroupName, ResourceName};
use crate::suggest::nearest;

const TOP: &[&str] = &[
    "nodes",
    "requires_groups",
    "failback",
    "together_with",
    "apart_from",
    "rather_with",
    "rather_apart_from",
    "load",
    "pingpong_interval",
    "resource",
];

/// For how long a node is passed over after a fault when nobody said: Sun Cluster's default. With the usual policy two
/// restarts and a giveover take nine minutes on each node, so an hour covers three rounds between two nodes.
pub const PINGPONG_INTERVAL: Duration = Duration::from_secs(3600);

/// The keys that every resource may have.
const COMMON: &[&str] = &[
    "type",
    "requires",
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

impl Group {
    /// Reads a group file's text; `file` is named in errors.
    pub fn parse(name: GroupName, text: &str, file: &Path) -> Result<Self, Fail> {
        keys::read(Source { file, text }, |top| {
            top.only(TOP)?;
            let nodes: Vec<crate::name::NodeName> = top.all_parsed("nodes")?;
            if nodes.is_empty() {
                return Err(top
                    .wrong("nodes", "nodes is missing")
                    .hint("the nodes in the order of preference"));
            }
            if let Some(twice) = twice(&nodes) {
                return Err(top.wrong("nodes", format!("{twice} stands twice in nodes")));
            }
            let requires_groups: Vec<GroupName> = top.all_parsed("requires_groups")?;
            if requires_groups.contains(&name) {
                return Err(top.wrong("requires_groups", format!("{name} requires itself")));
            }
            let bonds = bonds::of(&top, &name)?;
            let load = Load::new(top.amounts("load")?.unwrap_or_default()).of_a_group();
            let pingpong_interval = top.time("pingpong_interval", PINGPONG_INTERVAL)?;
            let tables = top.tables(Some("resource"))?;
            if tables.is_empty() {
                return Err(top.wrong("resource", "no [resource.NAME] in it"));
            }
            let mut resources = Vec::new();
            for (name, keys) in &tables {
                let name: ResourceName =
                    name.parse().map_err(|e: Fail| keys.source().wrong(keys.span(), e))?;
                resources.push(resource(name, keys)?);
            }
            known_and_acyclic(&tables, &resources)?;
            each_place_once(&tables, &resources)?;
            let failback = top.flag("failback", false)?;
            let resources = order::sorted(resources).map_err(|_| Fail::usage("a cycle"))?;
            let text = text.to_owned();
            Ok(Self {
                name,
                nodes,
                requires_groups,
                failback,
                bonds,
                load,
                pingpong_interval,
                resources,
                text,
            })
        })
    }
}

fn twice<T: PartialEq>(items: &[T]) -> Option<&T> {
    items
        .iter()
        .enumerate()
        .find(|(index, item)| items.iter().take(*index).any(|before| before == *item))
        .map(|(_, item)| item)
}

/// Tells a requirement that is not there, and a ring of them, each with its line.
fn known_and_acyclic(tables: &[(&str, Keys<'_>)], resources: &[Resource]) -> Result<(), Fail> {
    let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
    for (resource, (_, keys)) in resources.iter().zip(tables) {
        for required in &resource.requires {
            if !names.contains(&required.as_str()) {
                let fail = keys.wrong("requires", format!("no resource '{required}' in this group"));
                return Err(match nearest(required.as_str(), names.iter().copied()) {
                    Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
                    None => fail,
                });
            }
        }
    }
    let Err(order::Cycle(ring)) = order::sorted(resources.to_vec()) else { return Ok(()) };
    let words: Vec<&str> = ring.iter().map(ResourceName::as_str).collect();
    let first = tables.iter().find(|(name, _)| words.first() == Some(name));
    let told = format!("a cycle of requirements: {}", words.join(" -> "));
    Err(first.map_or_else(|| Fail::usage(&told), |(_, keys)| keys.wrong("requires", &told)))
}

/// Tells two volumes at one folder and two resources with one address: the second would hide or end the first.
fn each_place_once(tables: &[(&str, Keys<'_>)], resources: &[Resource]) -> Result<(), Fail> {
    let place = |resource: &Resource| match &resource.kind {
        Kind::Volume(volume) => {
            Some(("mount", volume.mount.components().collect::<PathBuf>().display().to_string()))
        }
        Kind::LogicalIp { address, .. } => Some(("address", address.address().to_string())),
        Kind::Nic { .. }
        | Kind::DiskGroup { .. }
        | Kind::DirectoryServer { .. }
        | Kind::MessagingServer { .. }
        | Kind::Command(_)
        | Kind::Ocf(_) => None,
    };
    let mut taken: Vec<((&str, String), &ResourceName)> = Vec::new();
    for (resource, (_, keys)) in resources.iter().zip(tables) {
        let Some(place) = place(resource) else { continue };
        if let Some((_, first)) = taken.iter().find(|(other, _)| *other == place) {
            return Err(keys.wrong(place.0, format!("the {} {} is that of {first} too", place.0, place.1)));
        }
        taken.push((place, &resource.name));
    }
    Ok(())
}

fn resource(name: ResourceName, keys: &Keys<'_>) -> Result<Resource, Fail> {
    let word = keys.must("type", keys.text("type")?)?;
    let further = kind::further(word, keys)?;
    keys.only(&[COMMON, further].concat())?;
    let requires: Vec<ResourceName> = keys.all_parsed("requires")?;
    if let Some(twice) = twice(&requires) {
        return Err(keys.wrong("requires", format!("{twice} stands twice in requires")));
    }
    Ok(Resource {
        name,
        kind: kind::of(word, keys)?,
        requires,
        limits: limits(keys)?,
        policy: policy(keys)?,
        is_disabled: false,
    })
}

fn limits(keys: &Keys<'_>) -> Result<Limits, Fail> {
    Ok(Limits {
        online_timeout: some_time(keys, "online_timeout", 300)?,
        offline_timeout: some_time(keys, "offline_timeout", 300)?,
    })
}

/// A time in which something can be done.
fn some_time(keys: &Keys<'_>, key: &str, otherwise_s: u64) -> Result<Duration, Fail> {
    let time = keys.time(key, Duration::from_secs(otherwise_s))?;
    if time.is_zero() { Err(keys.wrong(key, format!("{key}: no time is left by 0"))) } else { Ok(time) }
}

fn policy(keys: &Keys<'_>) -> Result<Policy, Fail> {
    Ok(Policy {
        monitor_interval: keys.time("monitor_interval", Duration::from_secs(180))?,
        monitor_timeout: some_time(keys, "monitor_timeout", 180)?,
        online_retry_limit: keys.count("online_retry_limit", 1)?,
        online_wait_limit: keys.count("online_wait_limit", 1)?,
        tolerance_limit: keys.count("tolerance_limit", 0)?,
        restart_limit: keys.count("restart_limit", 2)?,
        conf_interval: keys.time("conf_interval", Duration::from_secs(600))?,
    })
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;

//! A group file's text as a [`Group`], or what is wrong with it and on which line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Fail;
use crate::group::{Commands, Group, Kind, Limits, Ocf, Policy, Resource, Volume, bonds, order};
use crate::keys::{self, Keys, Source};
use crate::layer::Layer;
use crate::lease::Lease;
use crate::load::Load;
use crate::name::{GroupName, ResourceName};
use crate::suggest::nearest;
use crate::volume::Fstype;

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

/// The types, and the further keys of each.
const TYPES: &[(&str, &[&str])] = &[
    ("nic", &["device"]),
    ("logical-ip", &["address", "device"]),
    ("disk-group", &["disk_group", "layers"]),
    ("volume", &["layers", "device", "mount", "fstype", "options", "guard", "lease", "degraded_start"]),
    ("directory-server", &["instance"]),
    ("messaging-server", &["instance"]),
    ("command", &["start", "stop", "monitor", "offline_status"]),
];

const OCF_KEYS: &[&str] = &["parameters"];

const GUARDS: &[&str] = &["auto", "reservation", "sanlock", "drbd", "mmp", "zfs", "vxvm", "lvm", "none"];

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
    let further = match TYPES.iter().find(|(known, _)| *known == word) {
        Some((_, further)) => *further,
        None if word.starts_with("ocf:") => OCF_KEYS,
        None => {
            let known = TYPES.iter().map(|(known, _)| *known).chain(["ocf:<provider>:<agent>"]);
            let fail = keys.wrong("type", format!("unknown type '{}'", word.escape_debug()));
            return Err(match nearest(word, known.clone()) {
                Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
                None => fail.hint(format!("there are {}", known.collect::<Vec<_>>().join(", "))),
            });
        }
    };
    keys.only(&[COMMON, further].concat())?;
    let requires: Vec<ResourceName> = keys.all_parsed("requires")?;
    if let Some(twice) = twice(&requires) {
        return Err(keys.wrong("requires", format!("{twice} stands twice in requires")));
    }
    Ok(Resource {
        name,
        kind: kind(word, keys)?,
        requires,
        limits: limits(keys)?,
        policy: policy(keys)?,
        is_disabled: false,
    })
}

fn kind(word: &str, keys: &Keys<'_>) -> Result<Kind, Fail> {
    Ok(match word {
        "nic" => Kind::Nic { device: device_name(keys)? },
        "logical-ip" => {
            let address = keys.must("address", keys.parsed("address")?)?;
            Kind::LogicalIp { address, device: device_name(keys)? }
        }
        "disk-group" => Kind::DiskGroup { layers: disk_group(keys)? },
        "volume" => Kind::Volume(volume(keys)?),
        "directory-server" => {
            Kind::DirectoryServer { instance: keys.must("instance", keys.parsed("instance")?)? }
        }
        "messaging-server" => {
            Kind::MessagingServer { instance: keys.must("instance", keys.parsed("instance")?)? }
        }
        "command" => Kind::Command(Commands {
            start: line(keys, "start")?,
            stop: line(keys, "stop")?,
            monitor: line(keys, "monitor")?,
            offline_status: keys.numbers("offline_status")?.unwrap_or_else(|| vec![1]),
        }),
        ocf => Kind::Ocf(agent(ocf, keys)?),
    })
}

/// A disk group: one of the Veritas volume manager by its name, or any layers.
fn disk_group(keys: &Keys<'_>) -> Result<Vec<Layer>, Fail> {
    let layers: Vec<Layer> = keys.all_parsed("layers")?;
    if layers.is_empty() {
        let name = word_of(keys, "disk_group")?;
        return Ok(vec![format!("vxvm:{name}").parse().map_err(|e| keys.wrong("disk_group", e))?]);
    }
    if keys.text("disk_group")?.is_some() {
        return Err(keys
            .wrong("disk_group", "disk_group stands beside layers")
            .hint("disk_group = \"NAME\" is the same as layers = [\"vxvm:NAME\"]"));
    }
    Ok(layers)
}

fn volume(keys: &Keys<'_>) -> Result<Volume, Fail> {
    let guard = keys.text("guard")?;
    if let Some(guard) = guard.filter(|guard| !GUARDS.contains(guard)) {
        return Err(keys
            .wrong("guard", format!("unknown guard '{}'", guard.escape_debug()))
            .hint(format!("there are {}", GUARDS.join(", "))));
    }
    let lease: Option<Lease> = keys.parsed("lease")?;
    if guard == Some("sanlock") && lease.is_none() {
        return Err(keys.wrong("guard", "sanlock needs a lease").hint("add the key lease"));
    }
    Ok(Volume {
        layers: keys.all_parsed("layers")?,
        device: absolute(keys, "device")?,
        mount: absolute(keys, "mount")?,
        fstype: keys.parsed("fstype")?.unwrap_or(Fstype::Ext4),
        options: keys.parsed("options")?.unwrap_or_default(),
        guard: guard.map(ToOwned::to_owned),
        lease,
        degraded_start: keys.flag("degraded_start", false)?,
    })
}

fn agent(word: &str, keys: &Keys<'_>) -> Result<Ocf, Fail> {
    let parts: Vec<&str> = word.split(':').collect();
    let good = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    match parts.as_slice() {
        [_, provider, agent] if good(provider) && good(agent) => Ok(Ocf {
            provider: (*provider).to_owned(),
            agent: (*agent).to_owned(),
            parameters: keys.pairs("parameters")?,
        }),
        _ => Err(keys
            .wrong("type", format!("not an OCF agent: '{}'", word.escape_debug()))
            .hint("like ocf:heartbeat:IPaddr2")),
    }
}

fn word_of(keys: &Keys<'_>, key: &str) -> Result<String, Fail> {
    let word = keys.must(key, keys.text(key)?)?;
    let good = !word.is_empty()
        && !word.starts_with('-')
        && word.chars().all(|c| c.is_ascii_graphic() && !"/\\'\"".contains(c));
    if good {
        Ok(word.to_owned())
    } else {
        Err(keys.wrong(key, format!("not a name: '{}'", word.escape_debug())))
    }
}

/// The name of a network interface; Linux gives it at most 15 bytes.
fn device_name(keys: &Keys<'_>) -> Result<String, Fail> {
    let device = word_of(keys, "device")?;
    if device.len() > 15 {
        return Err(keys.wrong("device", format!("not a network interface: '{device}'")));
    }
    Ok(device)
}

fn absolute(keys: &Keys<'_>, key: &str) -> Result<PathBuf, Fail> {
    let path = PathBuf::from(keys.must(key, keys.text(key)?)?);
    let straight = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    if path.is_absolute() && straight {
        Ok(path)
    } else {
        Err(keys.wrong(key, format!("{key} is not an absolute path without '..': '{}'", path.display())))
    }
}

fn line(keys: &Keys<'_>, key: &str) -> Result<Vec<String>, Fail> {
    let words = keys.texts(key)?;
    if words.first().is_none_or(|program| program.is_empty()) {
        return Err(keys.wrong(key, format!("{key} is missing")).hint("a list of words, the program first"));
    }
    Ok(words.into_iter().map(ToOwned::to_owned).collect())
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

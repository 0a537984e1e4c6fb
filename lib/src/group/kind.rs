//! What a resource of a group file is, by its type.

use std::path::PathBuf;

use crate::Fail;
use crate::group::{Commands, Kind, Ocf, Volume};
use crate::keys::Keys;
use crate::layer::Layer;
use crate::lease::Lease;
use crate::suggest::nearest;
use crate::volume::Fstype;

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

/// The keys that a resource of that type may have besides those that every resource may have.
pub(super) fn further(word: &str, keys: &Keys<'_>) -> Result<&'static [&'static str], Fail> {
    Ok(match TYPES.iter().find(|(known, _)| *known == word) {
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
    })
}

/// What a resource of that type is, by its keys.
pub(super) fn of(word: &str, keys: &Keys<'_>) -> Result<Kind, Fail> {
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

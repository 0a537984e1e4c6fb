//! Sockets that systemd would open: `ListenStream=` of the node's socket units, with their drop-ins, as
//! systemd.socket(5) and systemd.unit(5) have it. Files alone are read; systemd itself is not asked.

mod told;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ims::layout::Bind;
use ims::place::Place;
use ims::sys::file;
use ims::{Exit, Fail, Host};

use told::Told;

/// Where units stand; the first folder that has a name decides (systemd.unit(5), table 1).
const FOLDERS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// A TCP socket that a unit asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSocket {
    /// The unit.
    pub unit: String,
    /// Whether something wants the unit when the node boots.
    pub is_enabled: bool,
    /// What it binds.
    pub bind: Bind,
    /// Whether it has `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// The port.
    pub port: u16,
    /// The line that says so.
    pub at: Place,
}

/// The TCP sockets of every unit, and what could not be told.
#[derive(Debug, Default)]
pub struct Units {
    /// The sockets.
    pub sockets: Vec<UnitSocket>,
    /// Why a unit's sockets are not known.
    pub unknown: Vec<Fail>,
}

/// What stands in the folders.
#[derive(Debug, Default)]
struct Files {
    /// Units and templates by name.
    units: BTreeMap<String, PathBuf>,
    /// The units that something wants.
    wanted: BTreeSet<String>,
    /// The drop-ins of each `NAME.d`, by name.
    drop_ins: BTreeMap<String, BTreeMap<String, PathBuf>>,
}

/// Looks at every socket unit of a node, and at the instances of templates that something wants. A template opens
/// nothing by itself.
pub fn units(host: &Host) -> Result<Units, Fail> {
    let files = files(host)?;
    let v6_only = number(host, "/proc/sys/net/ipv6/bindv6only")?.is_some_and(|value| value != 0);
    let is_template = |name: &&String| name.ends_with("@.socket");
    let wanted = files.wanted.iter().filter(|name| is_socket(name));
    let names: BTreeSet<&String> =
        files.units.keys().chain(wanted).filter(|name| !is_template(name)).collect();
    let mut units = Units::default();
    for unit in names {
        let Some(path) = files.units.get(unit).or_else(|| files.units.get(&template(unit)?)) else {
            continue;
        };
        let is_enabled = files.wanted.contains(unit);
        let drop_ins = files.drop_ins(unit);
        let all = std::iter::once(path).chain(drop_ins.values().copied());
        match told(host, all).and_then(|told| told.sockets(unit, v6_only)) {
            Ok(streams) => units.sockets.extend(streams.into_iter().map(|stream| {
                let told::Stream { bind, port, reuse_port, at } = stream;
                UnitSocket { unit: unit.clone(), is_enabled, bind, reuse_port, port, at }
            })),
            Err(fail) if is_enabled => units.unknown.push(fail),
            Err(_) => {} // nobody starts it
        }
    }
    Ok(units)
}

fn files(host: &Host) -> Result<Files, Fail> {
    let mut files = Files::default();
    for folder in FOLDERS {
        for name in names(host, Path::new(folder))? {
            let path = Path::new(folder).join(&name);
            if [".wants", ".requires", ".upholds"].iter().any(|end| name.ends_with(end)) {
                files.wanted.extend(names(host, &path)?);
            } else if let Some(unit) =
                name.strip_suffix(".d").filter(|unit| *unit == "socket" || is_socket(unit))
            {
                let there = files.drop_ins.entry(unit.to_owned()).or_default();
                for file in
                    names(host, &path)?.into_iter().filter(|file| file.strip_suffix(".conf").is_some())
                {
                    let full = path.join(&file);
                    there.entry(file).or_insert(full);
                }
            } else if is_socket(&name) {
                files.units.entry(name).or_insert(path);
            }
        }
    }
    Ok(files)
}

impl Files {
    /// The drop-ins of a unit in the order of their names, wherever each stands; of one name that of the most specific
    /// folder counts: `a-b@c.socket.d`, `a-b@.socket.d`, `a-.socket.d`, `socket.d`.
    fn drop_ins(&self, unit: &str) -> BTreeMap<&str, &PathBuf> {
        let mut folders = vec![unit.to_owned()];
        folders.extend(template(unit));
        let name = unit.strip_suffix(".socket").unwrap_or(unit);
        let dashes = name.rmatch_indices('-').filter(|(at, _)| at + 1 < name.len());
        folders.extend(dashes.filter_map(|(at, _)| Some(format!("{}.socket", name.get(..=at)?))));
        folders.push("socket".to_owned());
        let mut found: BTreeMap<&str, &PathBuf> = BTreeMap::new();
        for (file, path) in folders.iter().filter_map(|folder| self.drop_ins.get(folder)).flatten() {
            found.entry(file).or_insert(path);
        }
        found
    }
}

fn is_socket(unit: &str) -> bool {
    unit.strip_suffix(".socket").is_some()
}

/// The template that a unit is an instance of.
fn template(unit: &str) -> Option<String> {
    let (name, instance) = unit.strip_suffix(".socket")?.split_once('@')?;
    (!instance.is_empty()).then(|| format!("{name}@.socket"))
}

/// What stands in a folder, in order; none when it is not there.
fn names(host: &Host, folder: &Path) -> Result<Vec<String>, Fail> {
    let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot list {}", folder.display()), e);
    let entries = match fs_err::read_dir(host.path(folder)) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(cannot(&e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(|e| cannot(&e))?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// A number that the kernel tells in a file; none when the file is not there.
fn number(host: &Host, path: &str) -> Result<Option<u32>, Fail> {
    Ok(file::read_text(&host.path(path))?.and_then(|text| text.trim().parse().ok()))
}

fn told<'a>(host: &Host, files: impl Iterator<Item = &'a PathBuf>) -> Result<Told, Fail> {
    let mut told = Told::default();
    for (index, path) in files.enumerate() {
        let real = host.path(path);
        // A unit that is masked is a link to /dev/null, or empty: whatever stands behind it, it opens nothing.
        let is_empty = |meta: std::fs::Metadata| !meta.is_file() || meta.len() == 0;
        if fs_err::metadata(&real).is_ok_and(is_empty) {
            if index == 0 {
                return Ok(told);
            }
            continue;
        }
        told.add(&file::read_text(&real)?.unwrap_or_default(), path);
    }
    Ok(told)
}

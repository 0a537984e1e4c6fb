//! Sockets that systemd would open: `ListenStream=` of the node's socket units, with their drop-ins, as
//! systemd.socket(5) and systemd.unit(5) have it. Files alone are read; systemd itself is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use ims::layout::Bind;
use ims::place::Place;
use ims::sys::file;
use ims::{Exit, Fail, Host};

/// Where units stand; the first folder that has a name decides.
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
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

/// What a unit says of its sockets, file by file.
#[derive(Debug, Default)]
struct Told {
    streams: Vec<(String, Place)>,
    v6_only: Option<bool>,
    reuse_port: bool,
}

/// Looks at every socket unit of a node. Templates are passed over: they open nothing by themselves.
pub fn units(host: &Host) -> Result<Units, Fail> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let mut drop_ins: BTreeMap<String, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for folder in FOLDERS {
        for name in names(host, Path::new(folder))? {
            let path = Path::new(folder).join(&name);
            if [".wants", ".requires", ".upholds"].iter().any(|end| name.ends_with(end)) {
                wanted.extend(names(host, &path)?);
            } else if let Some(unit) = name.strip_suffix(".d").filter(|unit| is_socket(unit)) {
                for file in
                    names(host, &path)?.into_iter().filter(|file| file.strip_suffix(".conf").is_some())
                {
                    let full = path.join(&file);
                    drop_ins.entry(unit.to_owned()).or_default().entry(file).or_insert(full);
                }
            } else if name.strip_suffix(".socket").is_some() && !name.contains('@') {
                found.entry(name).or_insert(path);
            }
        }
    }
    let v6_only = number(host, "/proc/sys/net/ipv6/bindv6only")?.is_some_and(|value| value != 0);
    let mut units = Units::default();
    for (unit, path) in found {
        let is_enabled = wanted.contains(&unit);
        let more = ["socket", unit.as_str()].into_iter().filter_map(|name| drop_ins.get(name));
        let files = std::iter::once(&path).chain(more.flat_map(BTreeMap::values));
        match told(host, files).and_then(|told| sockets(&unit, is_enabled, v6_only, &told)) {
            Ok(sockets) => units.sockets.extend(sockets),
            Err(fail) if is_enabled => units.unknown.push(fail),
            Err(_) => {} // nobody starts it
        }
    }
    Ok(units)
}

fn is_socket(unit: &str) -> bool {
    unit == "socket" || unit.strip_suffix(".socket").is_some()
}

/// What stands in a folder, in order; none when it is not there.
fn names(host: &Host, folder: &Path) -> Result<Vec<String>, Fail> {
    let entries = match fs_err::read_dir(host.path(folder)) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(Fail::io(Exit::Unknown, "cannot list systemd's units", &e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Fail::io(Exit::Unknown, "cannot list systemd's units", &e))?;
        names.extend(entry.file_name().into_string().ok());
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
        if fs_err::metadata(&real).is_ok_and(|meta| !meta.is_file()) {
            if index == 0 {
                return Ok(told);
            }
            continue;
        }
        read(&file::read_text(&real)?.unwrap_or_default(), path, &mut told);
    }
    Ok(told)
}

/// Adds what one file says; a later line changes what an earlier one said, and an empty `ListenStream=` forgets all.
fn read(text: &str, path: &Path, told: &mut Told) {
    let mut is_ours = false;
    let mut rows = text.lines().enumerate();
    while let Some((row, line)) = rows.next() {
        let mut whole = line.trim().to_owned();
        while let Some(head) = whole.strip_suffix('\\') {
            let next = rows.next().map_or("", |(_, line)| line.trim());
            whole = format!("{} {next}", head.trim_end());
        }
        if whole.starts_with('[') {
            is_ours = whole == "[Socket]";
        }
        let Some((key, value)) = whole.split_once('=').filter(|_| is_ours && !whole.starts_with(['#', ';']))
        else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "ListenStream" if value.is_empty() => told.streams.clear(),
            "ListenStream" => told.streams.push((value.to_owned(), Place::line(path, row + 1))),
            "BindIPv6Only" => {
                told.v6_only = match value {
                    "both" => Some(false),
                    "ipv6-only" => Some(true),
                    _ => None,
                };
            }
            "ReusePort" => {
                told.reuse_port =
                    ["1", "yes", "y", "true", "t", "on"].iter().any(|yes| value.eq_ignore_ascii_case(yes));
            }
            _ => {}
        }
    }
}

fn sockets(unit: &str, is_enabled: bool, v6_only: bool, told: &Told) -> Result<Vec<UnitSocket>, Fail> {
    let v6_only = told.v6_only.unwrap_or(v6_only);
    let mut sockets = Vec::new();
    for (value, at) in &told.streams {
        let Some((ip, port)) = stream(value).map_err(|fail| Fail::unknown(at.to_string()).because(fail))?
        else {
            continue;
        };
        let bind = match Bind::of(ip) {
            Bind::AnyV6 if !v6_only => Bind::Any,
            bind @ (Bind::AnyV4 | Bind::AnyV6 | Bind::Any) => bind,
            Bind::One(ip) => Bind::One(ip.to_canonical()),
        };
        let (unit, reuse_port, at) = (unit.to_owned(), told.reuse_port, at.clone());
        sockets.push(UnitSocket { unit, is_enabled, bind, reuse_port, port, at });
    }
    Ok(sockets)
}

/// The address and port of a `ListenStream=`; a path, an abstract name or a vsock has none.
fn stream(value: &str) -> Result<Option<(IpAddr, u16)>, Fail> {
    if value.starts_with(['/', '@']) || value.starts_with("vsock:") {
        return Ok(None);
    }
    let bad = || {
        Fail::unknown(format!("cannot tell what ListenStream={} opens", value.escape_debug()))
            .hint("write an address and a port")
    };
    // `[fe80::1]:25%eth0`: the interface says nothing of who else may have the port.
    let bare = value.split('%').next().unwrap_or(value);
    if let Ok(port) = bare.parse() {
        return Ok(Some((Ipv6Addr::UNSPECIFIED.into(), port)));
    }
    let place: std::net::SocketAddr = bare.parse().map_err(|_| bad())?;
    Ok(Some((place.ip(), place.port())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    }

    /// A node's units, told as `unit address port line`.
    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            write(root.path(), path, text);
        }
        let units = units(&Host::below(root.path())).unwrap();
        let mut told: Vec<String> = units
            .sockets
            .iter()
            .map(|s| {
                let state = if s.is_enabled { "enabled" } else { "disabled" };
                format!("{} {state} {:?} {} {}", s.unit, s.bind, s.port, s.at)
            })
            .collect();
        told.extend(units.unknown.iter().map(ToString::to_string));
        told
    }

    const UNIT: &str = "usr/lib/systemd/system/d.socket";
    const DROP: &str = "etc/systemd/system/d.socket.d/a.conf";
    const WANT: (&str, &str) = ("etc/systemd/system/sockets.target.wants/d.socket", "");

    #[test]
    fn a_unit_opens_what_its_files_say_in_their_order() {
        let unit =
            "[Unit]\nListenStream=1\n[Socket]\n# ListenStream=2\nListenStream=/run/d\nListenStream=143\n";
        let at = |line: &str, enabled: &str, bind: &str, file: &str| {
            vec![format!("d.socket {enabled} {bind} {line} /{file}")]
        };
        let one = "[Socket]\nListenStream=192.0.2.7:25\n";
        for (files, wanted) in [
            (vec![(UNIT, unit)], at("143", "disabled", "Any", &format!("{UNIT}:6"))),
            (vec![(UNIT, unit), WANT], at("143", "enabled", "Any", &format!("{UNIT}:6"))),
            (
                vec![(UNIT, unit), (DROP, "[Socket]\nBindIPv6Only=ipv6-only\n")],
                at("143", "disabled", "AnyV6", &format!("{UNIT}:6")),
            ),
            (
                vec![(UNIT, unit), (DROP, "[Socket]\nListenStream=\nListenStream=0.0.0.0:25\n")],
                at("25", "disabled", "AnyV4", &format!("{DROP}:3")),
            ),
            (
                vec![(UNIT, unit), ("run/systemd/system/d.socket", one)],
                at("25", "disabled", "One(192.0.2.7)", "run/systemd/system/d.socket:2"),
            ),
            (
                vec![(UNIT, unit), ("proc/sys/net/ipv6/bindv6only", "1\n")],
                at("143", "disabled", "AnyV6", &format!("{UNIT}:6")),
            ),
            (
                vec![(UNIT, "[Socket]\nListenStream=\\\n [2001:db8::7]:25\n")],
                at("25", "disabled", "One(2001:db8::7)", &format!("{UNIT}:2")),
            ),
            (vec![(UNIT, unit), ("etc/systemd/system/d.socket", "")], Vec::new()),
            (vec![("usr/lib/systemd/system/d@.socket", one)], Vec::new()),
            (
                vec![(UNIT, "[Socket]\nListenStream=%i:25\n"), WANT],
                vec![format!(
                    "/{UNIT}:2: cannot tell what ListenStream=%i:25 opens (write an address and a port)"
                )],
            ),
        ] {
            assert_eq!(told(&files), wanted, "{files:?}");
        }
    }

    #[test]
    fn a_masked_unit_opens_nothing() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), UNIT, "[Socket]\nListenStream=143\n");
        fs_err::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        std::os::unix::fs::symlink("/dev/null", root.path().join("etc/systemd/system/d.socket")).unwrap();
        assert_eq!(units(&Host::below(root.path())).unwrap().sockets, []);
    }
}

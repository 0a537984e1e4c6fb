//! What the files of a socket unit say (`systemd.syntax(7)`, `systemd.socket(5)`). Pure: text → sockets.

use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

use ims::Fail;
use ims::layout::Bind;
use ims::place::Place;

/// What a unit says of its sockets, file by file.
#[derive(Debug, Default)]
pub struct Told {
    /// Every `ListenStream=` as it is written.
    streams: Vec<(String, Place)>,
    /// `BindIPv6Only=`; `None` leaves it to the kernel's `net.ipv6.bindv6only`.
    v6_only: Option<bool>,
    reuse_port: bool,
}

/// A socket that a unit asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// What it binds.
    pub bind: Bind,
    /// The port.
    pub port: u16,
    /// Whether it has `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// The line that says so.
    pub at: Place,
}

impl Told {
    /// Adds what one file says; a later line changes what an earlier one said, and an empty `ListenStream=` forgets
    /// all.
    pub fn add(&mut self, text: &str, path: &Path) {
        let mut is_ours = false;
        for (row, line) in logical(text) {
            if line.starts_with('[') {
                is_ours = line == "[Socket]";
            }
            let Some((key, value)) = line.split_once('=').filter(|_| is_ours) else { continue };
            let value = value.trim();
            match key.trim() {
                "ListenStream" if value.is_empty() => self.streams.clear(),
                "ListenStream" => self.streams.push((value.to_owned(), Place::line(path, row))),
                "BindIPv6Only" => {
                    self.v6_only = match value {
                        "both" => Some(false),
                        "ipv6-only" => Some(true),
                        _ => None,
                    };
                }
                "ReusePort" => {
                    self.reuse_port = ["1", "yes", "y", "true", "t", "on"]
                        .iter()
                        .any(|yes| value.eq_ignore_ascii_case(yes));
                }
                _ => {}
            }
        }
    }

    /// The TCP sockets of the unit of that name, on a node whose IPv6 sockets take IPv6 alone or not.
    pub fn sockets(&self, unit: &str, v6_only: bool) -> Result<Vec<Stream>, Fail> {
        let v6_only = self.v6_only.unwrap_or(v6_only);
        let mut sockets = Vec::new();
        for (value, at) in &self.streams {
            let found = stream(&named(value, unit)).map_err(|()| {
                Fail::unknown(format!("{at}: cannot tell what ListenStream={} opens", value.escape_debug()))
                    .hint("write an address and a port")
            })?;
            let Some((ip, port)) = found else { continue };
            let bind = match Bind::of(ip) {
                Bind::AnyV6 if !v6_only => Bind::Any,
                bind @ (Bind::AnyV4 | Bind::AnyV6 | Bind::Any) => bind,
                Bind::One(ip) => Bind::One(ip.to_canonical()),
            };
            sockets.push(Stream { bind, port, reuse_port: self.reuse_port, at: at.clone() });
        }
        Ok(sockets)
    }
}

/// The logical lines with the row they begin on, counted from 1. A comment is none, not even between a continued line
/// and the next, and is never continued itself.
fn logical(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (row, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (head, goes_on) = line.strip_suffix('\\').map_or((line, false), |head| (head.trim_end(), true));
        match lines.last_mut().filter(|_| is_open) {
            Some((_, whole)) => *whole = format!("{whole} {head}"),
            None => lines.push((row + 1, head.to_owned())),
        }
        is_open = goes_on;
    }
    lines
}

/// A value with what the name of an instance of a template stands for in it: `%i` as it is written, `%I` unescaped.
fn named(value: &str, unit: &str) -> String {
    let instance =
        unit.strip_suffix(".socket").and_then(|name| name.split_once('@')).map(|(_, instance)| instance);
    match instance.filter(|instance| !instance.is_empty()) {
        Some(instance) => value.replace("%i", instance).replace("%I", &instance.replace('-', "/")),
        None => value.to_owned(),
    }
}

/// The address and port of a `ListenStream=`; a path, an abstract name or a vsock has none.
fn stream(value: &str) -> Result<Option<(IpAddr, u16)>, ()> {
    if value.starts_with(['/', '@']) || value.starts_with("vsock:") {
        return Ok(None);
    }
    // `[fe80::1]:25%eth0`: the interface says nothing of who else may have the port.
    let bare = value.split('%').next().unwrap_or(value);
    if let Ok(port) = bare.parse() {
        return Ok(Some((Ipv6Addr::UNSPECIFIED.into(), port)));
    }
    let place: std::net::SocketAddr = bare.parse().map_err(|_| ())?;
    Ok(Some((place.ip(), place.port())))
}

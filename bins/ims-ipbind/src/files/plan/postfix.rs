//! Postfix: `inet_interfaces`, the source address of outgoing mail, and services of `master.cf` with an address of
//! their own.

use std::net::IpAddr;
use std::path::Path;

use ims::Fail;
use ims::conf::main_cf::MainCf;
use ims::conf::master_cf::{MasterCf, Service};
use ims::instance::Instance;
use ims::layout::postfix;

use super::{Plan, Wanted, at, is_loopback, literal, must};
use crate::files::look::Found;

/// Plans the settings; an instance without Postfix has none.
pub fn set(instance: &Instance, wanted: &Wanted, found: &Found, plan: &mut Plan) -> Result<(), Fail> {
    let folder = postfix::folder(instance);
    let (main_file, master_file) = (folder.join("main.cf"), folder.join("master.cf"));
    if !found.files.iter().any(|(path, _)| path == &main_file) {
        return Ok(());
    }
    let old = must(found, &main_file)?;
    let mut main = MainCf::parse(&old, &main_file)?;
    fits_protocols(&main, &main_file, wanted, found)?;
    main.set("inet_interfaces", &wanted.list());
    for (key, source) in [("smtp_bind_address", wanted.v4()), ("smtp_bind_address6", wanted.v6())] {
        match source {
            Some(ip) => main.set(key, &ip.to_string()),
            // An address of the other family that is not ours any more.
            None if main.get(key).is_some_and(|value| !value.text.is_empty()) => main.set(key, ""),
            None => {}
        }
    }
    plan.edits.push(found.edit(&main_file, &main.to_string())?);
    let old = must(found, &master_file)?;
    let new = master(&old, &master_file, wanted, found, &mut plan.notes)?;
    plan.edits.push(found.edit(&master_file, &new)?);
    Ok(())
}

/// Refuses an address of a family that `inet_protocols` turns off: Postfix would not listen on it.
fn fits_protocols(main: &MainCf, file: &Path, wanted: &Wanted, found: &Found) -> Result<(), Fail> {
    let (v4, v6) = found.protocols;
    let line = main.get("inet_protocols").map_or(1, |value| value.line);
    match wanted.all().iter().find(|ip| if ip.is_ipv4() { !v4 } else { !v6 }) {
        Some(ip) => Err(Fail::usage(format!("{}: inet_protocols leaves out {ip}", at(file, line)))
            .hint("set it to all, or leave that address out")),
        None => Ok(()),
    }
}

/// Gives each service that has an address of its own a logical one; the node's own loopback stays.
fn master(
    old: &str,
    file: &Path,
    wanted: &Wanted,
    found: &Found,
    notes: &mut Vec<String>,
) -> Result<String, Fail> {
    let mut master = MasterCf::parse(old, file)?;
    for service in master.services().to_vec() {
        let (Some(address), port) = service.endpoint() else {
            tell_source(&service, file, notes);
            continue;
        };
        tell_source(&service, file, notes);
        let ip = literal(address);
        if service.kind != "inet" || is_loopback(address) || ip.is_some_and(|ip| wanted.all().contains(&ip)) {
            continue;
        }
        let Some(new) = wanted.instead_of(ip) else { continue };
        let name = named(new, port);
        notes.push(format!("{}: {} becomes {name}", at(file, service.line), service.name));
        master.rename(service.line, &name);
    }
    meets_no_other(&master, file, wanted, found)?;
    Ok(master.to_string())
}

/// An address and a port as `master.cf` has them.
fn named(ip: IpAddr, port: &str) -> String {
    if ip.is_ipv6() { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

/// An outgoing service with a source address of its own is somebody's decision, which is told and left.
fn tell_source(service: &Service, file: &Path, notes: &mut Vec<String>) {
    for key in ["smtp_bind_address", "smtp_bind_address6"] {
        if let Some(value) = service.option(key) {
            notes.push(format!("{}: {key}={value} is left as it is", at(file, service.line)));
        }
    }
}

/// Refuses when two services would listen at the same place: Postfix would not start.
fn meets_no_other(master: &MasterCf, file: &Path, wanted: &Wanted, found: &Found) -> Result<(), Fail> {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for service in master.services().iter().filter(|service| service.kind == "inet") {
        let (address, name) = service.endpoint();
        // Two names may stand for one port. A name that stands for none is Postfix's to complain of.
        let port = found.ports.get(name).map_or_else(|| name.to_owned(), ToString::to_string);
        let places = match address {
            Some(address) => {
                vec![literal(address).map_or_else(|| format!("{address}:{port}"), |ip| named(ip, &port))]
            }
            None => wanted.all().iter().map(|ip| named(*ip, &port)).collect(),
        };
        for place in places {
            if let Some((_, line)) =
                seen.iter().find(|(other, line)| *other == place && *line != service.line)
            {
                let (one, two) = (at(file, *line), service.line);
                return Err(Fail::refused(format!("{one} and line {two} would both listen at {place}"))
                    .hint("take one of them out"));
            }
            seen.push((place, service.line));
        }
    }
    Ok(())
}

//! Which of the listeners collide. Pure: (configured, live) → conflicts.

mod live;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ims::layout::{Bind, Service};
use ims::place::Place;

use crate::kernel::{Answer, Socket, answer};
use crate::look::Configured;
use crate::outgoing::{Outgoing, RANGE};
use crate::overlap::overlap;
use crate::record::{Conflict, Side, Verdict};
use crate::units::UnitSocket;

pub use live::live;

/// The conflicts between configured listeners on a node, each pair of lines once.
///
/// One line of a directory server is no conflict with itself: two instances may share it.
pub fn configured(node: &str, listeners: &[Configured]) -> Vec<Conflict> {
    let mut at_port: HashMap<u16, Vec<(usize, &Configured)>> = HashMap::new();
    for (index, one) in listeners.iter().enumerate() {
        at_port.entry(one.listener.port).or_default().push((index, one));
    }
    let mut conflicts: Vec<Conflict> = Vec::new();
    for (index, a) in listeners.iter().enumerate() {
        let there = at_port.get(&a.listener.port).map(Vec::as_slice).unwrap_or_default();
        for (_, b) in there.iter().filter(|(other, _)| *other > index) {
            if is_shared(a, b) {
                continue;
            }
            let both_job_controllers =
                a.listener.service == Service::JobController && b.listener.service == Service::JobController;
            let kernel = answer(&socket(a), &socket(b));
            let why = match overlap(a.listener.bind, b.listener.bind) {
                Some(why) => why,
                None if both_job_controllers => {
                    "both Job Controllers have the same TCP_PORT, which may not be on one node, whatever the address"
                }
                None => continue,
            };
            let mend = if both_job_controllers {
                format!("ims-portcheck assign, or give one of them another TCP_PORT in {}", b.listener.at)
            } else {
                mend(a, b)
            };
            add(&mut conflicts, conflict(node, a, side(b), Verdict::Conflict, kernel, why, mend));
        }
    }
    conflicts
}

/// Whether two instances name one and the same listener, which is that of a directory server they share. Mail servers
/// of two instances are two, although a file that both include may say where they listen.
fn is_shared(a: &Configured, b: &Configured) -> bool {
    let (ours, theirs) = (&a.listener, &b.listener);
    if !["slapd", "ns-slapd"].contains(&ours.server) {
        return false;
    }
    let is_one = ours.at == theirs.at && ours.server == theirs.server && ours.bind == theirs.bind;
    is_one && a.of.record.name != b.of.record.name
}

/// The socket that a server of ours makes; Postfix alone sets `SO_REUSEPORT`.
fn socket(of: &Configured) -> Socket {
    bound(of.listener.bind, of.listener.server == "postfix", 0)
}

fn bound(bind: Bind, reuse_port: bool, uid: u32) -> Socket {
    let (ip, v6_only) = match bind {
        Bind::Any => (IpAddr::from(Ipv6Addr::UNSPECIFIED), false),
        Bind::AnyV4 => (Ipv4Addr::UNSPECIFIED.into(), false),
        Bind::AnyV6 => (Ipv6Addr::UNSPECIFIED.into(), true),
        Bind::One(ip) => (ip, false),
    };
    Socket { ip, v6_only, reuse_port, uid }
}

/// The conflicts of configured listeners with systemd's socket units; one that is not enabled is a warning.
pub fn units(
    node: &str,
    listeners: &[Configured],
    units: &[UnitSocket],
    disabled_too: bool,
) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = Vec::new();
    for a in listeners {
        let there = units.iter().filter(|unit| unit.port == a.listener.port);
        for unit in there.filter(|unit| unit.is_enabled || disabled_too) {
            let kernel = answer(&socket(a), &bound(unit.bind, unit.reuse_port, 0));
            let Some(why) = overlap(a.listener.bind, unit.bind) else { continue };
            let name = &unit.unit;
            let (verdict, why, mend) = if unit.is_enabled {
                let mend =
                    format!("systemctl disable --now {name}, or give it another ListenStream= ({})", unit.at);
                (Verdict::Conflict, format!("systemd opens the port at boot: {why}"), mend)
            } else {
                let why = format!("systemd would open the port if the unit were started: {why}");
                (Verdict::Warning, why, format!("systemctl mask {name}"))
            };
            let b = Side::unit(node, unit);
            add(&mut conflicts, conflict(node, a, b, verdict, kernel, &why, mend));
        }
    }
    conflicts
}

/// Warnings of the ports that an outgoing connection may have when its server starts.
pub fn outgoing(node: &str, listeners: &[Configured], outgoing: &Outgoing) -> Vec<Conflict> {
    let at_risk = |c: &&Configured| outgoing.may_take(c.listener.port);
    let mut ports: Vec<u16> = listeners.iter().filter(at_risk).map(|c| c.listener.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let why =
        "the kernel gives the port to outgoing connections too, and a server cannot listen while one has it";
    let mend = format!("sysctl -w {}, and the same in a file of /etc/sysctl.d", outgoing.reserve(&ports));
    let mut conflicts: Vec<Conflict> = Vec::new();
    for a in listeners.iter().filter(at_risk) {
        let b = Side::place(node, "*".to_owned(), Place::file(RANGE));
        add(&mut conflicts, conflict(node, a, b, Verdict::Warning, Answer::Refuses, why, mend.clone()));
    }
    conflicts
}

fn side(of: &Configured) -> Side {
    Side::configured(&of.of.record.name, &of.of.host, &of.listener)
}

fn conflict(
    node: &str,
    a: &Configured,
    b: Side,
    verdict: Verdict,
    kernel: Answer,
    why: &str,
    mend: String,
) -> Conflict {
    let (node, protocol, port) = (node.to_owned(), "tcp".into(), a.listener.port);
    Conflict { node, port, protocol, verdict, kernel, a: side(a), b, why: why.to_owned(), mend }
}

/// Adds a conflict, unless the same two lines or the same line and process collide at that port already (on IPv4
/// and on IPv6).
fn add(conflicts: &mut Vec<Conflict>, new: Conflict) {
    let key = |c: &Conflict| (c.port, c.a.at.clone(), c.b.at.clone(), c.b.pid, c.verdict);
    let is_told_apart = new.b.at.is_some() || new.b.pid.is_some();
    let is_known = is_told_apart && conflicts.iter().any(|old| key(old) == key(&new));
    if !is_known {
        conflicts.push(new);
    }
}

/// What would mend the conflict of two configured listeners.
fn mend(a: &Configured, b: &Configured) -> String {
    let wildcards: Vec<String> = [a, b]
        .into_iter()
        .filter(|c| !matches!(c.listener.bind, Bind::One(_)))
        .map(|c| {
            let address = c.of.record.addresses.first().map_or("ADDRESS".to_owned(), ToString::to_string);
            format!("ims-ipbind set --address {address} {}", c.of.record.name)
        })
        .collect();
    if wildcards.is_empty() {
        return format!(
            "give one of them another address or port, in {} or {}",
            a.listener.at, b.listener.at
        );
    }
    wildcards.join("; ")
}

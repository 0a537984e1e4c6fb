//! Which of the listeners collide. Pure: (configured, live) → conflicts.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ims::Host;
use ims::instance::Instance;
use ims::layout::{Bind, Service};
use ims::place::Place;
use ims::sys::sock::{Listening, Owner};
use ims::whose::{Whose, whose};

use crate::kernel::{Answer, Socket, answer};
use crate::look::{Configured, Taken};
use crate::outgoing::{Outgoing, RANGE};
use crate::overlap::overlap;
use crate::record::{Conflict, Side, Verdict};
use crate::units::UnitSocket;

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

/// The socket that listens now. Whether it has `SO_REUSEPORT` is not told by the kernel; Postfix sets it.
fn standing(socket: &Listening, owner: Option<&Owner>) -> Socket {
    let is_postfix =
        |owner: &Owner| owner.command.contains("/postfix/") && owner.command.ends_with("/master");
    bound(socket.bind, owner.is_some_and(is_postfix), socket.uid)
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

/// The conflicts of configured listeners with sockets of this node that are not their instance's own.
pub fn live(
    host: &Host,
    listeners: &[Configured],
    taken: &[Taken],
    units: &[UnitSocket],
    known: &[&Instance],
    told: &[Conflict],
) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = Vec::new();
    for a in listeners {
        for now in taken.iter().filter(|taken| taken.socket.port == a.listener.port) {
            let owner = now.owners.first();
            let kernel = answer(&socket(a), &standing(&now.socket, owner));
            let Some(why) = overlap(a.listener.bind, now.socket.bind) else { continue };
            let mut b = Side::live(host.name(), &now.socket, owner);
            if owner.is_some_and(is_systemd) {
                b.unit = opener(units, &now.socket).map(|unit| unit.unit.clone());
            }
            let stop = match (owner, &b.unit) {
                (None, _) => "stop whoever has it".to_owned(),
                (Some(owner), Some(unit)) if is_systemd(owner) => format!("systemctl disable --now {unit}"),
                (Some(owner), None) if is_systemd(owner) => {
                    "stop the unit that has it, which systemctl list-sockets names".to_owned()
                }
                (Some(owner), Some(unit)) => format!("stop {} (pid {} of {unit})", owner.command, owner.pid),
                (Some(owner), None) => format!("stop {} (pid {})", owner.command, owner.pid),
            };
            let (verdict, mend) = match whose(host, &a.of.record, known, &now.owners) {
                Whose::Own => continue,
                Whose::Other(other) if is_told(told, a, other) => continue,
                Whose::Foreign if is_told_of_systemd(told, a, owner) => continue,
                Whose::Other(other) => {
                    b.instance = Some(other.name.clone());
                    let mend = format!("restart {} with its new configuration, or {stop}", other.name);
                    (Verdict::Conflict, mend)
                }
                Whose::Foreign => (Verdict::Conflict, format!("{stop}, or bind it to an address of its own")),
                Whose::Unknown => (Verdict::Unknown, "run it as root, or look who has the port".to_owned()),
            };
            let why = format!("the port is taken now: {why}");
            add(&mut conflicts, conflict(host.name(), a, b, verdict, kernel, &why, mend));
        }
    }
    conflicts
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

/// Whether a unit of systemd is told already for what systemd itself listens on.
fn is_told_of_systemd(told: &[Conflict], a: &Configured, owner: Option<&Owner>) -> bool {
    owner.is_some_and(is_systemd)
        && told.iter().any(|conflict| {
            conflict.port == a.listener.port
                && conflict.b.unit.is_some()
                && conflict.a.instance.as_ref() == Some(&a.of.record.name)
        })
}

/// Whether a socket is one that systemd opened for a unit; one that was handed on is held by its service too.
fn is_systemd(owner: &Owner) -> bool {
    owner.pid == 1 && owner.command.ends_with("/systemd")
}

/// The unit that systemd opened a socket for, an enabled one first.
fn opener<'a>(units: &'a [UnitSocket], socket: &Listening) -> Option<&'a UnitSocket> {
    let here = units.iter().filter(|unit| unit.port == socket.port && unit.bind == socket.bind);
    here.max_by_key(|unit| unit.is_enabled)
}

/// Whether the configurations say already that the two collide at this port.
fn is_told(told: &[Conflict], a: &Configured, other: &Instance) -> bool {
    let is = |side: &Side, name| side.instance.as_ref() == Some(name);
    told.iter().filter(|conflict| conflict.port == a.listener.port).any(|conflict| {
        let (us, them) = (&a.of.record.name, &other.name);
        (is(&conflict.a, us) && is(&conflict.b, them)) || (is(&conflict.a, them) && is(&conflict.b, us))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use ims::input::Piped;
    use ims::layout::{Layout, Listener};
    use std::path::Path;

    fn instance(name: &str) -> Instance {
        Instance {
            name: name.parse().unwrap(),
            layout: Layout::PostfixDovecot,
            root: "/global".into(),
            addresses: vec!["192.0.2.7".parse().unwrap()],
            ldap: None,
            mail: true,
        }
    }

    fn listener(name: &str, service: Service, bind: Bind, port: u16, at: Place) -> Configured {
        let of = Piped { host: "mail-1".to_owned(), record: instance(name) };
        let server = if service == Service::Ldap { "slapd" } else { "postfix" };
        Configured { of, listener: Listener { server, service, bind, port, at } }
    }

    fn one(ip: &str) -> Bind {
        Bind::One(ip.parse().unwrap())
    }

    #[test]
    fn two_wildcards_collide_once_with_both_lines() {
        let a = |bind| listener("a", Service::Imap, bind, 143, Place::line("/global/a", 3));
        let b = |bind| listener("b", Service::Imap, bind, 143, Place::line("/global/b", 5));
        let found = configured("mail-1", &[a(Bind::AnyV4), a(Bind::AnyV6), b(Bind::AnyV4), b(Bind::AnyV6)]);
        let [conflict] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(conflict.a.at, Some(Place::line("/global/a", 3)));
        assert_eq!(conflict.b.at, Some(Place::line("/global/b", 5)));
        assert_eq!(
            conflict.mend,
            "ims-ipbind set --address 192.0.2.7 a; ims-ipbind set --address 192.0.2.7 b"
        );
    }

    #[test]
    fn a_shared_directory_server_is_no_conflict_with_itself_and_a_shared_file_is_one() {
        let at = || Place::line("/global/slapd-x/default", 2);
        let shared = [
            listener("a", Service::Ldap, Bind::Any, 389, at()),
            listener("b", Service::Ldap, Bind::Any, 389, at()),
        ];
        assert_eq!(configured("mail-1", &shared), []);
        // A file that the mail servers of both include makes them no one server.
        let at = || Place::line("/opt/site.cnf", 2);
        let both = ["a", "b"].map(|name| listener(name, Service::Smtp, Bind::Any, 25, at()));
        assert_eq!(configured("mail-1", &both).len(), 1);
    }

    #[test]
    fn one_line_can_collide_with_itself() {
        let at = || Place::line("/global/slapd-x/default", 2);
        let urls = [
            listener("a", Service::Ldap, Bind::Any, 389, at()),
            listener("a", Service::Ldap, one("192.0.2.7"), 389, at()),
        ];
        assert_eq!(configured("mail-1", &urls).len(), 1);
        let twice = [one("192.0.2.7"), one("192.0.2.7")];
        let twice = twice.map(|bind| listener("a", Service::Ldap, bind, 389, at()));
        assert_eq!(configured("mail-1", &twice).len(), 1);
        // The message store has one file for all of its servers, and no lines.
        let store = |service| listener("a", service, Bind::AnyV4, 143, Place::file("/global/configutil"));
        assert_eq!(configured("mail-1", &[store(Service::Imap), store(Service::Pop3)]).len(), 1);
    }

    #[test]
    fn job_controllers_need_different_ports_whatever_their_addresses() {
        let jc = |name, ip, port| {
            listener(name, Service::JobController, one(ip), port, Place::line(format!("/global/{name}"), 2))
        };
        let found = configured("mail-1", &[jc("a", "192.0.2.7", 27442), jc("b", "192.0.2.8", 27442)]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].mend,
            "ims-portcheck assign, or give one of them another TCP_PORT in /global/b:2"
        );
        assert_eq!(configured("mail-1", &[jc("a", "192.0.2.7", 27442), jc("b", "192.0.2.8", 27443)]), []);
    }

    #[test]
    fn a_port_that_is_taken_now_is_no_conflict_with_the_one_who_should_have_it() {
        let ours = listener("a", Service::Smtp, one("192.0.2.7"), 25, Place::line("/global/a", 1));
        let taken = |clue: Option<&str>| Taken {
            socket: Listening { bind: Bind::AnyV4, port: 25, uid: 7, inode: 1, cgroup: None },
            owners: clue
                .map(|clue| Owner {
                    pid: 9,
                    command: "/usr/sbin/x".to_owned(),
                    clues: vec![clue.to_owned()],
                    is_whole: true,
                })
                .into_iter()
                .collect(),
        };
        let host = Host::below(Path::new("/"));
        let (a, b) = (instance("a"), instance("b"));
        for (clue, verdict) in [
            (Some("/global/msg-a/postfix"), None),
            (Some("/global/msg-b/postfix"), Some(Verdict::Conflict)),
            (Some("/etc/postfix"), Some(Verdict::Conflict)),
            (None, Some(Verdict::Unknown)),
        ] {
            let found = live(&host, std::slice::from_ref(&ours), &[taken(clue)], &[], &[&a, &b], &[]);
            assert_eq!(found.first().map(|c| c.verdict), verdict, "{clue:?}");
            assert!(found.iter().all(|c| c.b.uid == Some(7)));
        }
        // What was started by hand is systemd's, and nobody stops systemd.
        let mut by_hand = taken(Some("0::/init.scope"));
        by_hand.owners[0].pid = 1;
        by_hand.owners[0].command = "/usr/lib/systemd/systemd".to_owned();
        let unit = UnitSocket {
            unit: "smtp.socket".to_owned(),
            is_enabled: false,
            bind: Bind::AnyV4,
            reuse_port: false,
            port: 25,
            at: Place::line("/usr/lib/systemd/system/smtp.socket", 4),
        };
        let found = live(&host, std::slice::from_ref(&ours), &[by_hand.clone()], &[], &[&a], &[]);
        assert_eq!(
            (found[0].b.unit.as_deref(), found[0].mend.split(',').next()),
            (None, Some("stop the unit that has it"))
        );
        let found = live(&host, std::slice::from_ref(&ours), &[by_hand], &[unit], &[&a], &[]);
        assert_eq!(found[0].b.unit.as_deref(), Some("smtp.socket"));
        assert_eq!(found[0].mend, "systemctl disable --now smtp.socket, or bind it to an address of its own");
        let mut of_a_unit = taken(Some("0::/system.slice/dovecot.service"));
        of_a_unit.owners[0].command = "/usr/sbin/dovecot".to_owned();
        let found = live(&host, std::slice::from_ref(&ours), &[of_a_unit], &[], &[&a], &[]);
        assert_eq!(
            found[0].mend,
            "stop /usr/sbin/dovecot (pid 9 of dovecot.service), or bind it to an address of its own"
        );
    }
}

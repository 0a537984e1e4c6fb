//! Whether the running servers do what their files say: the files' listeners beside the kernel's sockets. Pure.

use std::net::IpAddr;

use ims::layout::{Bind, Listener};

use super::live::{Held, Live};
use super::record::Agreement;

/// What was found of one listener.
#[derive(Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    /// Whether its server listens there.
    pub running: Agreement,
    /// With a drift, where it listens instead.
    pub now: Vec<&'a Held>,
}

/// Judges each listener, in their order, and gives the sockets that none of them accounts for.
pub fn judge<'a>(listeners: &[Listener], live: &'a Live) -> (Vec<Judged<'a>>, Vec<&'a Held>) {
    let unasked: Vec<&Held> = live.own.iter().filter(|held| !is_asked(held, listeners)).collect();
    let judged: Vec<Judged> =
        listeners.iter().map(|listener| one(listener, listeners, live, &unasked)).collect();
    let is_told = |held: &&Held| judged.iter().any(|judged| judged.now.contains(held));
    let strays = unasked.into_iter().filter(|held| !is_told(held)).collect();
    (judged, strays)
}

fn one<'a>(listener: &Listener, all: &[Listener], live: &'a Live, unasked: &[&'a Held]) -> Judged<'a> {
    let just = |running| Judged { running, now: Vec::new() };
    let has = |part: &Bind| {
        live.own.iter().any(|held| held.port == listener.port && parts(held.bind).contains(part))
    };
    if parts(listener.bind).iter().filter(|part| live.has_v6 || !is_v6(**part)).all(has) {
        return just(Agreement::Agrees);
    }
    let may_be_its = |held: &Held| match held.server.filter(|name| all.iter().any(|l| l.server == *name)) {
        Some(name) => name == listener.server,
        None => true,
    };
    let others = |is_here: &dyn Fn(&Held) -> bool| -> Vec<&'a Held> {
        unasked.iter().filter(|held| may_be_its(held) && is_here(held)).copied().collect()
    };
    let mut now = others(&|held| held.port == listener.port);
    if now.is_empty() {
        // Another port: not one whose address alone is another.
        now = others(&|held| all.iter().all(|other| other.port != held.port));
    }
    if !now.is_empty() || runs(listener.server, all, live) {
        return Judged { running: Agreement::Drift, now };
    }
    just(if live.is_in_doubt(listener) { Agreement::Unknown } else { Agreement::NotRunning })
}

/// Whether a server runs: its first process does, it has a socket, or a process has one that its files ask for.
fn runs(server: &str, all: &[Listener], live: &Live) -> bool {
    let asked_by_it = |held: &Held| all.iter().any(|l| l.server == server && asks(l, held));
    live.running.contains(&server)
        || live.own.iter().any(|held| held.server == Some(server) || asked_by_it(held))
}

fn is_asked(held: &Held, listeners: &[Listener]) -> bool {
    listeners.iter().any(|listener| asks(listener, held))
}

fn asks(listener: &Listener, held: &Held) -> bool {
    let wanted = parts(listener.bind);
    listener.port == held.port && parts(held.bind).iter().any(|part| wanted.contains(part))
}

/// What a bind covers: every address is those of both families, as one socket or as two.
fn parts(bind: Bind) -> Vec<Bind> {
    match bind {
        Bind::Any => vec![Bind::AnyV4, Bind::AnyV6],
        Bind::AnyV4 | Bind::AnyV6 => vec![bind],
        Bind::One(ip) => vec![Bind::One(ip.to_canonical())],
    }
}

/// What a node without IPv6 leaves out of a list that names both families.
fn is_v6(bind: Bind) -> bool {
    match bind {
        Bind::AnyV6 => true,
        Bind::One(IpAddr::V6(ip)) => ip.is_loopback(),
        Bind::Any | Bind::AnyV4 | Bind::One(IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ims::layout::Service;
    use ims::place::Place;

    fn bind(text: &str) -> Bind {
        match text {
            "*" => Bind::Any,
            ip => Bind::of(ip.parse().unwrap()),
        }
    }

    fn asked(server: &'static str, address: &str, port: u16) -> Listener {
        Listener { server, service: Service::Other, bind: bind(address), port, at: Place::line("/x", 1) }
    }

    fn held(server: Option<&'static str>, address: &str, port: u16) -> Held {
        Held { bind: bind(address), port, pid: 7, command: "x".to_owned(), server }
    }

    fn live(own: Vec<Held>) -> Live {
        Live { own, running: Vec::new(), hidden: Vec::new(), sees_all: true, has_v6: true }
    }

    /// The state of each listener with where its server listens instead, and the strays.
    fn told(listeners: &[Listener], live: &Live) -> (Vec<String>, Vec<u16>) {
        let (judged, strays) = judge(listeners, live);
        let of = |judged: &Judged| {
            let now: Vec<String> =
                judged.now.iter().map(|held| format!(" {}:{}", held.bind, held.port)).collect();
            format!("{:?}{}", judged.running, now.concat())
        };
        (judged.iter().map(of).collect(), strays.iter().map(|held| held.port).collect())
    }

    #[test]
    fn a_listener_agrees_drifts_does_not_run_or_is_unknown() {
        let (p, d) = (Some("postfix"), Some("dovecot"));
        let (ours, old) = ("192.0.2.20", "192.0.2.10");
        let smtp = asked("postfix", ours, 25);
        for (listeners, own, states, strays) in [
            (vec![smtp.clone()], vec![held(p, ours, 25)], vec!["Agrees"], vec![]),
            (vec![smtp.clone()], vec![], vec!["NotRunning"], vec![]),
            (vec![smtp.clone()], vec![held(p, old, 25)], vec!["Drift 192.0.2.10:25"], vec![]),
            (vec![smtp.clone()], vec![held(p, "*", 25)], vec!["Drift *:25"], vec![]),
            // Another port; and a server of another name is not it.
            (vec![smtp.clone()], vec![held(p, ours, 2525)], vec!["Drift 192.0.2.20:2525"], vec![]),
            (
                vec![smtp.clone(), asked("dovecot", ours, 143)],
                vec![held(d, ours, 143), held(d, ours, 110)],
                vec!["NotRunning", "Agrees"],
                vec![110],
            ),
            // One of two addresses is new, one of two is gone.
            (
                vec![smtp.clone(), asked("postfix", old, 25)],
                vec![held(p, old, 25)],
                vec!["Drift", "Agrees"],
                vec![],
            ),
            (vec![smtp.clone()], vec![held(p, ours, 25), held(p, old, 25)], vec!["Agrees"], vec![25]),
            // Two sockets are every address, and so is one that speaks both families.
            (
                vec![asked("postfix", "*", 25)],
                vec![held(p, "0.0.0.0", 25), held(p, "::", 25)],
                vec!["Agrees"],
                vec![],
            ),
            (vec![asked("store", "0.0.0.0", 143)], vec![held(None, "*", 143)], vec!["Agrees"], vec![]),
            (vec![asked("postfix", "*", 25)], vec![held(p, "0.0.0.0", 25)], vec!["Drift"], vec![]),
            // A program whose name tells nothing is known by what its files ask for.
            (
                vec![asked("dispatcher", ours, 25), asked("dispatcher", ours, 587)],
                vec![held(None, ours, 25)],
                vec!["Agrees", "Drift"],
                vec![],
            ),
        ] {
            let states: Vec<String> = states.into_iter().map(ToOwned::to_owned).collect();
            assert_eq!(told(&listeners, &live(own.clone())), (states, strays), "{listeners:?} and {own:?}");
        }
    }

    #[test]
    fn a_server_that_runs_and_listens_nowhere_drifts() {
        let mut live = live(Vec::new());
        live.running.push("postfix");
        assert_eq!(told(&[asked("postfix", "*", 25)], &live).0, ["Drift"]);
        assert_eq!(told(&[asked("dovecot", "*", 143)], &live).0, ["NotRunning"]);
    }

    #[test]
    fn somebody_who_cannot_be_looked_at_makes_it_unknown() {
        let smtp = asked("postfix", "192.0.2.20", 25);
        for (hidden, sees_all, state) in [
            (vec![25], true, "Unknown"),
            (vec![2049], true, "NotRunning"), // the kernel's own, such as that of NFS
            (vec![2049], false, "Unknown"),
            (vec![], false, "NotRunning"),
        ] {
            let live = Live { hidden: hidden.clone(), sees_all, ..live(Vec::new()) };
            assert_eq!(
                told(std::slice::from_ref(&smtp), &live).0,
                [state],
                "{hidden:?}, sees all: {sees_all}"
            );
        }
    }

    #[test]
    fn a_node_without_ipv6_is_not_missed_on_it() {
        let v4 = Live { has_v6: false, ..live(vec![held(Some("postfix"), "0.0.0.0", 25)]) };
        assert_eq!(told(&[asked("postfix", "*", 25)], &v4).0, ["Agrees"]);
        assert_eq!(told(&[asked("postfix", "2001:db8::10", 25)], &v4).0, ["Drift 0.0.0.0:25"]);
    }
}

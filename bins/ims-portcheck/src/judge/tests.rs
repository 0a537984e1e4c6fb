//! What collides, and what does not.

use std::path::Path;

use ims::Host;
use ims::input::Piped;
use ims::instance::Instance;
use ims::layout::{Layout, Listener};
use ims::sys::sock::{Listening, Owner};

use super::*;
use crate::look::Taken;

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
    assert_eq!(conflict.mend, "ims-ipbind set --address 192.0.2.7 a; ims-ipbind set --address 192.0.2.7 b");
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
    assert_eq!(found[0].mend, "ims-portcheck assign, or give one of them another TCP_PORT in /global/b:2");
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

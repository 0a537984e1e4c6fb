//! What is around the servers: the name service, the way to them, and the volume with their configuration.

use super::super::real_tls::end;
use super::Change::{Append, Replace, Run};
use super::farm::{DOVECOT, MASTER, OPTIONS, farm};
use super::{Farm, Row};
use crate::support::{Bed, Node, needs_root};

/// What the name server knows.
const NAMES: &str = "/srv/ims/names.conf";
const NAMED: &[&str] = &[
    "smtp://mail.example.org",
    "imap://mail.example.org",
    "pop3://mail.example.org",
    "ldap://mail.example.org",
    "lmtp://mail.example.org",
    "http://mail.example.org",
    "tcp://mail.example.org:25",
];

const WAYS: &[Row] = &[
    Row {
        what: "the name is not known",
        by: &[Replace(NAMES, "/mail.example.org/192.0.2.10", "/mail.example.org/")],
        asked: NAMED,
        level: "connect",
        told: ("unknown", "resolve", "cannot resolve mail.example.org: name or service not known"),
    },
    Row {
        what: "the name server does not answer for the name",
        by: &[Replace(NAMES, "/mail.example.org/", "/www.example.org/")],
        asked: NAMED,
        level: "connect",
        told: ("unknown", "resolve", "cannot resolve mail.example.org: temporary failure in name resolution"),
    },
    Row {
        what: "the name server hangs",
        by: &[Run("kill -STOP $(pgrep -x dnsmasq)", "kill -CONT $(pgrep -x dnsmasq)")],
        asked: NAMED,
        level: "connect",
        told: ("unknown", "resolve", "timed out after 1s"),
    },
    Row {
        what: "the node has no way back to the client",
        by: &[Run("ip route add blackhole 192.0.2.100", "ip route delete blackhole 192.0.2.100")],
        asked: &["smtp://192.0.2.10", "imap://192.0.2.10", "ldap://192.0.2.10", "tcp://192.0.2.10:25"],
        level: "connect",
        told: ("down", "connect", "timed out after 1s"),
    },
];

const FILES: &[Row] = &[
    Row {
        what: "the volume is elsewhere",
        by: &[Run("mv /srv/ims/server5 /srv/ims/elsewhere", "mv /srv/ims/elsewhere /srv/ims/server5")],
        asked: &["stork"],
        level: "connect",
        told: ("unknown", "config", "/srv/ims/server5/msg-stork has neither Postfix nor Dovecot"),
    },
    Row {
        what: "a line of Postfix's file is torn",
        by: &[Append(MASTER, "2525 inet n")],
        asked: &["stork"],
        level: "connect",
        told: ("unknown", "config", "a service has eight fields, not '2525 inet n'"),
    },
    Row {
        what: "a block of Dovecot's file is torn",
        by: &[Append(DOVECOT, "service imap-login {")],
        asked: &["stork"],
        level: "connect",
        told: ("unknown", "config", "the block 'service' is not closed"),
    },
];

/// Has the name server read what it knows.
fn name(node: &Node, _file: &str) {
    end(node, "dnsmasq");
    node.sh(&format!("dnsmasq -C {NAMES}")).ok();
}

#[test]
fn names_and_ways_are_told_of_at_the_stage_that_breaks() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (farm(&bed), bed.client());
    node.file(
        NAMES,
        "listen-address=192.0.2.10\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\npid-file=/run/dnsmasq.pid\n\
         address=/mail.example.org/192.0.2.10\n",
    );
    name(&node, NAMES);
    client.sh("rm -f /etc/resolv.conf; echo nameserver 192.0.2.10 >/etc/resolv.conf").ok();
    Farm { node: &node, asker: &client, options: &[], renew: &name }.drive(WAYS);
}

#[test]
fn configurations_are_told_of_when_they_cannot_be_read() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = farm(&bed);
    Farm { node: &node, asker: &node, options: &OPTIONS, renew: &|_, _| () }.drive(FILES);
}

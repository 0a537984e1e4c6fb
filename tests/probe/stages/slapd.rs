//! `OpenLDAP`.

use super::Change::{Replace, Run};
use super::farm::{DIRECTORY, OPTIONS, farm, renew};
use super::{Farm, Row};
use crate::support::{Bed, needs_root};

const ALL: &[&str] = &["ldap://192.0.2.10", "ldaps://192.0.2.10"];

const ROWS: &[Row] = &[
    Row {
        what: "it listens on the loopback alone",
        by: &[Replace(
            "/srv/ims/server5/slapd-mail/default",
            "ldap:/// ldaps:///",
            "ldap://127.0.0.1 ldaps://127.0.0.1",
        )],
        asked: ALL,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "it hangs",
        by: &[Run("kill -STOP $(pgrep -x slapd)", "kill -CONT $(pgrep -x slapd)")],
        asked: &["ldap://192.0.2.10"],
        level: "greet",
        told: ("down", "bind", "timed out after 2s"),
    },
    Row {
        what: "it hangs, and begins with TLS",
        by: &[Run("kill -STOP $(pgrep -x slapd)", "kill -CONT $(pgrep -x slapd)")],
        asked: &["ldaps://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "timed out after 2s"),
    },
    Row {
        what: "it wants to know who asks",
        by: &[Replace(DIRECTORY, "pidfile", "disallow bind_anon\npidfile")],
        asked: ALL,
        level: "session",
        told: ("down", "bind", "InappropriateAuthentication: anonymous bind disallowed"),
    },
    Row {
        what: "it searches nothing",
        by: &[Replace(DIRECTORY, "pidfile", "restrict search\npidfile")],
        asked: ALL,
        level: "session",
        told: ("down", "search", "UnwillingToPerform: operation restricted"),
    },
    Row {
        what: "it shows strangers nothing of itself",
        by: &[Replace(DIRECTORY, "access to *\n", "access to dn.base=\"\" by * none\naccess to *\n")],
        asked: ALL,
        level: "session",
        told: ("down", "search", "the root DSE is not shown to anonymous clients"),
    },
    Row {
        what: "nobody may log in",
        by: &[Replace(DIRECTORY, "by anonymous auth", "by anonymous none")],
        asked: ALL,
        level: "login",
        told: ("down", "bind", "InvalidCredentials"),
    },
    Row {
        what: "who is let in sees nothing",
        by: &[Replace(
            DIRECTORY,
            "access to *\n",
            "access to dn.subtree=\"dc=example,dc=test\" by users none by * read\naccess to *\n",
        )],
        asked: ALL,
        level: "login",
        told: ("down", "search", "NoSuchObject"),
    },
];

#[test]
fn openldap_is_told_of_at_the_stage_that_breaks() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = farm(&bed);
    Farm { node: &node, asker: &node, options: &OPTIONS, renew: &renew }.drive(ROWS);
}

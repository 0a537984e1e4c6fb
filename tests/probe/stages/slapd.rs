//! `OpenLDAP`.

use super::Change::{Replace, Run};
use super::Row;
use super::farm::{DIRECTORY, GOES_ON, HANGS, OPTIONS, SECRETS, TLS, drive};

const ALL: &[&str] = &["ldap://192.0.2.10", "ldaps://192.0.2.10"];

pub const ROWS: &[Row] = &[
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
        by: &[Run(HANGS, GOES_ON)],
        asked: &["ldap://192.0.2.10"],
        level: "greet",
        told: ("down", "bind", "timed out after 1s"),
    },
    Row {
        what: "it hangs, and begins with TLS",
        by: &[Run(HANGS, GOES_ON)],
        asked: &["ldaps://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "timed out after 1s"),
    },
    Row {
        what: "it takes no message as long as a bind",
        by: &[Replace(DIRECTORY, "pidfile", "sockbuf_max_incoming 8\npidfile")],
        asked: ALL,
        level: "greet",
        told: ("down", "bind", "the server closed the connection"),
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
    Row {
        what: "who is let in finds nothing where he is told to look",
        by: &[Replace(SECRETS, "[deliver]", "base = 'ou=nowhere,dc=example,dc=test'\n[deliver]")],
        asked: ALL,
        level: "login",
        told: ("down", "search", "NoSuchObject"),
    },
    Row {
        what: "nothing is what is looked for",
        by: &[Replace(
            SECRETS,
            "[deliver]",
            "base = 'dc=example,dc=test'\nfilter = '(uid=frank)'\n[deliver]",
        )],
        asked: ALL,
        level: "login",
        told: ("down", "search", "nothing found: dc=example,dc=test"),
    },
];

pub const SECRETLY: &[Row] = &[
    Row {
        what: "it has no certificate",
        by: &[Replace(DIRECTORY, "TLSCertificate", "#TLSCertificate")],
        asked: &["ldap://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "STARTTLS is not offered"),
    },
    Row {
        what: "it begins with TLS and has no certificate",
        by: &[Replace(DIRECTORY, "TLSCertificate", "#TLSCertificate")],
        asked: &["ldaps://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "the server closed the connection"),
    },
    Row {
        what: "its certificate has expired",
        by: &[
            Replace(DIRECTORY, "/srv/ims/tls/cert.pem", "/srv/ims/tls/expired.pem"),
            Replace(DIRECTORY, "/srv/ims/tls/key.pem", "/srv/ims/tls/expired.pem"),
        ],
        asked: ALL,
        level: "greet",
        told: ("down", "tls", "the certificate expired on "),
    },
];

#[test]
fn openldap_is_told_of_at_the_stage_that_breaks() {
    drive(ROWS, &OPTIONS, "");
}

#[test]
fn openldaps_tls_is_told_of_at_the_stage_that_breaks() {
    drive(SECRETLY, &TLS, "");
}

//! Dovecot: logins by IMAP and POP3, TLS, and HTTP for its administrators.

use super::Change::{Append, Replace, Run};
use super::Row;
use super::farm::{DOVECOT, GOES_ON, HANGS, OPTIONS, PROXY, TLS, drive};

const IMAP: &[&str] = &["imap://192.0.2.10", "imaps://192.0.2.10"];
const POP3: &[&str] = &["pop3://192.0.2.10", "pop3s://192.0.2.10"];
const BOTH: &[&str] = &["imap://192.0.2.10", "imaps://192.0.2.10", "pop3://192.0.2.10", "pop3s://192.0.2.10"];
const HTTP: &[&str] = &["http://192.0.2.10", "https://192.0.2.10"];

pub const LOGINS: &[Row] = &[
    Row {
        what: "it serves no IMAP",
        by: &[Replace(DOVECOT, "protocols = imap ", "protocols = ")],
        asked: &["imap://192.0.2.10", "imaps://192.0.2.10", "tcp://192.0.2.10:143"],
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "it serves no POP3",
        by: &[Replace(DOVECOT, " pop3 lmtp", " lmtp")],
        asked: POP3,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "its first process has too little memory",
        by: &[Append(
            DOVECOT,
            "service imap-login {\nvsz_limit = 8M\n}\nservice pop3-login {\nvsz_limit = 8M\n}",
        )],
        asked: &["imap://192.0.2.10", "pop3://192.0.2.10"],
        level: "greet",
        // It is started now and then, and ends.
        told: ("down", "greet", ""),
    },
    Row {
        what: "its first process has too little memory for TLS",
        by: &[Append(
            DOVECOT,
            "service imap-login {\nvsz_limit = 8M\n}\nservice pop3-login {\nvsz_limit = 8M\n}",
        )],
        asked: &["imaps://192.0.2.10", "pop3s://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", ""),
    },
    Row {
        what: "it does not find the file that says where the directory is",
        by: &[Replace(DOVECOT, "dovecot/ldap.conf", "dovecot/nowhere.conf")],
        asked: &["imap://192.0.2.10", "imaps://192.0.2.10", "pop3://192.0.2.10"],
        level: "greet",
        // It says that it is broken or says nothing, by how long it waits with starting again.
        told: ("down", "greet", ""),
    },
    Row {
        what: "a proxy that stands before it has nobody behind it",
        by: &[Replace(DOVECOT, "protocols = imap pop3 lmtp", "protocols =")],
        asked: &[
            "imap://192.0.2.10:2143",
            "imaps://192.0.2.10:2993",
            "pop3://192.0.2.10:2110",
            "pop3s://192.0.2.10:2995",
            "lmtp://192.0.2.10:2024",
        ],
        level: "greet",
        told: ("down", "greet", "timed out after 1s"),
    },
    Row {
        what: "it says that it speaks another IMAP",
        by: &[Append(DOVECOT, "imap_capability = IMAP2bis")],
        asked: IMAP,
        level: "session",
        told: ("down", "capability", "CAPABILITY names no version of IMAP4"),
    },
    Row {
        what: "the connection ends at CAPA",
        by: &[Append(PROXY, "/^CAPA/Q")],
        asked: &["pop3://192.0.2.10:2110", "pop3s://192.0.2.10:2995"],
        level: "session",
        told: ("down", "capability", "the server closed the connection"),
    },
    Row {
        what: "the connection ends at LOGOUT",
        by: &[Append(PROXY, "/LOGOUT/Q")],
        asked: &["imap://192.0.2.10:2143", "imaps://192.0.2.10:2993"],
        level: "session",
        told: ("down", "logout", "the server closed the connection"),
    },
    Row {
        what: "the connection ends at QUIT",
        by: &[Append(PROXY, "/^QUIT/Q")],
        asked: &["pop3://192.0.2.10:2110", "pop3s://192.0.2.10:2995"],
        level: "session",
        told: ("down", "quit", "the server closed the connection"),
    },
    Row {
        what: "it looks for passwords elsewhere in the directory",
        by: &[Replace("/srv/ims/server5/msg-stork/dovecot/ldap.conf", "uid=%n,ou=people", "uid=%n,ou=staff")],
        asked: IMAP,
        level: "login",
        told: ("down", "auth", "a2 NO [AUTHENTICATIONFAILED] Authentication failed."),
    },
    Row {
        what: "it looks for passwords elsewhere in the directory",
        by: &[Replace("/srv/ims/server5/msg-stork/dovecot/ldap.conf", "uid=%n,ou=people", "uid=%n,ou=staff")],
        asked: POP3,
        level: "login",
        told: ("down", "auth", "-ERR [AUTH] Authentication failed."),
    },
    Row {
        what: "it looks for the directory elsewhere",
        by: &[Replace("/srv/ims/server5/msg-stork/dovecot/ldap.conf", "192.0.2.10:389", "192.0.2.10:9")],
        asked: BOTH,
        level: "login",
        told: ("down", "auth", "Temporary authentication failure."),
    },
    Row {
        what: "users have no right to mail",
        by: &[Append(DOVECOT, "first_valid_uid = 6000")],
        asked: POP3,
        level: "login",
        told: ("down", "auth", "-ERR [SYS/TEMP] Internal error occurred."),
    },
    Row {
        what: "users have no right to mail, and are let in all the same",
        by: &[Append(DOVECOT, "first_valid_uid = 6000")],
        asked: IMAP,
        level: "login",
        told: ("down", "logout", "* BYE Internal error occurred."),
    },
    Row {
        what: "the directory hangs",
        by: &[Run(HANGS, GOES_ON)],
        asked: &["imap://192.0.2.10", "imaps://192.0.2.10", "pop3://192.0.2.10", "smtp://192.0.2.10"],
        level: "login",
        told: ("down", "auth", "timed out after 1s"),
    },
    Row {
        what: "it takes no plain passwords",
        by: &[Append(DOVECOT, "auth_mechanisms = cram-md5")],
        asked: &["imap://192.0.2.10", "pop3://192.0.2.10", "pop3s://192.0.2.10"],
        level: "login",
        told: ("down", "auth", "] Unsupported authentication mechanism."),
    },
];

pub const PAGES: &[Row] = &[
    Row {
        what: "it listens elsewhere",
        by: &[Replace(DOVECOT, "port = 80", "port = 8080"), Replace(DOVECOT, "port = 443", "port = 8443")],
        asked: HTTP,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "an IMAP server is in its place",
        by: &[
            Replace(DOVECOT, "port = 80", "port = 8080"),
            Replace(DOVECOT, "port = 443", "port = 8443"),
            Replace(DOVECOT, "port = 143", "port = 80"),
            Replace(DOVECOT, "port = 993", "port = 443"),
        ],
        asked: HTTP,
        level: "greet",
        told: ("down", "get", "not a status line: * OK [CAPABILITY "),
    },
    Row {
        what: "it has no password to ask for",
        by: &[Replace(DOVECOT, "doveadm_password = a-secret", "")],
        asked: HTTP,
        level: "session",
        told: ("down", "get", "HTTP/1.1 500 Internal Server Error"),
    },
];

pub const SECRETLY: &[Row] = &[
    Row {
        what: "it speaks no TLS",
        by: &[Replace(DOVECOT, "ssl = yes\nssl_cert", "ssl = no\nssl_cert")],
        asked: &["imap://192.0.2.10", "pop3://192.0.2.10", "lmtp://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "STARTTLS is not offered"),
    },
    Row {
        what: "it speaks no TLS where that is all",
        by: &[Replace(DOVECOT, "ssl = yes\nssl_cert", "ssl = no\nssl_cert")],
        asked: &["imaps://192.0.2.10", "pop3s://192.0.2.10", "https://192.0.2.10"],
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "it speaks no TLS where clients begin with it",
        by: &[Replace(DOVECOT, "port = 443\n    ssl = yes", "port = 443")],
        asked: &["https://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "what came is not TLS"),
    },
    Row {
        what: "its key belongs to another certificate",
        by: &[Run(
            "mv /srv/ims/tls/key.pem /srv/ims/tls/old.pem; cp /srv/ims/tls/other.pem /srv/ims/tls/key.pem; kill -HUP $(cat /run/ims/stork/dovecot/master.pid)",
            "mv /srv/ims/tls/old.pem /srv/ims/tls/key.pem; kill -HUP $(cat /run/ims/stork/dovecot/master.pid)",
        )],
        asked: &["imaps://192.0.2.10", "pop3s://192.0.2.10"],
        level: "greet",
        // It closes or resets.
        told: ("down", "tls", "connection"),
    },
    Row {
        what: "its key belongs to another certificate, and it offers STARTTLS",
        by: &[Run(
            "mv /srv/ims/tls/key.pem /srv/ims/tls/old.pem; cp /srv/ims/tls/other.pem /srv/ims/tls/key.pem; kill -HUP $(cat /run/ims/stork/dovecot/master.pid)",
            "mv /srv/ims/tls/old.pem /srv/ims/tls/key.pem; kill -HUP $(cat /run/ims/stork/dovecot/master.pid)",
        )],
        asked: &["imap://192.0.2.10", "pop3://192.0.2.10"],
        level: "greet",
        // It says so in plain text, with its word on STARTTLS or after it.
        told: ("down", "tls", " TLS"),
    },
];

#[test]
fn dovecots_logins_are_told_of_at_the_stage_that_breaks() {
    drive(LOGINS, &OPTIONS, "");
}

#[test]
fn dovecots_pages_are_told_of_at_the_stage_that_breaks() {
    drive(PAGES, &OPTIONS, "");
}

#[test]
fn dovecots_tls_is_told_of_at_the_stage_that_breaks() {
    drive(SECRETLY, &TLS, "");
}

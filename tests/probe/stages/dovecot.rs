//! Dovecot: IMAP, POP3, LMTP, and HTTP for its administrators.

use super::Change::{Append, Replace, Run};
use super::farm::{DOVECOT, OPTIONS, PROXY, SECRETS, TLS, farm, renew};
use super::{Farm, Row};
use crate::support::{Bed, needs_root};

const IMAP: &[&str] = &["imap://192.0.2.10", "imaps://192.0.2.10"];
const POP3: &[&str] = &["pop3://192.0.2.10", "pop3s://192.0.2.10"];
const BOTH: &[&str] = &["imap://192.0.2.10", "imaps://192.0.2.10", "pop3://192.0.2.10", "pop3s://192.0.2.10"];
const LMTP: &[&str] = &["lmtp://192.0.2.10"];
const HTTP: &[&str] = &["http://192.0.2.10", "https://192.0.2.10"];
/// Dovecot delivers what Postfix has taken, and shows it.
const SMTP: &[&str] = &["smtp://192.0.2.10"];

const LOGINS: &[Row] = &[
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
        asked: BOTH,
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

const HANGS: &str = "kill -STOP $(pgrep -x slapd)";
const GOES_ON: &str = "kill -CONT $(pgrep -x slapd)";

const MESSAGES: &[Row] = &[
    Row {
        what: "it serves no LMTP",
        by: &[Replace(DOVECOT, "port = 24", "port = 0")],
        asked: LMTP,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "its process has too little memory",
        by: &[Append(DOVECOT, "service lmtp {\nvsz_limit = 8M\n}")],
        asked: LMTP,
        level: "greet",
        told: ("down", "greet", ""),
    },
    Row {
        what: "a firewall puts Xs in place of a command that it does not know",
        by: &[Append(PROXY, "s/^LHLO/XXXX/")],
        asked: &["lmtp://192.0.2.10:2024"],
        level: "session",
        told: ("down", "lhlo", "500 5.5.1 Unknown command"),
    },
    Row {
        what: "the connection ends at QUIT",
        by: &[Append(PROXY, "/^QUIT/Q")],
        asked: &["lmtp://192.0.2.10:2024"],
        level: "session",
        told: ("down", "quit", "the server closed the connection"),
    },
    Row {
        what: "the connection ends at MAIL",
        by: &[Append(PROXY, "/^MAIL/Q")],
        asked: &["lmtp://192.0.2.10:2024"],
        level: "deliver",
        told: ("down", "mail", "the server closed the connection"),
    },
    Row {
        what: "it does not find the user",
        by: &[Replace(
            "/srv/ims/server5/msg-stork/dovecot/ldap.conf",
            "user_filter = (uid=%n)",
            "user_filter = (mail=%n)",
        )],
        asked: LMTP,
        level: "deliver",
        told: ("down", "rcpt", "550 5.1.1 <alice@example.test> User doesn't exist: alice"),
    },
    Row {
        what: "it may not write to the mailbox",
        by: &[Run("chmod 0 /srv/ims/server5/msg-stork/mail", "chmod 700 /srv/ims/server5/msg-stork/mail")],
        asked: LMTP,
        level: "deliver",
        told: ("down", "data", "451 4.2.0 <alice@example.test> Internal error occurred."),
    },
    Row {
        what: "it may not read the mailbox",
        by: &[Run("chmod 0 /srv/ims/server5/msg-stork/mail", "chmod 700 /srv/ims/server5/msg-stork/mail")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "fetch", "b2 NO [SERVERBUG] Internal error occurred."),
    },
    Row {
        what: "the mailbox takes another password",
        by: &[Append(SECRETS, "[imap]\nuser = 'alice'\npassword = 'bob-secret'")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "fetch", "a2 NO [AUTHENTICATIONFAILED] Authentication failed."),
    },
    Row {
        what: "it serves no IMAP",
        by: &[
            Replace(SECRETS, "192.0.2.10:2143", "192.0.2.10"),
            Replace(DOVECOT, "protocols = imap ", "protocols = "),
        ],
        asked: SMTP,
        level: "deliver",
        told: ("down", "fetch", "connection refused"),
    },
    Row {
        what: "who may read the mailbox may not delete in it",
        by: &[Append(
            DOVECOT,
            "protocol imap {\nmail_plugins = acl\n}\nplugin {\nacl = vfile:/srv/ims/acl\n}",
        )],
        asked: &["smtp://192.0.2.10", "submission://192.0.2.10", "smtps://192.0.2.10", "lmtp://192.0.2.10"],
        level: "deliver",
        told: ("down", "delete", "the message is still there after it was deleted"),
    },
    Row {
        what: "the connection ends at EXPUNGE",
        by: &[Append(PROXY, "/EXPUNGE/Q")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "delete", "the server closed the connection"),
    },
    Row {
        what: "the mailbox's connection ends at LOGOUT",
        by: &[Append(PROXY, "/LOGOUT/Q")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "logout", "the server closed the connection"),
    },
];

const PAGES: &[Row] = &[
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

const SECRETLY: &[Row] = &[
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
        told: ("down", "tls", "what came is not TLS"),
    },
];

fn drive(rows: &[Row], options: &[&str]) {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = farm(&bed);
    node.file("/srv/ims/acl", "INBOX owner lr\n");
    Farm { node: &node, asker: &node, options, renew: &renew }.drive(rows);
}

#[test]
fn dovecots_logins_are_told_of_at_the_stage_that_breaks() {
    drive(LOGINS, &OPTIONS);
}

#[test]
fn dovecots_mailboxes_are_told_of_at_the_stage_that_breaks() {
    drive(MESSAGES, &OPTIONS);
}

#[test]
fn dovecots_pages_are_told_of_at_the_stage_that_breaks() {
    drive(PAGES, &OPTIONS);
}

#[test]
fn dovecots_tls_is_told_of_at_the_stage_that_breaks() {
    drive(SECRETLY, &TLS);
}

//! Cyrus, as Debian has it, behind Exim.

use super::super::unpacked::{CYRUS, IMAPD, is_there, renew};
use super::Change::{Append, Replace, Run};
use super::exim::serving;
use super::farm::OPTIONS;
use super::{Farm, Row};
use crate::support::Bed;

const IMAP: &[&str] = &["imap://192.0.2.10", "imaps://192.0.2.10"];
const POP3: &[&str] = &["pop3://192.0.2.10", "pop3s://192.0.2.10"];
const CLEAR: &[&str] = &["imap://192.0.2.10", "lmtp://192.0.2.10", "pop3://192.0.2.10"];
const SECRET: &[&str] = &["imaps://192.0.2.10", "pop3s://192.0.2.10"];
const LMTP: &[&str] = &["lmtp://192.0.2.10"];
/// Cyrus delivers what Exim has taken, and shows it.
const BOTH: &[&str] = &["lmtp://192.0.2.10", "smtp://192.0.2.10"];

/// Gives alice other rights in her mailbox, as she may, and all of them again.
macro_rules! rights {
    ($rights:literal) => {
        Run(rights!(@ $rights), rights!(@ "lrswipkxtecdan"))
    };
    (@ $rights:literal) => {
        concat!(
            "printf 'a LOGIN alice alice-secret\\r\\nb SETACL INBOX alice ",
            $rights,
            "\\r\\nc LOGOUT\\r\\n' | socat -t 5 - TCP:192.0.2.10:143 | grep '^b OK'"
        )
    };
}

const LOGINS: &[Row] = &[
    Row {
        what: "it listens elsewhere",
        by: &[
            Replace(CYRUS, "listen=\"imap\"", "listen=\"127.0.0.1:143\""),
            Replace(CYRUS, "listen=\"pop3\"", "listen=\"127.0.0.1:110\""),
            Replace(CYRUS, "listen=\"192.0.2.10:24\"", "listen=\"127.0.0.1:24\""),
        ],
        asked: CLEAR,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "it may have no processes",
        by: &[
            Replace(CYRUS, "listen=\"imap\" prefork=0 maxchild=100", "listen=\"imap\" maxchild=0"),
            Replace(CYRUS, "listen=\"pop3\" prefork=0 maxchild=50", "listen=\"pop3\" maxchild=0"),
            Replace(CYRUS, ":24\" prefork=0 maxchild=20", ":24\" maxchild=0"),
        ],
        asked: CLEAR,
        level: "greet",
        told: ("down", "greet", "timed out after "),
    },
    Row {
        what: "its key is not where it was",
        by: &[Replace(IMAPD, "/etc/ssl/cyrus.key", "/etc/ssl/nowhere")],
        asked: SECRET,
        level: "greet",
        told: ("down", "tls", "the server closed the connection"),
    },
    Row {
        what: "it says that it speaks no IMAP",
        by: &[Append(IMAPD, "suppress_capabilities: IMAP4rev1")],
        asked: IMAP,
        level: "session",
        told: ("down", "capability", "CAPABILITY names no version of IMAP4"),
    },
    Row {
        what: "it is closed for today, and says so at the first command",
        by: &[Run("echo closed for today >/var/lib/cyrus/msg/shutdown", "rm /var/lib/cyrus/msg/shutdown")],
        asked: POP3,
        level: "session",
        told: ("down", "capability", "-ERR [SYS/TEMP] closed for today"),
    },
    Row {
        what: "it is closed for today, and says so after the login",
        by: &[Run("echo closed for today >/var/lib/cyrus/msg/shutdown", "rm /var/lib/cyrus/msg/shutdown")],
        asked: IMAP,
        level: "login",
        told: ("down", "logout", "* BYE [ALERT] closed for today"),
    },
    Row {
        what: "passwords are not where they were, by IMAP",
        by: &[Run("mv /etc/sasldb2 /etc/nowhere", "mv /etc/nowhere /etc/sasldb2")],
        asked: IMAP,
        level: "login",
        told: ("down", "auth", "a2 NO authentication failure"),
    },
    Row {
        what: "passwords are not where they were, by POP3",
        by: &[Run("mv /etc/sasldb2 /etc/nowhere", "mv /etc/nowhere /etc/sasldb2")],
        asked: POP3,
        level: "login",
        told: ("down", "auth", "-ERR [AUTH] authenticating: authentication failure"),
    },
    Row {
        what: "passwords go over TLS alone",
        by: &[Replace(IMAPD, "allowplaintext: yes", "allowplaintext: no")],
        asked: &["imap://192.0.2.10"],
        level: "login",
        told: ("unknown", "auth", "the server forbids LOGIN and offers no AUTH=PLAIN, and the others"),
    },
    Row {
        what: "she may not log in",
        by: &[Run("cyrus cyr_deny alice", "cyrus cyr_deny -a alice")],
        asked: &["imap://192.0.2.10", "pop3s://192.0.2.10"],
        level: "login",
        told: ("down", "auth", "authorization failure"),
    },
];

const DELIVERIES: &[Row] = &[
    Row {
        what: "LMTP is for those who log in",
        by: &[Replace(CYRUS, "lmtpd -a", "lmtpd")],
        asked: LMTP,
        level: "deliver",
        told: ("down", "mail", "430 Authentication required"),
    },
    Row {
        what: "domains have mailboxes of their own",
        by: &[Append(IMAPD, "virtdomains: userid")],
        asked: LMTP,
        level: "deliver",
        told: ("down", "rcpt", "550 Mailbox unknown."),
    },
    Row {
        what: "there is nowhere to put a message",
        by: &[Run("chmod 0 /var/spool/cyrus/mail/stage.", "chmod 700 /var/spool/cyrus/mail/stage.")],
        asked: LMTP,
        level: "deliver",
        told: ("down", "data", "421 4.3.0 lmtpd: Internal error: "),
    },
    Row {
        what: "nobody shows the mailbox",
        by: &[Replace(CYRUS, "\timap\t", "\t#imap\t")],
        asked: BOTH,
        level: "deliver",
        told: ("down", "fetch", "connection refused"),
    },
    Row {
        what: "she may not look into the mailbox",
        by: &[rights!("la")],
        asked: BOTH,
        level: "deliver",
        told: ("down", "fetch", "b2 NO Permission denied"),
    },
    Row {
        what: "she may delete nothing",
        by: &[rights!("lrsa")],
        asked: BOTH,
        level: "deliver",
        told: ("down", "delete", " NO Permission denied"),
    },
];

fn drive(rows: &[Row]) {
    if !is_there() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    Farm { node: &node, asker: &node, options: &OPTIONS, renew: &renew }.drive(rows);
}

#[test]
fn cyrus_is_told_of_at_the_stage_of_a_login_that_breaks() {
    drive(LOGINS);
}

#[test]
fn cyrus_is_told_of_at_the_stage_of_a_delivery_that_breaks() {
    drive(DELIVERIES);
}

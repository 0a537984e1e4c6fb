//! Dovecot's mailboxes, into which a message is delivered and out of which it is taken again.

use super::Change::{Append, Replace, Run};
use super::Row;
use super::farm::{DOVECOT, OPTIONS, PROXY, SECRETS, drive};

const LMTP: &[&str] = &["lmtp://192.0.2.10"];
/// Dovecot delivers what Postfix has taken, and shows it.
const SMTP: &[&str] = &["smtp://192.0.2.10"];

const TAKERS: &[&str] =
    &["smtp://192.0.2.10", "submission://192.0.2.10", "smtps://192.0.2.10", "lmtp://192.0.2.10"];
pub const MESSAGES: &[Row] = &[
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
        by: &[Append(PROXY, "s/^LHLO/NONE/")],
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
        asked: TAKERS,
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

/// The same where the mailbox is read by POP3.
pub const MAILDROPS: &[Row] = &[
    Row {
        what: "the mailbox takes another password",
        by: &[Append(SECRETS, "[pop3]\nuser = 'alice'\npassword = 'bob-secret'")],
        asked: TAKERS,
        level: "deliver",
        told: ("down", "fetch", "-ERR [AUTH] Authentication failed."),
    },
    Row {
        what: "a firewall puts Xs in place of DELE",
        by: &[Append(PROXY, "s/^DELE/NONE/")],
        asked: TAKERS,
        level: "deliver",
        told: ("down", "delete", "-ERR Unknown command: NONE"),
    },
    Row {
        what: "nothing is deleted",
        by: &[Append(PROXY, "s/^DELE [0-9]*/NOOP/")],
        asked: TAKERS,
        level: "deliver",
        told: ("down", "delete", "the message is still there after it was deleted"),
    },
];

#[test]
fn dovecots_mailboxes_are_told_of_at_the_stage_that_breaks() {
    drive(MESSAGES, &OPTIONS, "");
}

#[test]
fn dovecots_maildrops_are_told_of_at_the_stage_that_breaks() {
    drive(MAILDROPS, &OPTIONS, &format!("sed -i s,imap://192.0.2.10:2143,pop3://192.0.2.10:2110, {SECRETS}"));
}

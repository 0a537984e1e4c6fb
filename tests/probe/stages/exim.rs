//! Exim, as Debian has it, in front of Cyrus.

use super::super::certificates::{Authority, GOOD};
use super::super::real::answers;
use super::super::unpacked::{EXIM, IMAPD, MACROS, is_there, laid, renew, secure, start};
use super::Change::{Append, Replace, Run};
use super::farm::OPTIONS;
use super::{Farm, Row};
use crate::support::{Bed, Node};

const ALL: &[&str] = &["smtp://192.0.2.10", "submission://192.0.2.10", "smtps://192.0.2.10"];
const CLEAR: &[&str] = &["smtp://192.0.2.10", "submission://192.0.2.10"];
const SMTPS: &[&str] = &["smtps://192.0.2.10"];
const SMTP: &[&str] = &["smtp://192.0.2.10"];

const ROWS: &[Row] = &[
    Row {
        what: "it listens elsewhere",
        by: &[Replace(EXIM, "192.0.2.10.25 : 192.0.2.10.465 : 192.0.2.10.587", "127.0.0.1")],
        asked: ALL,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "its key is not where it was",
        by: &[Append(MACROS, "MAIN_TLS_PRIVATEKEY = /srv/ims/tls/nowhere")],
        asked: SMTPS,
        level: "greet",
        told: ("down", "tls", "the server closed the connection"),
    },
    Row {
        what: "it serves others alone",
        by: &[Append(MACROS, "host_reject_connection = *")],
        asked: CLEAR,
        level: "greet",
        told: ("down", "greet", "554 SMTP service not available"),
    },
    Row {
        what: "it serves others alone, and says so before TLS",
        by: &[Append(MACROS, "host_reject_connection = *")],
        asked: SMTPS,
        level: "greet",
        told: ("down", "tls", "what came is not TLS"),
    },
    Row {
        what: "names of clients are looked at",
        by: &[Append(MACROS, "acl_smtp_helo = deny")],
        asked: ALL,
        level: "session",
        told: ("down", "ehlo", "550 Administrative prohibition"),
    },
    Row {
        what: "logins are for others",
        by: &[Append(MACROS, "auth_advertise_hosts =")],
        asked: ALL,
        level: "login",
        told: ("down", "auth", "the server offers neither AUTH PLAIN nor AUTH LOGIN"),
    },
    Row {
        what: "the passwords are not where they were",
        by: &[Run("mv /etc/exim4/passwd /etc/exim4/nowhere", "mv /etc/exim4/nowhere /etc/exim4/passwd")],
        asked: ALL,
        level: "login",
        told: ("down", "auth", "435 Unable to authenticate at present"),
    },
    Row {
        what: "no room for the queue",
        by: &[Append(MACROS, "check_spool_space = 1000000G")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "mail", "452 Space shortage, please try later"),
    },
    Row {
        what: "recipients are looked at",
        by: &[Append(MACROS, "CHECK_RCPT_LOCAL_LOCALPARTS = alice")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "rcpt", "550 restricted characters in address"),
    },
    Row {
        what: "the command DATA is refused",
        by: &[Append(MACROS, "acl_smtp_predata = deny")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "data", "550 Administrative prohibition"),
    },
    Row {
        what: "the message is too large",
        by: &[Append(MACROS, "MESSAGE_SIZE_LIMIT = 100")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "data", "552 Message size exceeds maximum permitted"),
    },
    Row {
        what: "nobody takes it out of the queue",
        by: &[Append(MACROS, "queue_only = true")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "fetch", "timed out after "),
    },
    Row {
        what: "it goes where Debian's own setting puts it",
        by: &[Replace(EXIM, "dc_localdelivery='cyrus'", "dc_localdelivery='mail_spool'")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "fetch", "timed out after "),
    },
];

/// A node where all of it works, as often and as fast as these tests ask.
pub fn serving(bed: &Bed) -> Node {
    let node = laid(bed);
    let authority = Authority::new();
    secure(&node, &authority, &GOOD);
    node.file("/srv/ims/ca.pem", fs_err::read(authority.file()).unwrap());
    node.sh(&format!(
        "echo 'AUTH_SERVER_ALLOW_NOTLS_PASSWORDS = yes' >>{MACROS}
         sed -i 's/^popminpoll: 1/popminpoll: 0\\nfailedloginpause: 0/' {IMAPD}"
    ))
    .ok();
    start(&node);
    // The first login makes the mailbox.
    answers(&node, &[&["ims-probe", "imap://192.0.2.10", "--level", "login"][..], &OPTIONS].concat(), 0);
    node
}

#[test]
fn exim_is_told_of_at_the_stage_that_breaks() {
    if !is_there() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    Farm { node: &node, asker: &node, options: &OPTIONS, renew: &renew }.drive(ROWS);
}

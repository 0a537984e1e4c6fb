//! Postfix.

use super::Change::{Append, Replace};
use super::farm::{MAIN, MASTER, OPTIONS, TLS, farm, renew};
use super::{Farm, Row};
use crate::support::{Bed, needs_root};

const ALL: &[&str] = &["smtp://192.0.2.10", "submission://192.0.2.10", "smtps://192.0.2.10"];
const CLEAR: &[&str] = &["smtp://192.0.2.10", "submission://192.0.2.10"];
const SMTP: &[&str] = &["smtp://192.0.2.10"];

const SESSIONS: &[Row] = &[
    Row {
        what: "it listens elsewhere",
        by: &[
            Replace(MASTER, "smtp      inet", "10025 inet"),
            Replace(MASTER, "465 inet", "10465 inet"),
            Replace(MASTER, "587 inet", "10587 inet"),
        ],
        asked: ALL,
        level: "connect",
        told: ("down", "connect", "connection refused"),
    },
    Row {
        what: "its server is not where it was",
        by: &[Replace(MASTER, " smtpd", " smtpd-3.8")],
        asked: CLEAR,
        level: "greet",
        told: ("down", "greet", "timed out after 1s"),
    },
    Row {
        what: "its server is not where it was, and begins with TLS",
        by: &[Replace(MASTER, " smtpd", " smtpd-3.8")],
        asked: &["smtps://192.0.2.10"],
        level: "greet",
        told: ("down", "tls", "timed out after 1s"),
    },
    Row {
        what: "Dovecot's word on who may log in is looked for elsewhere",
        by: &[Append(MAIN, "smtpd_sasl_path = /run/ims/nowhere")],
        asked: CLEAR,
        level: "greet",
        // It ends each server that cannot ask, and waits before it starts the next.
        told: ("down", "greet", ""),
    },
    Row {
        what: "it serves others alone",
        by: &[Append(MAIN, "smtpd_delay_reject = no\nsmtpd_client_restrictions = reject")],
        asked: ALL,
        level: "greet",
        told: ("down", "greet", "554 5.7.1 "),
    },
    Row {
        what: "a setting that it does not know",
        by: &[Append(MAIN, "smtpd_delay_reject = no\nsmtpd_client_restrictions = permit_friends")],
        asked: ALL,
        level: "greet",
        told: ("down", "greet", "451 4.3.5 Server configuration error"),
    },
    Row {
        what: "names of clients are looked at",
        by: &[Append(MAIN, "smtpd_delay_reject = no\nsmtpd_helo_restrictions = reject")],
        asked: ALL,
        level: "session",
        told: ("down", "ehlo", ">: Helo command rejected: Access denied"),
    },
    Row {
        what: "QUIT is taken for something else",
        by: &[Append(MAIN, "smtpd_command_filter = regexp:/srv/ims/commands")],
        asked: ALL,
        level: "session",
        told: ("down", "quit", "500 5.5.2 Error: command not recognized"),
    },
    Row {
        what: "nobody may log in",
        by: &[Replace(MAIN, "smtpd_sasl_auth_enable = yes", "smtpd_sasl_auth_enable = no")],
        asked: ALL,
        level: "login",
        told: ("down", "auth", "the server offers neither AUTH PLAIN nor AUTH LOGIN"),
    },
];

const MESSAGES: &[Row] = &[
    Row {
        what: "senders are looked at",
        by: &[Append(MAIN, "smtpd_delay_reject = no\nsmtpd_sender_restrictions = reject")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "mail", "554 5.7.1 "),
    },
    Row {
        what: "no room for the queue",
        by: &[Append(MAIN, "queue_minfree = 1000000000000000")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "mail", "452 4.3.1 Insufficient system storage"),
    },
    Row {
        what: "recipients are looked at",
        by: &[Append(MAIN, "smtpd_recipient_restrictions = reject")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "rcpt", "554 5.7.1 "),
    },
    Row {
        what: "the directory of recipients is elsewhere",
        by: &[Replace(MAIN, "postfix/users.cf", "postfix/nowhere.cf")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "rcpt", "451 4.3.0 "),
    },
    Row {
        what: "the command DATA is refused",
        by: &[Append(MAIN, "smtpd_data_restrictions = reject")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "data", "554 5.7.1 <DATA>: Data command rejected: Access denied"),
    },
    Row {
        what: "the message is refused",
        by: &[Append(MAIN, "smtpd_end_of_data_restrictions = reject")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "data", "554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: Access denied"),
    },
    Row {
        what: "the message is too large",
        by: &[Append(MAIN, "message_size_limit = 100")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "data", "552 5.3.4 Error: message file too big"),
    },
    Row {
        what: "what looks into messages is not there",
        by: &[Append(MAIN, "cleanup_service_name = nowhere")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "rcpt", "timed out after 1s"),
    },
    Row {
        what: "it does not keep what it has taken",
        by: &[Append(MAIN, "virtual_transport = discard:")],
        asked: SMTP,
        level: "deliver",
        told: ("down", "fetch", "timed out after 1s"),
    },
];

const SECRETLY: &[Row] = &[
    Row {
        what: "it speaks no TLS",
        by: &[Append(MAIN, "smtpd_tls_security_level = none")],
        asked: CLEAR,
        level: "greet",
        told: ("down", "tls", "STARTTLS is not offered"),
    },
    Row {
        what: "it offers TLS and has no key",
        by: &[Append(MAIN, "smtpd_tls_key_file = /srv/ims/tls/nowhere.pem")],
        asked: CLEAR,
        level: "greet",
        told: ("down", "tls", "454 4.7.0 TLS not available due to local problem"),
    },
    Row {
        what: "it begins with TLS and has no key",
        by: &[Append(MAIN, "smtpd_tls_key_file = /srv/ims/tls/nowhere.pem")],
        asked: &["smtps://192.0.2.10"],
        level: "greet",
        // It closes or resets.
        told: ("down", "tls", "connection"),
    },
    Row {
        what: "its certificate has expired",
        by: &[Append(
            MAIN,
            "smtpd_tls_chain_files = /srv/ims/tls/expired.pem\nsmtpd_tls_cert_file =\nsmtpd_tls_key_file =",
        )],
        asked: ALL,
        level: "greet",
        told: ("down", "tls", "the certificate expired on "),
    },
    Row {
        what: "it speaks TLS of the last century",
        by: &[Append(MAIN, "smtpd_tls_protocols = TLSv1\nsmtpd_tls_mandatory_protocols = TLSv1")],
        asked: ALL,
        level: "greet",
        told: ("unknown", "tls", "ims-probe speaks TLS 1.2 and 1.3 with modern ciphers alone"),
    },
];

fn drive(rows: &[Row], options: &[&str]) {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = farm(&bed);
    node.file("/srv/ims/commands", "/^QUIT/ BYE\n");
    Farm { node: &node, asker: &node, options, renew: &renew }.drive(rows);
}

#[test]
fn postfixs_sessions_are_told_of_at_the_stage_that_breaks() {
    drive(SESSIONS, &OPTIONS);
}

#[test]
fn postfixs_messages_are_told_of_at_the_stage_that_breaks() {
    drive(MESSAGES, &OPTIONS);
}

#[test]
fn postfixs_tls_is_told_of_at_the_stage_that_breaks() {
    drive(SECRETLY, &TLS);
}

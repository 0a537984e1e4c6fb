//! Exim and Cyrus IMAP: servers that nobody tuned for, at every level, with TLS and without, and a message through both.

use std::time::Duration;

use serde_json::{Value, json};

use super::certificates::{Authority, GOOD, Wanted};
use super::login::tell;
use super::real::answers;
use super::unpacked::{IMAPD, MACROS, SECRETS, certify, is_there, laid, renew, secure, start, trust};
use super::verdict;
use crate::support::{Bed, Node, until};

const CLEAR: [&str; 4] = ["imap://192.0.2.10", "lmtp://192.0.2.10", "pop3://192.0.2.10", "smtp://192.0.2.10"];
const GREETINGS: [&str; 4] = [
    "* OK [CAPABILITY IMAP4rev1 ",
    "220 mail-1 Cyrus LMTP ",
    "+OK mail-1 Cyrus POP3 ",
    "220 mail-1 ESMTP Exim ",
];
const WITH_TLS: [&str; 7] = [
    "imap://192.0.2.10",
    "imaps://192.0.2.10",
    "pop3://192.0.2.10",
    "pop3s://192.0.2.10",
    "smtp://192.0.2.10",
    "smtps://192.0.2.10",
    "submission://192.0.2.10",
];
const SMTP: [&str; 3] = ["smtp://192.0.2.10", "smtps://192.0.2.10", "submission://192.0.2.10"];
const LOGIN: [&str; 4] = ["--level", "login", "--secrets", SECRETS];
const DELIVER: [&str; 6] = ["--level", "deliver", "--secrets", SECRETS, "--timeout", "30s"];
const TOO_SOON: &str = "-ERR [LOGIN-DELAY] Logins must be at least 1 minute apart";

fn ask(node: &Node, urls: &[&str], options: &[&[&str]], status: i32) -> Vec<Value> {
    let found = answers(node, &[&["ims-probe"], urls, &options.concat()].concat(), status);
    assert_eq!(found.len(), urls.len());
    found
}

fn told(found: &[Value]) -> Vec<(&str, &str)> {
    found.iter().map(|answer| (verdict(answer).0, verdict(answer).1)).collect()
}

/// What Cyrus has in the mailbox for its user.
fn messages(node: &Node) -> String {
    let told = node.sh("cyrus mbexamine user.alice").ok().stdout;
    told.lines().find_map(|line| line.trim().strip_prefix("Number of Messages: ")).unwrap().to_owned()
}

#[test]
fn exim_and_cyrus_as_debian_has_them_are_up_at_every_level() {
    if !is_there() {
        return;
    }
    let bed = Bed::new();
    let node = laid(&bed);
    start(&node);
    for level in ["connect", "greet", "session"] {
        let found = ask(&node, &CLEAR, &[&["--level", level]], 0);
        for (answer, greeting) in found.iter().zip(GREETINGS) {
            let greets = level == "connect" || verdict(answer).2.starts_with(greeting);
            assert!(answer["level"] == level && greets, "{answer}");
        }
    }

    // Whoever comes first has his mailbox made, and two at once are in each other's way.
    ask(&node, &["imap://192.0.2.10"], &[&LOGIN], 0);
    // Cyrus lets nobody read mail by POP3 twice in a minute, which says nothing about Cyrus.
    let found = ask(&node, &CLEAR, &[&LOGIN], 0);
    let levels: Vec<&str> = found.iter().map(|answer| answer["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["login", "session", "login", "login"]);
    let found = ask(&node, &CLEAR, &[&LOGIN], 3);
    assert_eq!(told(&found), [("up", "-"), ("up", "-"), ("unknown", "auth"), ("up", "-")]);
    assert_eq!(verdict(&found[2]).2, TOO_SOON);

    // It is told of a message by IDLE once a minute alone.
    for answer in ask(&node, &["lmtp://192.0.2.10", "smtp://192.0.2.10"], &[&DELIVER], 0) {
        assert_eq!(answer["level"], "deliver");
    }
    assert!(messages(&node).starts_with("0 "), "{}", messages(&node));

    // The message may be there by now, and by POP3 it is not known.
    trust(&node, "pop3://192.0.2.10");
    let found = ask(&node, &["smtp://192.0.2.10"], &[&DELIVER[..4], &["--timeout", "3s"]], 3);
    assert_eq!(verdict(&found[0]), ("unknown", "fetch", TOO_SOON));

    tell(&node, "[default]\nuser = 'alice'\npassword = 'bob-secret'\n");
    let found = ask(&node, &["imap://192.0.2.10", "pop3://192.0.2.10", "smtp://192.0.2.10"], &[&LOGIN], 1);
    assert_eq!(verdict(&found[0]), ("down", "auth", "a2 NO authentication failure"));
    assert_eq!(verdict(&found[1]), ("down", "auth", "-ERR [AUTH] authenticating: authentication failure"));
    assert_eq!(verdict(&found[2]), ("down", "auth", "535 Incorrect authentication data"));

    // Exim without a certificate makes itself one; Cyrus has no TLS then.
    let found = ask(&node, &CLEAR, &[&["--tls", "try"]], 3);
    assert_eq!(told(&found), [("up", "-"), ("up", "-"), ("up", "-"), ("partial", "tls")]);
    assert_eq!(found[3]["findings"], json!(["certificate_not_trusted", "certificate_name"]));
    for answer in &ask(&node, &CLEAR[..3], &[&["--tls", "require"]], 1) {
        assert_eq!(verdict(answer), ("down", "tls", "STARTTLS is not offered"), "{answer}");
    }
}

#[test]
fn a_message_goes_from_exim_to_cyrus_and_out_again_over_tls() {
    if !is_there() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (laid(&bed), bed.client());
    let authority = Authority::new();
    secure(&node, &authority, &GOOD);
    node.sh(&format!("sed -i 's/^popminpoll: 1/popminpoll: 0/' {IMAPD}")).ok();
    start(&node);
    trust(&client, "imaps://192.0.2.10");
    client.file("/srv/ca.pem", fs_err::read(authority.file()).unwrap());
    let require = ["--ca", "/srv/ca.pem", "--tls", "require"];
    // Whoever comes first has his mailbox made, and two at once are in each other's way.
    ask(&client, &["imap://192.0.2.10"], &[&require, &LOGIN], 0);
    for level in ["greet", "session", "login"] {
        let found = ask(&client, &WITH_TLS, &[&require, &LOGIN[2..], &["--level", level]], 0);
        for answer in found {
            let tls = &answer["tls"];
            let good = json!([level, "up", true, true]);
            assert_eq!(json!([answer["level"], answer["state"], tls["trusted"], tls["name_ok"]]), good);
        }
    }
    // As Debian has it, Exim knows of logins over TLS alone.
    let found = ask(&client, &["smtp://192.0.2.10"], &[&LOGIN, &["--tls", "off"]], 1);
    let words = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
    assert_eq!(verdict(&found[0]), ("down", "auth", words));

    for fetch in ["imap", "imaps", "pop3", "pop3s"] {
        trust(&client, &format!("{fetch}://192.0.2.10"));
        for url in SMTP {
            let found = ask(&client, &[url], &[&require, &DELIVER], 0);
            assert_eq!(
                (verdict(&found[0]).0, &found[0]["level"]),
                ("up", &json!("deliver")),
                "{url} {fetch}"
            );
        }
    }
    assert!(messages(&node).starts_with("0 "), "{}", messages(&node));

    certify(&node, &authority, &Wanted { until: -3600, ..GOOD });
    renew(&node, MACROS);
    renew(&node, IMAPD);
    let mut found = Vec::new();
    let is_told = || {
        found = client
            .run([&["ims-probe", "--ca", "/srv/ca.pem", "--tls", "try"], &WITH_TLS[..]].concat())
            .records();
        found.iter().all(|answer| {
            (verdict(answer).0, verdict(answer).1) == ("partial", "tls")
                && answer["findings"] == json!(["certificate_expired"])
        })
    };
    assert!(until(Duration::from_secs(20), is_told), "{found:?}");
}

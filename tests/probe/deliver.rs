//! The level `deliver`, with real servers: a message goes the whole circle and nothing of it is left.

use std::time::Duration;

use serde_json::Value;

use super::login::{ALICE, secrets, serving, tell};
use super::real::{STORK, answers};
use super::servers::{Say, Server};
use super::{run, verdict};
use crate::support::{Bed, Node, needs_root, until};
use Say::Bytes;

const PROBE: [&str; 7] =
    ["ims-probe", "smtp://192.0.2.10", "--level", "deliver", "--secrets", "/srv/ims/probe.toml", "--timeout"];

fn probe(node: &Node, timeout: &str, status: i32) -> Value {
    let found = answers(node, &[&PROBE[..], &[timeout]].concat(), status);
    found.into_iter().next().unwrap()
}

/// What is in alice's mailbox, a line a message.
fn mailbox(node: &Node) -> String {
    node.sh(&format!("doveadm -c {STORK}/dovecot/dovecot.conf search -u alice all")).ok().stdout
}

/// Has Postfix go by another setting from now on.
fn postfix(node: &Node, setting: &str) {
    let main = format!("{STORK}/postfix/main.cf");
    node.sh(&format!(
        "sed -i '/# broken/,$d' {main}; printf '# broken\\n%s\\n' '{setting}' >>{main}
         touch -d '10 seconds ago' {main}; postfix -c {STORK}/postfix reload"
    ))
    .ok();
}

#[test]
fn a_message_goes_the_whole_circle_and_leaves_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    tell(&node, &format!("{ALICE}[deliver]\nto = 'alice@example.test'\n"));
    let whole = probe(&node, "20s", 0);
    assert_eq!((verdict(&whole).0, &whole["level"]), ("up", &"deliver".into()));
    let stages: Vec<&str> =
        whole["steps"].as_array().unwrap().iter().map(|step| step["stage"].as_str().unwrap()).collect();
    let all =
        ["connect", "greet", "ehlo", "auth", "mail", "rcpt", "data", "quit", "fetch", "delete", "logout"];
    assert_eq!(stages, all);
    assert_eq!(mailbox(&node), "");

    // The services of an instance that take no mail are asked for a login.
    let found = answers(&node, &[&["ims-probe", "stork"], &PROBE[2..], &["20s"]].concat(), 0);
    let levels: Vec<&str> = found.iter().map(|answer| answer["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["login", "login", "login", "deliver"]);

    // A server that tells nothing by itself, and cannot delete one message alone; and LMTP in place of SMTP.
    let plain = format!("{STORK}/dovecot/dovecot.conf");
    node.sh(&format!("printf 'imap_capability = IMAP4rev1\nservice lmtp {{\n  inet_listener lmtp {{\n    port = 24\n  }}\n}}\n' >>{plain}; doveadm -c {plain} reload")).ok();
    assert_eq!(verdict(&probe(&node, "20s", 0)).0, "up");
    let lmtp = [&["ims-probe", "lmtp://192.0.2.10"], &PROBE[2..], &["20s"]].concat();
    assert_eq!(answers(&node, &lmtp, 0)[0]["level"], "deliver");
    assert_eq!(mailbox(&node), "");

    // Where nobody may look for it, nothing is sent: the mailbox is elsewhere, or its login is not known.
    tell(&node, &format!("{ALICE}[deliver]\nto = 'alice@example.test'\nfetch = 'imap://192.0.2.99'\n"));
    let told = (
        "unknown",
        "fetch",
        "a password is not sent unencrypted to another node (ask for TLS with --tls require, or say --tls off)",
    );
    assert_eq!(verdict(&probe(&node, "20s", 4)), told);
    tell(&node, "[smtp]\nlogin = false\n[deliver]\nto = 'alice@example.test'\n");
    assert_eq!(
        verdict(&probe(&node, "20s", 3)),
        ("unknown", "fetch", "the secrets name nobody who logs in here")
    );
    tell(&node, &format!("{ALICE}[deliver]\nto = 'alice@example.test'\n"));
    assert_eq!(mailbox(&node), "");

    // A message that does not come in time is deleted by a later probe.
    postfix(&node, "virtual_transport = lmtp:unix:/run/ims/nowhere");
    let is_late = || {
        let found = node.run([&PROBE[..], &["2s"]].concat()).records();
        verdict(&found[0]) == ("down", "fetch", "timed out after 2s")
    };
    assert!(until(Duration::from_secs(20), is_late), "Postfix does not go by its new setting");
    postfix(&node, "");
    node.sh(&format!("postqueue -c {STORK}/postfix -f")).ok();
    assert!(until(Duration::from_secs(30), || mailbox(&node).lines().count() == 1), "it comes late");
    let is_cleaned = || {
        probe(&node, "20s", 0);
        mailbox(&node).is_empty()
    };
    assert!(until(Duration::from_secs(10), is_cleaned), "it is deleted once its own probe's time is over");
}

#[test]
fn where_a_message_goes_is_said_by_the_secrets_alone() {
    let script = &[
        ("", Bytes(b"220 mail-1\r\n")),
        ("EHLO", Bytes(b"250 mail-1\r\n")),
        ("QUIT", Bytes(b"221 bye\r\n")),
    ];
    let (_folder, file) = secrets("[smtp]\nlogin = false\n");
    let url = Server::scripted(script).url("smtp");
    let run = run(&[&url, "--level", "deliver", "--secrets", &file, "--timeout", "5s"]);
    let told = ("unknown", "mail", "the secrets do not say where a message goes");
    assert_eq!((verdict(&run.records[0]), run.code), (told, 3));
}

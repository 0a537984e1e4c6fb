//! Passwords and messages for Postfix, Dovecot and `OpenLDAP` on another node: over TLS, in the clear where the user
//! says so, or not at all.

use serde_json::{Value, json};

use super::certificates::{Authority, GOOD, Wanted};
use super::login::{ALICE, let_in, serving, tell};
use super::real::{STORK, answers, laid};
use super::real_tls::{ask, certify, configure, restart, start};
use super::verdict;
use crate::support::{Bed, Node, needs_root};

const PLAIN: [&str; 4] = ["imap", "ldap", "pop3", "smtp"];
const SECRET: [&str; 4] = ["imaps", "ldaps", "pop3s", "smtps"];
const LOGIN: [&str; 4] = ["--level", "login", "--secrets", "/srv/ims/probe.toml"];
const DELIVER: [&str; 6] = ["--level", "deliver", "--secrets", "/srv/ims/probe.toml", "--timeout", "20s"];
const CA: [&str; 2] = ["--ca", "/srv/ca.pem"];
const NOT_SENT: &str =
    "a password is not sent unencrypted to another node (ask for TLS with --tls require, or say --tls off)";
const OURS: &str = "[deliver]\nto = 'alice@example.test'\n";

/// A node whose servers have a certificate, and another one that trusts its authority.
fn secured(bed: &Bed, authority: &Authority) -> (Node, Node) {
    let (node, client) = (laid(bed), bed.client());
    let_in(&node);
    certify(&node, authority, &GOOD);
    configure(&node);
    start(&node);
    client.file("/srv/ca.pem", fs_err::read(authority.file()).unwrap());
    tell(&client, &format!("{ALICE}{OURS}"));
    (node, client)
}

fn probe(client: &Node, url: &str, options: &[&[&str]], status: i32) -> Value {
    let words = [&["ims-probe", url], &options.concat()[..]].concat();
    answers(client, &words, status).remove(0)
}

fn stages(answer: &Value) -> Vec<&str> {
    answer["steps"].as_array().unwrap().iter().map(|step| step["stage"].as_str().unwrap()).collect()
}

/// Where a login is decided on.
fn login_stage(service: &str) -> &str {
    if service.starts_with("ldap") { "bind" } else { "auth" }
}

/// All that a run sends, as strace(1) shows it.
fn sent(client: &Node, words: &[&str]) -> String {
    let calls = "trace=write,writev,sendto,sendmsg,sendmmsg";
    let strace = ["strace", "-f", "-s", "4096", "-e", calls, "-o", "/tmp/sent"];
    client.run([&strace[..], words].concat());
    let sent = client.read("/tmp/sent").unwrap();
    assert!(sent.contains("ims.answer/1"), "{sent}");
    sent
}

#[test]
fn a_login_over_tls_succeeds_with_the_right_password_and_trust_alone() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let authority = Authority::new();
    let (node, client) = secured(&bed, &authority);
    let is_up = |service: &str, answer: &Value| {
        assert_eq!((verdict(answer).0, &answer["level"]), ("up", &"login".into()), "{service}: {answer}");
        assert_eq!(json!([answer["tls"]["trusted"], answer["tls"]["name_ok"]]), json!([true, true]));
        assert!(stages(answer).contains(&"tls"), "{service}: {answer}");
    };
    for (schemes, mode) in [
        (&PLAIN, &["--tls", "require"][..]),
        (&PLAIN, &["--tls", "try"]),
        (&SECRET, &["--tls", "require"]),
        (&SECRET, &["--tls", "off"]),
        (&SECRET, &[]),
    ] {
        ask(&client, schemes, &[&LOGIN[..], &CA, mode].concat(), 0, is_up);
    }

    tell(&client, &ALICE.replace("alice-secret", "bob-secret"));
    for schemes in [PLAIN, SECRET] {
        ask(&client, &schemes, &[&LOGIN[..], &CA, &["--tls", "require"]].concat(), 1, |service, answer| {
            let at = login_stage(service);
            assert_eq!((verdict(answer).0, verdict(answer).1), ("down", at), "{service}: {answer}");
            assert_eq!(answer["tls"]["trusted"], true, "{service}");
            assert!(!answer.to_string().contains("bob-secret"), "{service}: {answer}");
        });
    }

    // Who insists on a certificate that verifies tells its password to no other.
    tell(&client, ALICE);
    let before = logins(&node);
    certify(&node, &authority, &Wanted { until: -3600, ..GOOD });
    restart(&node);
    for schemes in [PLAIN, SECRET] {
        ask(&client, &schemes, &[&LOGIN[..], &CA, &["--tls", "require"]].concat(), 1, |service, answer| {
            assert_eq!((verdict(answer).0, verdict(answer).1), ("down", "tls"), "{service}: {answer}");
        });
    }
    assert_eq!(logins(&node), before);
}

/// The logins that the mail servers have noted.
fn logins(node: &Node) -> Vec<String> {
    let log = |name: &str| node.read(format!("{STORK}/log/{name}.log")).unwrap();
    let is_login = |line: &&str| {
        line.contains("Login: user=") || line.contains("sasl_username=") || line.contains(" auth=")
    };
    let all = log("dovecot") + &log("postfix");
    let found: Vec<String> = all.lines().filter(is_login).map(str::to_owned).collect();
    assert!(!found.is_empty(), "{all}");
    found
}

#[test]
fn a_message_goes_over_tls_both_ways() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let authority = Authority::new();
    let (node, client) = secured(&bed, &authority);
    let require = ["--tls", "require"];
    for (url, fetch) in [
        ("smtp://192.0.2.10", ""),
        ("smtp://192.0.2.10", "fetch = 'imaps://192.0.2.10'\n"),
        ("smtps://192.0.2.10", ""),
        ("smtps://192.0.2.10", "fetch = 'imaps://192.0.2.10'\n"),
        ("lmtp://192.0.2.10", ""),
    ] {
        tell(&client, &format!("{ALICE}{OURS}{fetch}"));
        let answer = probe(&client, url, &[&DELIVER, &CA, &require], 0);
        assert_eq!((verdict(&answer).0, &answer["level"]), ("up", &"deliver".into()), "{url} {fetch}");
        assert!(["tls", "fetch", "delete"].iter().all(|stage| stages(&answer).contains(stage)), "{answer}");
    }

    // What is told of TLS is the target's, not the mailbox's.
    tell(&client, &format!("{ALICE}{OURS}fetch = 'imaps://192.0.2.10'\n"));
    let answer = probe(&client, "smtp://192.0.2.10", &[&DELIVER, &CA, &["--tls", "off"]], 0);
    assert_eq!((&answer["tls"], stages(&answer).contains(&"tls")), (&Value::Null, true), "{answer}");

    // The mailbox by TLS from the first byte needs no word for it; by STARTTLS it does, before a message is there.
    assert_eq!(verdict(&probe(&client, "smtps://192.0.2.10", &[&DELIVER, &CA], 0)).0, "up");
    tell(&client, &format!("{ALICE}{OURS}"));
    let told = ("unknown", "fetch", NOT_SENT);
    assert_eq!(verdict(&probe(&client, "smtps://192.0.2.10", &[&DELIVER, &CA], 4)), told);

    tell(&client, &format!("{}{OURS}", ALICE.replace("alice-secret", "bob-secret")));
    let answer = probe(&client, "smtp://192.0.2.10", &[&DELIVER, &CA, &require], 1);
    assert_eq!((verdict(&answer).0, verdict(&answer).1), ("down", "auth"), "{answer}");

    let mailbox = format!("doveadm -c {STORK}/dovecot/dovecot.conf search -u alice all");
    assert_eq!(node.sh(&mailbox).ok().stdout, "");
}

#[test]
fn a_password_goes_to_another_node_in_the_clear_only_when_the_user_says_so() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    serving(&bed);
    let client = bed.client();
    tell(&client, &format!("{ALICE}{OURS}"));
    // As PLAIN says it, and as it is in a bind.
    let passwords = ["AGFsaWNlAGFsaWNlLXNlY3JldA==", "alice-secret"];

    // `try` goes on without TLS where none is offered, but not with a password.
    for mode in [&[][..], &["--tls", "try"]] {
        ask(&client, &PLAIN, &[&LOGIN[..], mode].concat(), 4, |service, answer| {
            assert_eq!(verdict(answer), ("unknown", login_stage(service), NOT_SENT), "{service}");
        });
        for scheme in PLAIN {
            let url = format!("{scheme}://192.0.2.10");
            let sent = sent(&client, &[&["ims-probe", &url], &LOGIN[..], mode].concat());
            for secret in ["AUTH ", "LOGIN \\\"", "USER ", "alice", passwords[0]] {
                assert!(!sent.contains(secret), "{scheme} {mode:?}: {secret} in {sent}");
            }
        }
        let answer = probe(&client, "smtp://192.0.2.10", &[&DELIVER, mode], 4);
        assert_eq!((verdict(&answer).0, verdict(&answer).1), ("unknown", "fetch"), "{answer}");
    }

    let off = ["--tls", "off"];
    ask(&client, &PLAIN, &[&LOGIN[..], &off].concat(), 0, |service, answer| {
        assert_eq!((verdict(answer).0, &answer["level"]), ("up", &"login".into()), "{service}: {answer}");
        assert_eq!(answer["tls"], Value::Null, "{service}");
    });
    for scheme in PLAIN {
        let url = format!("{scheme}://192.0.2.10");
        let sent = sent(&client, &[&["ims-probe", &url], &LOGIN[..], &off].concat());
        assert!(passwords.iter().any(|password| sent.contains(password)), "{scheme}: {sent}");
    }
    let answer = probe(&client, "smtp://192.0.2.10", &[&DELIVER, &off], 0);
    assert_eq!((verdict(&answer).0, &answer["tls"]), ("up", &Value::Null), "{answer}");
}

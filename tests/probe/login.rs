//! The level `login` of real servers.

use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use tempfile::TempDir;

use super::real::{STORK, answers, laid, signal, start};
use super::verdict;
use crate::support::{Bed, Node, needs_root};

/// A file of secrets in a folder of its own.
pub(super) fn secrets(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probe.toml");
    fs_err::write(&path, text).unwrap();
    fs_err::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let name = path.to_str().unwrap().to_owned();
    (folder, name)
}

/// A node whose Postfix asks Dovecot who may log in.
pub(super) fn serving(bed: &Bed) -> Node {
    let node = laid(bed);
    let_in(&node);
    start(&node);
    node
}

/// Has Postfix ask Dovecot who may log in.
pub(super) fn let_in(node: &Node) {
    let sasl = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = /run/ims/stork/dovecot/sasl\n";
    let listener = "service auth {\n  unix_listener sasl {\n    user = postfix\n    mode = 0600\n  }\n}\n";
    node.sh(&format!(
        "printf '{sasl}' >>{STORK}/postfix/main.cf; touch -d '10 seconds ago' {STORK}/postfix/main.cf\n\
         printf '{listener}' >>{STORK}/dovecot/dovecot.conf"
    ))
    .ok();
}

/// Lays a file of secrets on a node.
pub(super) fn tell(node: &Node, text: &str) {
    node.sh("mkdir -p /srv/ims").ok();
    let path = node.path("/srv/ims/probe.toml");
    fs_err::write(&path, text).unwrap();
    fs_err::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
}

pub(super) const ALICE: &str = "[default]\nuser = 'alice'\npassword = 'alice-secret'\n\
                     [ldap]\nuser = 'uid=alice,ou=people,dc=example,dc=test'\npassword = 'alice-secret'\n";

#[test]
fn real_servers_let_a_user_in_and_are_down_where_they_do_not() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    let probe = ["ims-probe", "stork", "--level", "login", "--secrets", "/srv/ims/probe.toml"];
    let told = |found: &[serde_json::Value]| -> Vec<(String, String, String)> {
        let of = |answer: &serde_json::Value| {
            let (is, at, _) = verdict(answer);
            (answer["service"].as_str().unwrap().to_owned(), is.to_owned(), at.to_owned())
        };
        found.iter().map(of).collect()
    };
    let all = |state: &str, stages: [&str; 4]| -> Vec<(String, String, String)> {
        let services = ["imap", "ldap", "pop3", "smtp"].into_iter().zip(stages);
        services.map(|(service, stage)| (service.to_owned(), state.to_owned(), stage.to_owned())).collect()
    };

    tell(&node, ALICE);
    let found = answers(&node, &probe, 0);
    assert_eq!(told(&found), all("up", ["-"; 4]));
    assert!(found.iter().all(|answer| answer["level"] == "login"));

    // No password leaves the node in the clear.
    let client = bed.client();
    tell(&client, ALICE);
    let urls = ["imap://192.0.2.10", "ldap://192.0.2.10", "pop3://192.0.2.10", "smtp://192.0.2.10"];
    let found = answers(&client, &[&["ims-probe"][..], &urls, &probe[2..]].concat(), 4);
    assert_eq!(told(&found), all("unknown", ["auth", "bind", "auth", "auth"]));
    assert_eq!(verdict(&found[0]).2, "a password is not sent unencrypted to another node");

    // A wrong password.
    tell(&node, &ALICE.replace("alice-secret", "bob-secret"));
    let found = answers(&node, &probe, 1);
    assert_eq!(told(&found), all("down", ["auth", "bind", "auth", "auth"]));
    assert!(found.iter().all(|answer| !answer.to_string().contains("bob-secret")));
    assert!(verdict(&found[1]).2.starts_with("InvalidCredentials"));

    // A directory that holds something else than was to be found.
    for (search, words) in [
        ("base = 'ou=nowhere,dc=example,dc=test'\n", "NoSuchObject"),
        ("base = 'dc=example,dc=test'\nfilter = '(uid=frank)'\n", "nothing found: dc=example,dc=test"),
    ] {
        tell(&node, &format!("{ALICE}{search}"));
        let found = answers(&node, &[&probe[..], &["--part", "directory"]].concat(), 1);
        assert_eq!(verdict(&found[0]), ("down", "search", words));
    }
    tell(&node, &format!("{ALICE}base = 'dc=example,dc=test'\nfilter = '(objectClass=inetOrgPerson)'\n"));
    answers(&node, &[&probe[..], &["--part", "directory"]].concat(), 0);

    // The directory hangs, which mail servers ask who may log in; for a session they need it not.
    tell(&node, ALICE);
    signal(&node, "slapd", Signal::STOP);
    let mail = [&probe[..], &["--part", "mail", "--timeout", "2s"]].concat();
    let found = answers(&node, &mail, 1);
    for answer in &found {
        assert_eq!((verdict(answer).0, verdict(answer).1), ("down", "auth"), "{answer}");
    }
    answers(&node, &["ims-probe", "stork", "--part", "mail"], 0);
    signal(&node, "slapd", Signal::CONT);
}

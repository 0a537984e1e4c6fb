//! The level `login` of real servers.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::real::{STORK, answers, laid, start};
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
fn every_server_of_an_instance_lets_a_user_in() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    tell(&node, ALICE);
    let probe = ["ims-probe", "stork", "--level", "login", "--secrets", "/srv/ims/probe.toml"];
    let found = answers(&node, &probe, 0);
    let told: Vec<[&str; 2]> =
        found.iter().map(|answer| ["service", "level"].map(|key| answer[key].as_str().unwrap())).collect();
    assert_eq!(told, ["imap", "ldap", "pop3", "smtp"].map(|service| [service, "login"]));

    // More than one entry is as good as one.
    tell(&node, &format!("{ALICE}base = 'dc=example,dc=test'\nfilter = '(objectClass=inetOrgPerson)'\n"));
    answers(&node, &[&probe[..], &["--part", "directory"]].concat(), 0);
}

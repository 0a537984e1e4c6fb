//! The end of a delivery with Postfix and Dovecot, by POP3.

use std::time::Duration;

use serde_json::{Value, json};

use super::login::{ALICE, serving, tell};
use super::real::{STORK, answers};
use super::verdict;
use crate::support::{Bed, Node, needs_root, until};

const PROBE: [&str; 7] =
    ["ims-probe", "smtp://192.0.2.10", "--level", "deliver", "--secrets", "/srv/ims/probe.toml", "--timeout"];

#[test]
fn a_message_is_fetched_by_pop3_and_a_mailbox_in_use_is_waited_for() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    let dovecot = format!("{STORK}/dovecot/dovecot.conf");
    node.sh(&format!(
        "printf 'protocol pop3 {{\n  pop3_lock_session = yes\n}}\n' >>{dovecot}; doveadm -c {dovecot} reload"
    ))
    .ok();
    tell(&node, &format!("{ALICE}[deliver]\nto = 'alice@example.test'\nfetch = 'pop3://192.0.2.10'\n"));
    let whole = answers(&node, &[&PROBE[..], &["20s"]].concat(), 0).remove(0);
    let stages: Vec<&str> =
        whole["steps"].as_array().unwrap().iter().map(|step| step["stage"].as_str().unwrap()).collect();
    let all = ["connect", "greet", "ehlo", "auth", "mail", "rcpt", "data", "quit", "fetch", "delete"];
    assert_eq!(stages, all);
    assert_eq!(mailbox_of_alice(&node), "");

    // Somebody else has the mailbox open until the prober waits for it, or for longer than the prober does.
    let hold = "exec 3<>/dev/tcp/192.0.2.10/110; printf 'USER alice\\r\\nPASS alice-secret\\r\\n' >&3
         for line in 1 2 3; do read -r told <&3; done; case $told in +OK*) ;; *) echo \"$told\" >&2; exit 99; esac";
    let probe = PROBE.join(" ");
    let waits = "until test $(ss -Htn state established '( sport = :110 )' | wc -l) -ge 2; do :; done";
    let script = format!("{hold}; {probe} 20s & {waits}; printf 'QUIT\\r\\n' >&3; wait $!");
    answers(&node, &["timeout", "30", "bash", "-c", &script], 0);
    let script = format!("{hold}; {probe} 2s");
    let found = answers(&node, &["bash", "-c", &script], 1).remove(0);
    assert_eq!(verdict(&found), ("down", "fetch", "timed out after 2s"), "{found}");

    // It comes twice, by two names of one mailbox.
    let main = format!("{STORK}/postfix/main.cf");
    node.sh(&format!(
        "printf '%s\\n' 'always_bcc = alice@copy.test' 'virtual_mailbox_domains = example.test, copy.test' \
           'virtual_mailbox_maps =' >>{main}
         touch -d '10 seconds ago' {main}; postfix -c {STORK}/postfix reload"
    ))
    .ok();
    for mailbox in ["pop3", "imap"] {
        let fetch = format!("fetch = '{mailbox}://192.0.2.10'");
        tell(&node, &format!("{ALICE}[deliver]\nto = 'alice@example.test'\n{fetch}\n"));
        // Postfix may not have read its configuration yet, or send the second one when the first is gone.
        let mut found = Value::Null;
        let is_partial = || {
            node.sh(&format!("doveadm -c {dovecot} expunge -u alice mailbox INBOX all")).ok();
            found = node.run([&PROBE[..], &["20s"]].concat()).records().remove(0);
            verdict(&found).0 == "partial"
        };
        assert!(until(Duration::from_secs(20), is_partial), "{found}");
        assert_eq!(verdict(&found), ("partial", "fetch", "the message came 2 times"), "{found}");
        assert_eq!(found["findings"], json!(["delivered_twice"]));
        assert_eq!(mailbox_of_alice(&node), "", "{mailbox}");
    }
}

fn mailbox_of_alice(node: &Node) -> String {
    node.sh(&format!("doveadm -c {STORK}/dovecot/dovecot.conf search -u alice all")).ok().stdout
}

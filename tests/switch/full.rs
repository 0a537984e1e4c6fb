//! `ims-switch` where nothing can be written any more: what only tells later runs something holds nobody back.

use rustix::process::{Pid, Signal, kill_process};

use super::lab::*;
use super::mail::{self, SERVERS, running, servers_are_on};
use crate::support::*;

/// Leaves no room below a folder of a node until it restarts.
fn fill(node: &Node, folder: &str) {
    node.sh(&format!(
        "mkdir -p {folder}; mount -t tmpfs -o size=64k none {folder}; mkdir -p {folder}/lock; \
         ! dd if=/dev/zero of={folder}/fill bs=4k 2>/dev/null"
    ))
    .ok();
}

#[test]
fn a_full_disk_keeps_no_group_on_the_node_where_it_fails_nor_from_the_one_that_is_left() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.group(&mail::group().replace("instance = \"stork\"", "instance = \"stork\"\nrestart_limit = 0"));
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    fill(&lab.mail_1, "/var/lib/ims");
    let reacting = lab.mail_1.spawn(["sh", "-c", "sleep 600 | exec ims-switch react IMS-RG"]);
    let is_watched =
        || lab.mail_1.sh("ls -l /proc/[0-9]*/fd 2>&1 | grep -c pidfd || true").ok().stdout != "0\n";
    assert!(until(SOON, is_watched));
    let first = Pid::from_raw(running(&lab.mail_1, SERVERS[0])[0].cast_signed()).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    let is_decided = reacting.until_stdout(SOON, |text| text.contains("ims.decision/1"));
    assert!(is_decided, "{} {}", reacting.stdout(), reacting.stderr());
    assert!(reacting.stdout().contains("\"decision\":\"giveover\""), "{}", reacting.stdout());
    assert!(reacting.stdout().contains("\"status\":\"ok\""), "{}", reacting.stdout());
    assert!(reacting.stderr().contains("cannot write the journal: No space left"), "{}", reacting.stderr());
    servers_are_on(&lab, Some(&lab.mail_2));
    reacting.signal(Signal::TERM);

    lab.mail_2.power_cut();
    let ran = lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    assert_eq!(ran.stderr.matches("cannot write the journal").count(), 1, "told once: {ran}");
    servers_are_on(&lab, Some(&lab.mail_1));
    // Killed on the way it would be finished by the journal alone.
    lab.mail_1.run(["ims-switch", "restart", "IMS-RG"]).status_is(5);
    servers_are_on(&lab, Some(&lab.mail_1));
}

#[test]
fn what_was_said_of_a_group_and_cannot_be_kept_is_told_and_a_full_run_lets_it_go() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    fill(&lab.mail_1, "/run/ims");
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    lab.mail_1.run(["ims-switch", "offline", "--here", "IMS-RG"]).ok();
    lab.is_online_on(None);
    let refused = lab.mail_1.run(["ims-switch", "freeze", "IMS-RG"]).status_is(6);
    assert!(refused.stderr.contains("cannot write /run/ims/marks/IMS-RG.json"), "{refused}");
}

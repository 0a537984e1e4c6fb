//! Nodes that cannot be reached: nothing is taken from them before they are certainly off.

use std::time::Duration;

use super::lab::*;
use crate::support::*;

fn move_to_mail_1(lab: &Lab, words: &[&str]) -> Ran {
    let line = ["ims-switch", "move", "IMS-RG", "--to", "mail-1"];
    lab.mail_1.command(line.into_iter().chain(words.iter().copied())).deadline(Duration::from_secs(120)).run()
}

/// Online on mail-2, which then loses its power.
fn crashed() -> Lab {
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
    lab.mail_2.power_cut();
    lab
}

#[test]
fn after_a_power_cut_the_node_is_fenced_and_its_group_taken() {
    if !needs_root() {
        return;
    }
    let lab = crashed();
    lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    assert_eq!(lab.bed.fence_requests(), [""; 0], "looking fences nobody");
    let ran = move_to_mail_1(&lab, &[]).ok();
    assert_eq!(lab.bed.fence_requests(), ["off mail-2"]);
    lab.is_online_on(Some(&lab.mail_1));
    assert!(ran.took < Duration::from_secs(20), "the proof spares the guard's wait: {ran}");
    let fence = ran.records().into_iter().find(|record| record["verb"] == "fence").unwrap();
    assert_eq!((fence["outcome"].as_str(), fence["node"].as_str()), (Some("done"), Some("mail-2")));
    let proof = lab.mail_1.read("/var/lib/ims/fenced/mail-2.json").unwrap();
    assert!(proof.contains("ims.fenced/1") && proof.contains("\"confirmed_by\":\"agent\""), "{proof}");
    assert!(proof.contains("\"written_by\":\"mail-2\""), "with the guard as it was then: {proof}");

    // It comes back, with nothing of the group, and can have it again.
    lab.mail_2.start_again();
    assert!(until(SOON, || lab.mail_1.run(["ssh", "root@mail-2", "true"]).is_ok()), "sshd again");
    lab.sign();
    lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_proof_that_cannot_be_kept_costs_the_guards_wait_and_not_the_failover() {
    if !needs_root() {
        return;
    }
    let lab = crashed();
    lab.mail_1.sh("mkdir -p /var/lib/ims; rm -rf /var/lib/ims/fenced; touch /var/lib/ims/fenced").ok();
    let ran = move_to_mail_1(&lab, &[]).ok();
    assert!(ran.stderr.contains("mail-1 has no proof that mail-2 is off: cannot keep the proof"), "{ran}");
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn without_fencing_nothing_is_taken_from_a_node_that_cannot_be_reached() {
    if !needs_root() {
        return;
    }
    let lab = crashed();
    lab.reach_without_fencing();
    let ran = move_to_mail_1(&lab, &[]).status_is(4);
    assert!(ran.stderr.contains("mail-2 cannot be reached"), "{ran}");
    assert!(ran.stderr.contains("--confirm-fenced mail-2"), "what would lift it is said: {ran}");
    lab.is_online_on(None);
    // A person who has switched it off may say so.
    move_to_mail_1(&lab, &["--confirm-fenced", "mail-2"]).ok();
    lab.is_online_on(Some(&lab.mail_1));
    let offline = lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).status_is(3);
    assert!(offline.stderr.contains("mail-2 cannot be reached"), "{offline}");
    lab.is_online_on(None);
}

#[test]
fn a_fencing_that_fails_blocks_the_failover() {
    if !needs_root() {
        return;
    }
    let lab = crashed();
    for (switch, words) in
        [(Switch::Refuses, "the power switch refuses"), (Switch::Hangs, "did not end within")]
    {
        lab.bed.power_switch(switch);
        let ran = move_to_mail_1(&lab, &[]).status_is(4);
        assert!(ran.stderr.contains("mail-2 could not be fenced") && ran.stderr.contains(words), "{ran}");
        lab.is_online_on(None);
    }
    lab.bed.power_switch(Switch::Works);
    move_to_mail_1(&lab, &[]).ok();
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn a_node_that_answers_no_is_not_fenced() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    let said = move_to_mail_1(&lab, &["--confirm-fenced", "mail-2"]).status_is(4);
    assert!(said.stderr.contains("mail-2 answers"), "{said}");
    for (reach, status, words) in [
        (&["ssh", "root@{}", "exit 1;"][..], 3, "mail-2 does not serve"),
        (&["ssh", "root@{}", "PATH=/nowhere;"], 3, "does not serve"),
        (&["ssh", "root@mail-1"], 2, "reach of mail-2 leads to mail-1"),
        (&["no-such-program"], 3, "cannot run no-such-program"),
        (&["ssh", "-o", "PubkeyAuthentication=no", "root@{}"], 3, "does not let this node in: root@mail-2"),
        (
            &["ssh", "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=/nowhere", "root@{}"],
            3,
            "does not let this node in: Host key verification failed",
        ),
    ] {
        lab.reach(reach);
        let ran = move_to_mail_1(&lab, &[]).status_is(status);
        assert!(ran.stderr.contains(words), "{ran}");
    }
    assert_eq!(lab.bed.fence_requests(), [""; 0]);
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_node_that_hangs_or_is_cut_off_is_fenced_before_its_group_is_taken() {
    if !needs_root() {
        return;
    }
    for trouble in [Node::freeze, Node::cut] {
        let lab = Lab::new();
        lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
        trouble(&lab.mail_2);
        move_to_mail_1(&lab, &[]).ok();
        assert_eq!(lab.bed.fence_requests(), ["off mail-2"]);
        assert!(!lab.mail_2.is_up());
        lab.is_online_on(Some(&lab.mail_1));
    }
}

#[test]
fn a_source_that_dies_in_the_middle_of_a_move_is_fenced_and_the_move_finished() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_2.file("/run/svc.slow", "");
    let running = lab.mail_1.spawn(["ims-switch", "move", "IMS-RG", "--to", "mail-1"]);
    assert!(until(SOON, || lab.mail_2.path("/run/svc.stopping").exists()));
    lab.mail_2.power_cut();
    running.wait(Duration::from_secs(60)).ok();
    assert_eq!(lab.bed.fence_requests(), ["off mail-2"]);
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn a_run_whose_own_node_lost_its_power_keeps_the_others_from_nothing_for_long() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_2.file("/run/svc.slow", "");
    let _running = lab.mail_1.spawn(["ims-switch", "move", "IMS-RG", "--to", "mail-1"]);
    assert!(until(SOON, || lab.mail_2.path("/run/svc.stopping").exists()));
    lab.mail_1.power_cut();
    lab.mail_2.sh("rm /run/svc.slow").ok();
    // No connection tells of it; TCP gives up after hours.
    let online = || lab.mail_2.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]);
    let first = online().status_is(7);
    assert!(first.stderr.contains("is held by pid "), "{first}");
    assert!(until(SOON, || online().status == Some(0)));
    assert_eq!(lab.bed.fence_requests(), ["off mail-1"]);
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_node_is_fenced_by_hand_with_a_proof() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "fence", "-n", "mail-2"]).ok();
    assert!(lab.mail_2.is_up());
    lab.mail_1.run(["ims-switch", "fence", "-n", "mail-1"]).status_is(4);
    let own = lab.mail_1.run(["ims-switch", "fence", "mail-1"]).status_is(4);
    assert!(own.stderr.contains("is this node"), "{own}");
    let ran = lab.mail_1.run(["ims-switch", "fence", "mail-2"]).ok();
    assert_eq!(record(&ran, "ims.fenced/1")["node"], "mail-2");
    assert!(!lab.mail_2.is_up());
    lab.mail_1.run(["ims-switch", "fence", "mail-3"]).status_is(2);
}

#[test]
fn after_a_power_cut_of_both_nodes_the_one_that_comes_back_takes_its_own_volume() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.power_cut();
    lab.mail_2.power_cut();
    lab.mail_1.start_again();
    lab.mail_2.start_again();
    assert!(until(SOON, || lab.mail_1.run(["ssh", "root@mail-1", "true"]).is_ok()), "sshd again");
    lab.sign();
    lab.mail_2.power_cut();
    let line = ["ims-switch", "online", "IMS-RG", "--confirm-fenced", "mail-2"];
    let ran = lab.mail_1.command(line).deadline(Duration::from_secs(120)).run().ok();
    assert!(ran.took > Duration::from_secs(15), "its own guard was watched: {ran}");
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn what_a_fence_agent_prints_of_its_password_is_not_passed_on() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_1.script(
        "/usr/local/sbin/fence_chatty",
        "#!/bin/sh\necho \"login refused with $(grep passwd= | tr '\\n' ' ')\" >&2\nexit 1\n",
    );
    lab.mail_1.file("/etc/ims/bmc", "passwd=hunter2\n");
    let nodes = "[mail-1]\nreach = [\"ssh\", \"root@mail-1\"]\n[mail-2]\nreach = [\"ssh\", \"root@mail-2\"]\nreach_timeout = 2\nfence = [\"fence_chatty\"]\nfence_secrets = \"/etc/ims/bmc\"\n";
    lab.mail_1.file("/etc/ims/nodes.toml", nodes);
    lab.mail_2.cut();
    for line in
        [&["ims-switch", "fence", "mail-2"][..], &["ims-switch", "online", "IMS-RG", "--on", "mail-1"]]
    {
        let ran = lab.mail_1.run(line).status_is(4);
        assert!(ran.stderr.contains("login refused"), "{ran}");
        assert!(!format!("{ran}").contains("hunter2"), "{ran}");
    }
    let journal = lab.mail_1.read("/var/lib/ims/journal/IMS-RG.jsonl").unwrap();
    assert!(!journal.contains("hunter2"), "{journal}");
}

#[test]
fn a_step_that_ends_half_way_itself_is_left_for_a_person_and_not_covered_by_a_way_back() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    // The kernel of mail-2 says that it unmounted and did not.
    let lying = "strace -f -qq -o /dev/null -e trace=umount2 -e inject=umount2:retval=0";
    lab.reach(&["ssh", "root@{}", lying]);
    let ran = move_to_mail_1(&lab, &[]).status_is(6);
    for words in ["cannot stop mountshared on mail-2", "is mounted still", "mend that"] {
        assert!(ran.stderr.contains(words), "{words}: {ran}");
    }
    assert!(lab.mail_2.has_mounted(&lab.disk) && !serves(&lab.mail_2), "nothing was started over it");
    assert_eq!(lab.has(&lab.mail_1)[1..], [false; 2]);
    // When that is mended, the same command finishes.
    lab.reach(&["ssh", "root@{}"]);
    move_to_mail_1(&lab, &[]).ok();
    lab.is_online_on(Some(&lab.mail_1));
}

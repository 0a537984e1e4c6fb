//! `ims-switch freeze`, `unfreeze`: nothing moves, starts or stops a frozen group, and every node knows who froze it.

use super::lab::*;
use super::react::{SERVERS, answer};
use crate::support::*;

/// The words of a refusal, of which the times differ.
#[track_caller]
fn is_frozen(ran: &Ran, by: &str, way_out: &str) {
    let words = [&format!("IMS-RG is frozen by root on {by} since 20"), way_out];
    assert!(words.iter().all(|words| ran.stderr.contains(*words)), "{ran}");
}

/// As the person who is logged in.
fn as_root<'n>(node: &'n Node, words: &[&str]) -> Call<'n> {
    node.command(words.iter().copied()).env("USER", "root")
}

#[test]
fn a_frozen_group_is_left_as_it_is_from_every_node() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let starts = lab.mail_1.read("/global/ims/starts").unwrap();
    let freeze = ["ims-switch", "freeze", "IMS-RG", "--reason", "a new kernel"];
    let dry = as_root(&lab.mail_1, &[&freeze[..], &["-n"]].concat()).run().ok();
    let told = record(&dry, "ims.mark/1");
    assert_eq!((told["changed"].as_bool(), told["dry_run"].as_bool()), (Some(true), Some(true)));
    lab.mail_1.run(["ims-switch", "move", "-n", "IMS-RG"]).ok();

    let ran = as_root(&lab.mail_1, &freeze).run().ok();
    let told = record(&ran, "ims.mark/1");
    assert_eq!((&told["mark"], &told["said"]["reason"]), (&"frozen".into(), &"a new kernel".into()), "{ran}");
    assert_eq!(record(&as_root(&lab.mail_2, &freeze).run().ok(), "ims.mark/1")["changed"], false);
    for words in [
        &["move"][..],
        &["online"],
        &["offline"],
        &["offline", "--here"],
        &["restart"],
        &["plan", "move"],
        &["move", "-n"],
    ] {
        let line = ["ims-switch"].iter().chain(words).chain(&["IMS-RG"]).copied();
        let refused = lab.mail_2.run(line).status_is(4);
        is_frozen(&refused, "mail-1", "a new kernel (ims-switch unfreeze IMS-RG)");
    }
    let disabled = lab.mail_2.run(["ims-switch", "disable", "IMS-RG:svc"]).status_is(4);
    is_frozen(&disabled, "mail-1", "unfreeze");
    let rehearsed = lab.mail_2.run(["ims-switch", "rehearse", "IMS-RG"]).status_is(1);
    assert!(rehearsed.stdout.contains("\"subject\":\"frozen\",\"verdict\":\"obstacle\""), "{rehearsed}");
    let status = lab.mail_2.run(["ims-switch", "status", "IMS-RG"]).ok();
    assert_eq!(record(&status, "ims.group/1")["frozen"]["node"], "mail-1", "{status}");
    assert_eq!(lab.mail_1.read("/global/ims/starts").unwrap(), starts);

    lab.mail_2.run(["ims-switch", "unfreeze", "IMS-RG"]).ok();
    let again = lab.mail_2.run(["ims-switch", "unfreeze", "IMS-RG"]).ok();
    assert_eq!(record(&again, "ims.mark/1")["changed"], false, "{again}");
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_freeze_ends_when_the_nodes_restart_unless_it_is_to_last() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let restart = || {
        for node in lab.nodes() {
            node.power_cut();
            node.start_again();
        }
        lab.sign();
    };
    as_root(&lab.mail_1, &["ims-switch", "freeze", "IMS-RG"]).run().ok();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    restart();
    lab.mail_1.run(["ims-switch", "online", "-n", "IMS-RG"]).ok();

    as_root(&lab.mail_1, &["ims-switch", "freeze", "IMS-RG", "--persistent"]).run().ok();
    restart();
    let refused = lab.mail_2.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    is_frozen(&refused, "mail-1", "(ims-switch unfreeze IMS-RG --persistent)");
    let refused = lab.mail_2.run(["ims-switch", "unfreeze", "IMS-RG"]).status_is(4);
    is_frozen(&refused, "mail-1", "--persistent");
    lab.mail_2.run(["ims-switch", "unfreeze", "IMS-RG", "--persistent"]).ok();
    lab.mail_2.run(["ims-switch", "online", "-n", "IMS-RG"]).ok();
}

#[test]
fn a_node_that_was_not_reached_is_told_of_and_learns_it_from_the_next_run() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_2.cut();
    let ran = as_root(&lab.mail_1, &["ims-switch", "freeze", "IMS-RG"]).run().status_is(3);
    assert_eq!(record(&ran, "ims.mark/1")["lost"][0], "mail-2", "{ran}");
    assert!(ran.stderr.contains("mail-2 cannot be reached and was not told"), "{ran}");
    lab.mail_2.join();
    // Whoever asks both learns it, and the one that did not know is told.
    let refused = lab.mail_2.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    is_frozen(&refused, "mail-1", "unfreeze");
    as_root(&lab.mail_1, &["ims-switch", "freeze", "IMS-RG"]).run().ok();
    assert!(lab.mail_2.read("/run/ims/marks/IMS-RG.json").unwrap().contains("\"frozen\":{"));

    // One that missed its end does not bring it back.
    lab.mail_2.cut();
    lab.mail_1.run(["ims-switch", "unfreeze", "IMS-RG"]).status_is(3);
    lab.mail_2.join();
    lab.mail_2.run(["ims-switch", "online", "IMS-RG", "--on", "mail-1"]).ok();
    assert!(lab.mail_2.read("/run/ims/marks/IMS-RG.json").unwrap().contains("\"frozen\":null"));
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn a_fault_of_a_frozen_group_is_told_and_nothing_is_done() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.file("/etc/ims/groups/IMS-RG.toml", SERVERS);
    node.file(
        "/etc/msgregistry.inf",
        "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\nldap = mail\n",
    );
    let react = || {
        let down = answer("stork", "smtp", "down", 1, "00:00");
        let ran = node.command(["ims-switch", "react", "IMS-RG", "-n"]).stdin(down).run().ok();
        let told = record(&ran, "ims.decision/1");
        (told["decision"].as_str().unwrap().to_owned(), told["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(react().0, "restart");
    as_root(&node, &["ims-switch", "freeze", "IMS-RG", "--reason", "x"]).run().ok();
    let (decision, reason) = react();
    assert_eq!(decision, "nothing");
    assert!(
        reason.starts_with("IMS-RG is frozen by root on mail-1 since 20") && reason.ends_with(": x"),
        "{reason}"
    );
    node.run(["ims-switch", "unfreeze", "IMS-RG"]).ok();
    assert_eq!(react().0, "restart");

    // What cannot be read is no leave to go on.
    node.file("/run/ims/marks/IMS-RG.json", "{");
    let (decision, reason) = react();
    assert_eq!((decision.as_str(), reason.contains("is not valid")), ("nothing", true), "{reason}");
    node.run(["ims-switch", "restart", "IMS-RG"]).status_is(3);
    let wrong = node.run(["ims-switch", "freeze", "IMS-RG", "--reason", "two\nlines"]).status_is(2);
    assert!(wrong.stderr.contains("one line of text is wanted"), "{wrong}");
}

#[test]
fn a_freeze_said_on_a_node_that_forgot_all_else_holds_on_one_that_was_told_more_before() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    for verb in ["freeze", "unfreeze", "freeze", "unfreeze"] {
        lab.mail_2.run(["ims-switch", verb, "IMS-RG"]).ok();
    }
    lab.mail_1.power_cut();
    lab.mail_1.start_again();
    lab.mail_2.cut();
    let told = as_root(&lab.mail_1, &["ims-switch", "freeze", "IMS-RG"]).run().status_is(3);
    assert_eq!(record(&told, "ims.mark/1")["lost"][0], "mail-2", "{told}");
    lab.mail_2.join();
    let reaches = || lab.mail_2.run(["ssh", "root@mail-1", "true"]).status == Some(0);
    assert!(until(SOON, reaches));
    is_frozen(&lab.mail_2.run(["ims-switch", "move", "IMS-RG"]).status_is(4), "mail-1", "unfreeze IMS-RG");
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn what_was_said_on_both_sides_of_a_cut_all_counts_when_they_meet_again() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let lines = [
        (&lab.mail_1, &["ims-switch", "freeze", "IMS-RG", "--persistent"][..]),
        (&lab.mail_2, &["ims-switch", "disable", "IMS-RG:svc"]),
    ];
    lab.mail_2.cut();
    for (node, words) in lines {
        as_root(node, words).run().status_is(3);
    }
    lab.mail_2.join();
    assert!(until(SOON, || lab.mail_2.run(["ssh", "root@mail-1", "true"]).status == Some(0)));
    let refused = lab.mail_2.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    is_frozen(&refused, "mail-1", "unfreeze IMS-RG --persistent");
    lab.mail_1.run(["ims-switch", "unfreeze", "IMS-RG", "--persistent"]).ok();
    for node in lab.nodes() {
        let kept = node.read("/var/lib/ims/marks/IMS-RG.json").unwrap();
        assert!(kept.contains("\"frozen\":null") && kept.contains("\"svc\""), "{}: {kept}", node.name());
    }
}

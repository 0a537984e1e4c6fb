//! What a power cut leaves, and what lets another node take it.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::{Pair, record, record_of, text};
use crate::support::{MMP_CLEAN, Node, until};

const FOLDER: &str = "/var/lib/ims/fenced/mail-1.json";

/// Waits until the kernel watches the guard for a mount of this node.
fn wait_watching(node: &Node) {
    let stacks = || node.sh("cat /proc/[0-9]*/stack 2>/dev/null || :").stdout;
    assert!(until(Duration::from_secs(10), || stacks().contains("ext4_multi_mount_protect")));
}

#[test]
fn without_a_proof_the_kernels_time_is_waited_and_the_wait_can_be_stopped() {
    let pair = Pair::new();
    pair.power_cut_of_the_holder();
    let ran = pair.run(&pair.two, "take", &["--timeout", "1s"]).status_is(3);
    assert!(ran.stderr.contains("(the kernel needs 22 s; give --timeout more)"), "{ran}");
    let stopped = pair.two.spawn(pair.words("take", &[]));
    wait_watching(&pair.two);
    stopped.signal(Signal::TERM);
    let ran = stopped.wait(Duration::from_secs(15)).status_is(5);
    assert!(ran.stderr.contains("stopped by SIGTERM while watching the guard"), "{ran}");
    assert!(!pair.two.has_mounted(&pair.disk));
    let ran = pair.run(&pair.two, "take", &[]).ok();
    assert!((20..40).contains(&ran.took.as_secs()), "the time is waited, and once: {ran}");
    assert_eq!(text(&record(&ran)["guard"]["held_by"]), "mail-2");
    assert_eq!(pair.two.read("/srv/ims/message").unwrap(), "acknowledged\n");
}

#[test]
fn with_a_fresh_proof_of_its_holders_fencing_it_is_taken_at_once() {
    for (file, more) in [(FOLDER, &[][..]), ("/tmp/proof", &["--proof", "/tmp/proof"])] {
        let pair = Pair::new();
        pair.power_cut_of_the_holder();
        pair.proof("mail-1", Timestamp::now(), file);
        let dry = pair.run(&pair.two, "take", &[&["-n"], more].concat()).ok();
        let actions: Vec<String> =
            dry.records().iter().map(|step| text(&step["action"]).to_owned()).collect();
        assert_eq!(actions, ["clear-guard", "mount"], "{dry}");
        assert_ne!(pair.disk.mmp_sequence(), MMP_CLEAN, "a dry run clears nothing");
        let ran = pair.run(&pair.two, "take", more).ok();
        assert!(ran.took < Duration::from_secs(5), "not the kernel's time: {ran}");
        assert_eq!(text(&record(&ran)["guard"]["held_by"]), "mail-2");
        assert_eq!(pair.two.read("/srv/ims/message").unwrap(), "acknowledged\n");
        pair.run(&pair.two, "release", &[]).ok();
    }
}

/// A node that had the volume before, and on which something keeps its device open (multipathd, a device-mapper
/// table), still has the superblock of that time in its page cache: a journal that seems clean would not be replayed.
#[test]
fn what_another_node_wrote_since_is_read_and_not_what_this_node_remembers() {
    let pair = Pair::new();
    let kept_open = pair.two.spawn(["sh", "-c", &format!("exec sleep 60 <{}", pair.disk.device())]);
    pair.run(&pair.two, "take", &[]).ok();
    pair.run(&pair.two, "release", &[]).ok();
    pair.power_cut_of_the_holder();
    pair.proof("mail-1", Timestamp::now(), FOLDER);
    pair.run(&pair.two, "take", &[]).ok();
    assert_eq!(pair.two.read("/srv/ims/message").unwrap_or_default(), "acknowledged\n");
    pair.run(&pair.two, "release", &[]).ok();
    kept_open.kill();
}

#[test]
fn a_proof_that_proves_nothing_is_refused_when_named_and_passed_over_when_found() {
    let pair = Pair::new();
    let left = pair.power_cut_of_the_holder();
    let sign: Timestamp = text(&left["guard"]["last_sign"]).parse().unwrap();
    let sequence = pair.disk.mmp_sequence();
    let later = |seconds| sign.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    for (node, time, words) in [
        ("mail-1", later(-2), "mail-1 was fenced at "),
        ("mail-3", later(1), "it is about mail-3, and mail-1 holds the volume"),
        ("mail-2", later(1), "it is about this node, which is alive"),
        ("mail-1", later(3600), "it is from the future"),
        ("mail-1", later(-3600), "after that"),
    ] {
        pair.proof(node, time, "/tmp/proof");
        let ran = pair.run(&pair.two, "take", &["--proof", "/tmp/proof"]).status_is(4);
        assert!(
            ran.stderr.contains("/dev/ims1 is held by mail-1: /tmp/proof does not prove it dead: "),
            "{ran}"
        );
        assert!(ran.stderr.contains(words), "{ran}");
        pair.proof(node, time, FOLDER);
        let step = record_of(&pair.run(&pair.two, "take", &["-n"]).ok(), "ims.volume-step/1");
        assert_eq!((text(&step["action"]), step["wait_s"].as_u64()), ("mount", Some(22)), "{node} {time}");
    }
    for bad in ["", "{}\n", "not a record\n"] {
        pair.two.file("/tmp/proof", bad);
        pair.run(&pair.two, "take", &["--proof", "/tmp/proof"]).status_is(2);
    }
    pair.run(&pair.two, "take", &["--proof", "/tmp/none"]).status_is(2);
    assert_eq!(pair.disk.mmp_sequence(), sequence, "the guard is as it was");
    assert!(!pair.two.has_mounted(&pair.disk));
}

#[test]
fn a_node_that_came_back_after_its_fencing_is_not_taken_for_dead() {
    let pair = Pair::new();
    let fenced = Timestamp::now();
    pair.run(&pair.one, "take", &[]).ok();
    pair.proof("mail-1", fenced, FOLDER);
    assert!(until(Duration::from_secs(10), || {
        let look = record(&pair.run(&pair.two, "look", &[]));
        let sign: Timestamp = text(&look["guard"]["last_sign"]).parse().unwrap();
        sign.duration_since(fenced) > SignedDuration::from_secs(1)
    }));
    let ran = pair.run(&pair.two, "take", &[]).status_is(4);
    assert!(ran.stderr.contains("is alive on mail-1"), "{ran}");
    assert!(pair.one.has_mounted(&pair.disk) && !pair.two.has_mounted(&pair.disk));
}

/// By the times alone the old proof would count: it seems to be later than the last sign of life.
#[test]
fn the_proof_of_an_earlier_death_does_not_count_when_the_clock_of_the_node_lags() {
    let pair = Pair::new();
    let left = pair.power_cut_of_the_holder();
    let (uuid, guard) = (text(&left["uuid"]), &left["guard"]);
    let guards = format!(
        r#"[{{"uuid":"{uuid}","written_by":"mail-1","mounts":{},"sequence":{},"last_sign":{}}}]"#,
        left["mounts"], guard["sequence"], guard["last_sign"]
    );
    // A day off: it is of no account as long as the guard is the same.
    for time in ["2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z"] {
        pair.proof_of("agent", "mail-1", time.parse().unwrap(), &guards, FOLDER);
        let step = record_of(&pair.run(&pair.two, "take", &["-n"]).ok(), "ims.volume-step/1");
        assert_eq!(text(&step["action"]), "clear-guard", "{time}");
    }
    let ran = pair.run(&pair.two, "take", &[]).ok();
    assert!(ran.took < Duration::from_secs(5), "{ran}");
    pair.run(&pair.two, "release", &[]).ok();
    pair.one.start_again();
    pair.sign();
    pair.power_cut_of_the_holder();
    let soon = Timestamp::now();
    pair.proof_of("agent", "mail-1", soon, "[]", "/tmp/proof");
    let step =
        record_of(&pair.run(&pair.two, "take", &["-n", "--proof", "/tmp/proof"]).ok(), "ims.volume-step/1");
    assert_eq!(text(&step["action"]), "clear-guard", "by the times it counts");
    pair.proof_of("agent", "mail-1", soon, &guards, "/tmp/proof");
    let ran = pair.run(&pair.two, "take", &["--proof", "/tmp/proof"]).status_is(4);
    assert!(ran.stderr.contains("the guard was written since mail-1 was fenced"), "{ran}");
    pair.proof_of("agent", "mail-1", soon, &guards, FOLDER);
    let step = record_of(&pair.run(&pair.two, "take", &["-n"]).ok(), "ims.volume-step/1");
    assert_eq!((text(&step["action"]), step["wait_s"].as_u64()), ("mount", Some(22)), "{step}");
}

#[test]
fn the_word_of_a_person_is_a_proof_that_is_checked_and_kept() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let word = ["--confirm-fenced", "mail-1"];
    let ran = pair.run(&pair.two, "take", &word).status_is(4);
    assert!(ran.stderr.contains("/dev/ims1 is alive on mail-1: its guard moved"), "{ran}");
    assert!(pair.two.read(FOLDER).is_err(), "a word that was wrong is not kept");
    pair.run(&pair.one, "release", &[]).ok();
    pair.power_cut_of_the_holder();
    for (node, words) in [
        ("mail-3", "--confirm-fenced mail-3 does not prove it dead: it is about mail-3"),
        ("mail-2", "it is about this node, which is alive"),
    ] {
        let ran = pair.run(&pair.two, "take", &["--confirm-fenced", node]).status_is(4);
        assert!(ran.stderr.contains(words), "{ran}");
    }
    pair.run(&pair.two, "take", &["--confirm-fenced", "no node"]).status_is(2);
    let ran = pair.two.command(pair.words("take", &word)).env("SUDO_USER", "ada").run().ok();
    assert!((2..8).contains(&ran.took.as_secs()), "an interval and a second: {ran}");
    let kept: serde_json::Value = serde_json::from_str(&pair.two.read(FOLDER).unwrap()).unwrap();
    assert_eq!((text(&kept["confirmed_by"]), text(&kept["method"])), ("ada", "operator"));
    assert_eq!(kept["guards"][0]["written_by"], "mail-1", "{kept}");
    assert_eq!(pair.two.read("/srv/ims/message").unwrap(), "acknowledged\n");
}

/// What `stonith_admin --history=mail-1 --output-as=xml` of Pacemaker 2.1 prints, by `lib/fencing/st_output.c`.
fn pacemakers_history(time: Timestamp) -> String {
    let event = |target: &str, status: &str, time: &str| {
        format!(
            r#"    <fence_event action="reboot" target="{target}" client="pacemaker-controld.1" origin="mail-2" status="{status}" delegate="mail-2" completed="{time}"/>"#
        )
    };
    let (late, early) = (time.strftime("%F %T.123456Z").to_string(), "2026-01-02 03:04:05 +01:00");
    let events = [
        event("mail-1", "success", early),
        event("mail-1", "failed", &late),
        event("mail-1", "success", &late),
    ];
    format!(
        "<pacemaker-result api-version=\"2.25\" request=\"stonith_admin\">\n  <fence_history>\n{}\n  </fence_history>\n\
         \x20 <status code=\"0\" message=\"OK\"/>\n</pacemaker-result>\n",
        events.join("\n")
    )
}

#[test]
fn the_line_of_the_man_page_makes_a_proof_of_pacemakers_fencing_history() {
    let page = include_str!("../../man/ims-diskctl.8");
    let example = page.split(".EX\n").find(|block| block.starts_with("stonith_admin ")).unwrap();
    let (line, _) = example.split_once("\n.EE").unwrap();
    let line = line.replace("\\-", "-").replace("take IMS-RG", "take --device /dev/ims1 --mount /srv/ims");
    let pair = Pair::new();
    pair.power_cut_of_the_holder();
    let history = |time| {
        pair.two.script("/usr/local/bin/stonith_admin", "#!/bin/sh\ncat /run/history\n");
        pair.two.file("/run/history", pacemakers_history(time));
    };
    history(Timestamp::now().checked_sub(SignedDuration::from_mins(5)).unwrap());
    let ran = pair.two.sh(&line).status_is(4);
    assert!(ran.stderr.contains("mail-1 was fenced at "), "{ran}");
    history(Timestamp::now());
    let ran = pair.two.sh(&line).ok();
    assert!(ran.took < Duration::from_secs(5), "{ran}");
    assert_eq!(pair.two.read("/srv/ims/message").unwrap(), "acknowledged\n");
}

#[test]
fn a_node_that_froze_and_was_not_fenced_is_not_taken_for_dead_on_an_old_proof() {
    let pair = Pair::new();
    let ten_minutes_ago = Timestamp::now().checked_sub(SignedDuration::from_mins(11)).unwrap();
    pair.run(&pair.one, "take", &[]).ok();
    pair.proof("mail-1", ten_minutes_ago, "/tmp/proof");
    pair.run(&pair.two, "take", &["--proof", "/tmp/proof"]).status_is(4);
}

#[test]
fn a_volume_that_is_released_while_it_is_watched_is_taken_then() {
    let pair = Pair::with("-O mmp -E mmp_update_interval=5");
    pair.run(&pair.one, "take", &[]).ok();
    let taking = pair.two.spawn(pair.words("take", &[]));
    wait_watching(&pair.two);
    pair.run(&pair.one, "release", &[]).ok();
    let released = Instant::now();
    taking.wait(Duration::from_secs(60)).ok();
    println!("taken {:?} after the release", released.elapsed());
    assert!(released.elapsed() < Duration::from_secs(8), "not the rest of the kernel's time");
    assert!(pair.two.has_mounted(&pair.disk));
}

#[test]
fn a_mount_that_ended_as_the_signal_came_is_told_as_what_it_is() {
    let pair = Pair::new();
    pair.power_cut_of_the_holder();
    let taking = pair.two.spawn([
        "sh",
        "-c",
        "exec strace -f -qq -o /dev/null -e trace=move_mount \
         -e inject=move_mount:delay_exit=5s ims-diskctl take --device /dev/ims1 --mount /srv/ims",
    ]);
    assert!(until(Duration::from_secs(60), || pair.two.has_mounted(&pair.disk)));
    pair.two
        .sh("for p in /proc/[0-9]*; do grep -qx ims-diskctl $p/comm && kill -TERM ${p#/proc/}; done; :")
        .ok();
    let ran = taking.wait(Duration::from_secs(60)).ok();
    assert_eq!(text(&record(&ran)["state"]), "up");
    assert!(pair.two.has_mounted(&pair.disk));
}

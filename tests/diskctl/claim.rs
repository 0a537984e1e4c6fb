//! Claims: what keeps two nodes that take a volume at the same moment apart, however slow one of them is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::look::guard_at;
use super::{Pair, record_of, text};
use crate::support::{MMP_CLEAN, Node, Running, until};

/// `take` on a node, with its system calls tampered with as strace is told.
fn tampered(node: &Node, how: &str) -> Running {
    node.spawn([
        "sh",
        "-c",
        &format!(
            "exec strace -f -qq -o /dev/null {how} ims-diskctl take --device /dev/ims1 --mount /srv/ims"
        ),
    ])
}

/// Waits until the guard is claimed, and not held yet.
fn wait_claimed(pair: &Pair) {
    let device = guard_at(pair) + 80;
    assert!(until(Duration::from_secs(10), || pair.disk.read(device, 10) == b"ims-claim:"));
    assert_eq!(pair.disk.mmp_sequence(), MMP_CLEAN);
}

/// Waits until the kernel has mounted and signed.
fn wait_signed(pair: &Pair) {
    let device = guard_at(pair) + 80;
    assert!(until(Duration::from_secs(30), || {
        pair.disk.mmp_sequence() != MMP_CLEAN && pair.disk.read(device, 10) != b"ims-claim:"
    }));
}

#[test]
fn a_mount_that_takes_its_time_is_not_claimed_over() {
    let pair = Pair::new();
    let slow = tampered(&pair.one, "-e trace=fsopen -e inject=fsopen:delay_enter=3s");
    wait_claimed(&pair);
    let step = record_of(&pair.run(&pair.two, "take", &["-n"]).ok(), "ims.volume-step/1");
    assert_eq!((text(&step["action"]), step["wait_s"].as_u64()), ("claim", Some(10)), "{step}");
    let ran = pair.run(&pair.two, "take", &[]).status_is(4);
    assert!(ran.stderr.contains("/dev/ims1 is alive on mail-1"), "{ran}");
    slow.wait(Duration::from_secs(30)).ok();
    assert!(pair.one.has_mounted(&pair.disk) && !pair.two.has_mounted(&pair.disk));
}

#[test]
fn the_claim_of_a_node_that_died_is_void_after_a_while_and_the_wait_can_be_stopped() {
    let pair = Pair::new();
    let dead = tampered(&pair.one, "-e trace=fsopen -e inject=fsopen:signal=KILL");
    dead.wait(Duration::from_secs(30));
    wait_claimed(&pair);
    let stopped = pair.two.spawn(pair.words("take", &[]));
    // The one that looks for it is this program again.
    let is_looking = || pair.two.sh("cat /proc/[0-9]*/comm").stdout.lines().any(|comm| comm == "exe");
    assert!(until(Duration::from_secs(10), is_looking));
    stopped.signal(Signal::TERM);
    let ran = stopped.wait(Duration::from_secs(5)).status_is(5);
    assert!(ran.stderr.contains("stopped by SIGTERM; /dev/ims1 is not mounted"), "{ran}");
    let ran = pair.run(&pair.two, "take", &["--timeout", "1s"]).status_is(3);
    assert!(ran.stderr.contains("did not end within 1s: waiting whether its guard moves"), "{ran}");
    let ran = pair.run(&pair.two, "take", &[]).ok();
    assert!((10..15).contains(&ran.took.as_secs()), "{ran}");
}

#[test]
fn the_claim_of_a_node_that_died_is_lifted_by_the_proof_that_it_was_fenced() {
    let pair = Pair::new();
    tampered(&pair.one, "-e trace=fsopen -e inject=fsopen:signal=KILL").wait(Duration::from_secs(30));
    wait_claimed(&pair);
    for (node, time, waits) in [
        ("mail-3", Timestamp::now(), 10),
        ("mail-1", Timestamp::now().checked_sub(SignedDuration::from_mins(5)).unwrap(), 10),
        ("mail-1", Timestamp::now(), 2), // an interval and a second
    ] {
        pair.proof(node, time, "/var/lib/ims/fenced/mail-1.json");
        let step = record_of(&pair.run(&pair.two, "take", &["-n"]).ok(), "ims.volume-step/1");
        assert_eq!((text(&step["action"]), step["wait_s"].as_u64()), ("claim", Some(waits)), "{node} {time}");
    }
    pair.one.power_cut();
    let ran = pair.run(&pair.two, "take", &[]).ok();
    assert!(ran.took < Duration::from_secs(5), "{ran}");
}

/// A machine that stands still at the worst of all moments: it has found the guard free and not yet signed it.
#[test]
fn a_claim_that_comes_late_finds_the_holder_that_it_was_written_over() {
    let pair = Pair::new();
    let stopped = "-P /dev/ims1 -e trace=pwrite64 -e inject=pwrite64:delay_enter=3s";
    let late = tampered(&pair.one, stopped);
    let is_about_to = || {
        let calls = pair.one.sh("cat /proc/[0-9]*/syscall 2>/dev/null || :").stdout;
        calls.lines().any(|line| line.starts_with("18 ")) // pwrite64
    };
    assert!(until(Duration::from_secs(10), is_about_to));
    pair.run(&pair.two, "take", &[]).ok();
    let ran = late.wait(Duration::from_secs(30)).status_is(4);
    assert!(ran.stderr.contains("/dev/ims1 is alive on mail-2: its guard moved"), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk) && pair.two.has_mounted(&pair.disk));
    let signed = || pair.disk.read(guard_at(&pair) + 80, 10) != b"ims-claim:";
    assert!(until(Duration::from_secs(5), || pair.disk.mmp_sequence() != MMP_CLEAN && signed()));
    pair.run(&pair.one, "take", &[]).status_is(4);
}

#[test]
fn what_was_claimed_over_while_it_was_mounted_is_unmounted_and_told() {
    let pair = Pair::with("-O mmp,^metadata_csum -E mmp_update_interval=5");
    let taking = tampered(&pair.one, "-e trace=move_mount -e inject=move_mount:delay_exit=2s");
    wait_signed(&pair);
    pair.disk.write(guard_at(&pair) + 4, &MMP_CLEAN.to_le_bytes());
    let ran = taking.wait(Duration::from_secs(30)).status_is(6);
    assert!(
        ran.stderr.contains("/dev/ims1 was mounted here while another node took it: its guard is not held")
    );
    assert!(ran.stderr.contains("(it is unmounted again; "), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk));
}

#[test]
fn after_a_mount_that_took_longer_than_a_claim_counts_the_guard_is_watched() {
    let pair = Pair::with("-O mmp,^metadata_csum -E mmp_update_interval=1");
    let slow = "-e trace=fsopen -e inject=fsopen:delay_enter=11s";
    tampered(&pair.one, slow).wait(Duration::from_secs(60)).ok();
    pair.run(&pair.one, "release", &[]).ok();
    let taking = tampered(&pair.one, slow);
    wait_claimed(&pair);
    wait_signed(&pair);
    // Another kernel that had mounted too would sign in turn with this one.
    pair.disk.write(guard_at(&pair) + 16, b"mail-9\0");
    let ran = taking.wait(Duration::from_secs(30)).status_is(6);
    assert!(ran.stderr.contains(" sign its guard in turn"), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk));
}

#[test]
fn a_disk_that_fails_once_the_guard_was_written_leaves_it_half_way() {
    let pair = Pair::new();
    let tamper = |how: &str| tampered(&pair.one, how).wait(Duration::from_secs(30));
    // It reads the superblock and the guard to look, both again to claim, and the guard to see whether that stands. On a
    // busy machine a reading that was slow comes once more before the claim, and fails in place of the last one.
    let fifth = || tamper("-P /dev/ims1 -e trace=pread64 -e inject=pread64:error=EIO:when=5");
    let mut last = None;
    until(Duration::from_secs(60), || last.insert(fifth()).status != Some(5));
    let ran = last.unwrap().status_is(6);
    let words = "/dev/ims1 is not mounted, and its guard may be this node's claim by now: Input/output error";
    assert!(ran.stderr.contains(words), "{ran}");
    wait_claimed(&pair);
    let guard = pair.disk.read(guard_at(&pair), 1024);
    let ran = tamper("-P /dev/ims1 -e trace=pwrite64 -e inject=pwrite64:error=EROFS").status_is(5);
    assert!(ran.stderr.contains("cannot claim /dev/ims1"), "{ran}");
    assert!(guard == pair.disk.read(guard_at(&pair), 1024), "nothing was written");
    pair.run(&pair.one, "take", &[]).ok();
}

//! `--when-told`: prepared first, begun when a line comes.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::{Pair, text};
use crate::support::{Disk, Machine, Node, Running, needs_root};

const SOON: Duration = Duration::from_secs(20);

/// Starts a verb ahead, and waits until it is ready.
fn waits(pair: &Pair, node: &Node, verb: &str) -> Running {
    node.sh("[ -e /run/word ] || mkfifo /run/word").ok();
    let words = pair.words(verb, &["--when-told"]).join(" ");
    let running = node.spawn(["sh", "-c", &format!("exec {words} <>/run/word")]);
    assert!(running.until_stdout(SOON, |said| said.contains("ims.ready/1")), "{}", running.stderr());
    running
}

fn tell(node: &Node) {
    node.sh("echo begin >/run/word").ok();
}

#[test]
fn a_volume_is_taken_and_released_when_the_word_comes_by_what_is_found_then() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let (release, take) = (waits(&pair, &pair.one, "release"), waits(&pair, &pair.two, "take"));
    assert!(pair.one.has_mounted(&pair.disk) && !pair.two.has_mounted(&pair.disk));
    for (node, running, state) in [(&pair.one, release, "down"), (&pair.two, take, "up")] {
        tell(node);
        let ran = running.wait(SOON).ok();
        let records = ran.records();
        let [ready, volume, ended] = records.as_slice() else { panic!("{ran}") };
        let schemas = [ready, volume, ended].map(|record| text(&record["schema"]));
        assert_eq!(schemas, ["ims.ready/1", "ims.volume/1", "ims.ended/1"]);
        assert_eq!((text(&volume["state"]), &ended["exit"]), (state, &Value::from(0)), "{ran}");
    }
    assert!(!pair.one.has_mounted(&pair.disk) && pair.two.has_mounted(&pair.disk));
}

#[test]
fn the_time_that_it_may_take_begins_with_the_word() {
    let pair = Pair::new();
    pair.one.sh("mkfifo /run/word").ok();
    let words = pair.words("take", &["--when-told", "--timeout", "1s"]).join(" ");
    let take = pair.one.spawn(["sh", "-c", &format!("exec {words} <>/run/word")]);
    assert!(take.until_stdout(SOON, |said| said.contains("ims.ready/1")), "{}", take.stderr());
    std::thread::sleep(Duration::from_millis(1500)); // longer than its time, which passing by is what is tested
    tell(&pair.one);
    take.wait(SOON).ok();
    assert!(pair.one.has_mounted(&pair.disk));
}

#[test]
fn whoever_is_not_told_does_nothing_and_keeps_nobody_from_it_any_more() {
    let pair = Pair::new();
    let line = pair.words("take", &["--when-told"]).join(" ");
    let ran = pair.one.sh(&format!("{line} </dev/null")).status_is(5);
    assert!(ran.stderr.contains("stdin ended before it said to begin (nothing was done)"), "{ran}");
    let stopped = waits(&pair, &pair.one, "take");
    stopped.signal(Signal::TERM);
    let ran = stopped.wait(SOON).status_is(5);
    assert!(ran.stderr.contains("stopped by SIGTERM before it began (nothing was done)"), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk));
    pair.run(&pair.one, "take", &[]).ok();
}

#[test]
fn it_fails_when_told_as_it_would_without_and_another_run_waits_meanwhile() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let take = waits(&pair, &pair.two, "take");
    pair.run(&pair.two, "take", &["--timeout", "100ms"]).status_is(7);
    tell(&pair.two);
    let ran = take.wait(SOON).status_is(4);
    assert!(ran.stderr.contains("is alive on mail-1"), "{ran}");
    assert_eq!(ran.records().last().map(|record| record["exit"].clone()), Some(Value::from(4)));
    pair.run(&pair.one, "release", &["--presync", "--when-told"]).status_is(2);
    pair.run(&pair.one, "release", &["--dry-run", "--when-told"]).status_is(2);
}

#[test]
fn a_disk_that_hangs_before_the_word_comes_is_unknown_after_it_and_not_held() {
    if !needs_root() {
        return;
    }
    let disk = Disk::ext4("hangs".to_owned(), 32, "-O mmp -E mmp_update_interval=1");
    let mut mail = Machine::boot("mail", &[&disk]);
    let script = |lines: &str| format!("PATH=$PATH:/var/lib/ims-tests/layers/sbin:/usr/sbin\n{lines}");
    let table = "modprobe dm-mod; dmsetup create slow --table '0 65536 linear /dev/ubda 0'; dmsetup mknodes
        mkdir -p /srv/ims; mkfifo /run/word; dmsetup suspend --nolockfs slow";
    mail.sh(&script(table)).ok();
    let take = "ims-diskctl take --device /dev/mapper/slow --mount /srv/ims --timeout 2s";
    // Nobody tells it to begin.
    mail.sh(&script(&format!("{take} --when-told </dev/null"))).status_is(5);
    // It is told.
    let told = format!(
        "{take} --when-told <>/run/word >/run/said & taking=$!
        until grep -q ims.ready /run/said; do sleep 0.02; done
        echo begin >/run/word; wait $taking"
    );
    let ran = mail.sh(&script(&told)).status_is(3);
    assert!(ran.stderr.contains("did not answer within"), "{ran}");
    let resume = "dmsetup resume slow; while pgrep -f 'exe hand' >/dev/null; do sleep 0.05; done";
    mail.sh(&script(resume)).ok();
    mail.sh(&script(take)).ok();
}

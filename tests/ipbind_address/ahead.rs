//! `--when-told`: started first, begun when a line comes.

use super::*;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn an_address_comes_up_and_goes_when_the_word_comes_by_what_is_found_then() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("mkfifo /run/word").ok();
    for (verb, is_up) in [("up", true), ("down", false)] {
        let line = format!("exec ims-ipbind {verb} {VIP} --device eth0 --when-told <>/run/word");
        let running = node.spawn(["sh", "-c", &line]);
        assert!(running.until_stdout(SOON, |said| said.contains("ims.ready/1")), "{}", running.stderr());
        assert_eq!(has(&node, VIP), !is_up);
        node.sh("echo begin >/run/word").ok();
        let ran = running.wait(SOON).ok();
        let schemas: Vec<Value> = ran.records().iter().map(|record| record["schema"].clone()).collect();
        assert_eq!(schemas, ["ims.ready/1", "ims.address/1", "ims.ended/1"], "{ran}");
        assert_eq!(has(&node, VIP), is_up, "{ran}");
    }
}

#[test]
fn whoever_is_not_told_does_nothing() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let ran = node.sh(&format!("ims-ipbind up {VIP} --device eth0 --when-told </dev/null")).status_is(5);
    assert_eq!(ran.stderr, "ims-ipbind: stdin ended before it said to begin (nothing was done)\n");
    assert!(!has(&node, VIP));
    let ran = ipbind(&node, &format!("up {VIP} --device eth0 --when-told --dry-run")).status_is(2);
    assert!(ran.stderr.contains("cannot be used with"), "{ran}");
}

//! The commands of a move are started before the source is touched, and wait for their turn.

use rustix::process::Signal;

use super::lab::*;
use crate::support::*;

/// The commands that wait on each node: their names and verbs.
fn waiting(lab: &Lab) -> [Vec<String>; 2] {
    lab.nodes().map(|node| {
        let mut lines: Vec<String> = node.processes().into_iter().filter_map(waits).collect();
        lines.sort();
        lines
    })
}

/// What a process waits for its turn with: a command of ours, or a shell that has not begun its line.
fn waits(pid: u32) -> Option<String> {
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<&str> = words.split_terminator('\0').collect();
    let first_two = |words: &[&str]| {
        let name = words.first().and_then(|word| word.rsplit('/').next())?;
        Some(format!("{name} {}", words.get(1)?))
    };
    if words.contains(&"--when-told") {
        return first_two(&words);
    }
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    let is_shell = words.get(2).is_some_and(|script| script.contains("/proc/$0"));
    if is_shell && children.is_empty() { first_two(&words[4..]) } else { None }
}

/// Nothing waits on either node.
const NOTHING: [Vec<String>; 2] = [const { Vec::new() }; 2];

/// Begins to move the group away from mail-1, as far as its server, which takes its time to stop.
fn begun(lab: &Lab) -> Running {
    lab.mail_1.sh("rm -f /run/svc.stopping; touch /run/svc.slow").ok();
    let run = lab.mail_1.spawn(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]);
    assert!(until(SOON, || lab.mail_1.sh("[ -e /run/svc.stopping ]").is_ok()), "{}", run.stderr());
    run
}

#[test]
fn what_a_move_will_run_waits_on_both_nodes_before_the_source_is_touched() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let run = begun(&lab);
    let source = ["ims-diskctl release", "ims-ipbind down"]; // its server is being stopped
    let target = ["ims-diskctl take", "ims-ipbind up", "svc start"];
    assert_eq!(waiting(&lab), [&source[..], &target[..]].map(<[_]>::to_vec));
    lab.mail_1.sh("rm /run/svc.slow").ok();
    run.wait(SOON).ok();
    assert_eq!(lab.has(&lab.mail_2)[..2], [true; 2]);
    assert!(until(SOON, || waiting(&lab) == NOTHING), "{:?}", waiting(&lab));
}

#[test]
fn what_was_not_told_goes_with_a_run_that_fails_or_is_killed_or_finds_it_killed() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    // A step that fails.
    lab.mail_1.sh("touch /run/svc.stuck").ok();
    let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]).status_is(5);
    assert_eq!(waiting(&lab), NOTHING, "{ran}");
    lab.mail_1.sh("rm /run/svc.stuck").ok();
    // The driver is killed.
    let run = begun(&lab);
    run.signal(Signal::KILL);
    run.wait(SOON);
    assert!(until(SOON, || waiting(&lab) == NOTHING), "{:?}", waiting(&lab));
    lab.mail_1.sh("rm /run/svc.slow").ok();
    // What the killed run began to stop ends, and is finished by the next.
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-1"]).ok();
    // Those that wait are killed: they are started anew.
    let run = begun(&lab);
    for pid in lab.nodes().iter().flat_map(|node| node.processes()) {
        if waits(pid).is_some() {
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            let _ = rustix::process::kill_process(pid, Signal::KILL); // it may have gone
        }
    }
    lab.mail_1.sh("rm /run/svc.slow").ok();
    run.wait(SOON).ok();
    assert_eq!(lab.has(&lab.mail_2)[..2], [true; 2]);
}

//! Killed anywhere, the same command run again finishes the job.

use std::time::Duration;

use jiff::Timestamp;

use super::{Pair, record, reservation, text};
use crate::support::{MMP_CLEAN, Node, Ran, needs_root, until};

/// Runs a verb and kills with SIGKILL the process that enters the n-th of these system calls; says whether one did.
fn killed_at(pair: &Pair, node: &Node, verb: &str, calls: &str, nth: u32) -> Option<Ran> {
    killed_with(pair, node, verb, &[], calls, nth)
}

/// The same, with more words.
fn killed_with(pair: &Pair, node: &Node, verb: &str, more: &[&str], calls: &str, nth: u32) -> Option<Ran> {
    let mut words: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null", "-e"].map(String::from).into();
    words.extend([format!("trace={calls}"), "-e".into(), format!("inject={calls}:signal=KILL:when={nth}")]);
    words.extend(pair.words(verb, more));
    let ran = node.command(words).deadline(Duration::from_secs(30)).run();
    assert_ne!(ran.status, Some(127), "nothing was run: {ran}");
    (ran.status != Some(0)).then_some(ran)
}

/// Waits until nothing of a killed run is left.
fn wait_over(node: &Node) {
    let left = || node.sh("for exe in /proc/*/exe; do readlink $exe || :; done").stdout;
    let is_over = until(Duration::from_secs(30), || !left().contains("ims-diskctl"));
    assert!(is_over, "{}", left());
}

/// Every system call with which either process touches the volume, and its number of times.
const TAKE: [&str; 8] =
    ["fsopen", "fsconfig", "fsmount", "move_mount", "pread64", "pwrite64", "mkdir", "flock"];
const RELEASE: [&str; 5] = ["syncfs", "umount2", "pread64", "getdents64", "flock"];

#[test]
fn a_take_killed_at_any_system_call_is_finished_by_the_next() {
    let pair = Pair::new();
    let mut killed = 0;
    for call in TAKE {
        for nth in 1.. {
            let Some(_) = killed_at(&pair, &pair.one, "take", call, nth) else { break };
            killed += 1;
            wait_over(&pair.one);
            let again = pair.run(&pair.one, "take", &[]).ok();
            assert!(again.took < Duration::from_secs(10), "after {call} {nth}: {again}");
            assert_eq!(mounts(&pair.one), 1, "after {call} {nth}");
            pair.run(&pair.one, "release", &[]).ok();
        }
        pair.run(&pair.one, "release", &[]).ok();
    }
    assert!(killed >= 10, "only {killed} were killed");
}

#[test]
fn a_release_killed_at_any_system_call_is_finished_by_the_next() {
    let pair = Pair::new();
    let mut killed = 0;
    for call in RELEASE {
        for nth in 1.. {
            pair.run(&pair.one, "take", &[]).ok();
            let Some(_) = killed_at(&pair, &pair.one, "release", call, nth) else { break };
            killed += 1;
            wait_over(&pair.one);
            pair.run(&pair.one, "release", &[]).ok();
            assert_eq!((mounts(&pair.one), pair.disk.mmp_sequence()), (0, MMP_CLEAN), "after {call} {nth}");
        }
    }
    assert!(killed >= 6, "only {killed} were killed");
}

#[test]
fn the_asking_process_killed_anywhere_leaves_what_the_next_run_finishes() {
    let pair = Pair::new();
    let mut killed = 0;
    for nth in (1..).step_by(9) {
        // Among all calls the asking process, which starts first, comes first to the n-th.
        let Some(_) = killed_at(&pair, &pair.one, "take", "all", nth) else { break };
        killed += 1;
        wait_over(&pair.one);
        pair.run(&pair.one, "take", &[]).ok();
        assert_eq!(mounts(&pair.one), 1, "after {nth}");
        killed_at(&pair, &pair.one, "release", "all", nth);
        wait_over(&pair.one);
        pair.run(&pair.one, "release", &[]).ok();
        assert_eq!((mounts(&pair.one), pair.disk.mmp_sequence()), (0, MMP_CLEAN), "after {nth}");
    }
    println!("killed at {killed} places");
    assert!(killed >= 10, "only {killed} were killed");
}

#[test]
fn a_take_on_a_proof_killed_while_it_clears_the_guard_is_finished_by_the_next() {
    let word: &[&str] = &["--confirm-fenced", "mail-1"];
    for (call, more) in [("pwrite64", &[][..]), ("fsopen", &[]), ("fsconfig", &[]), ("pwrite64", word)] {
        let pair = Pair::new();
        pair.power_cut_of_the_holder();
        if more.is_empty() {
            pair.proof("mail-1", Timestamp::now(), "/var/lib/ims/fenced/mail-1.json");
        }
        // The word of a person is given once, and the next run finds it.
        assert!(killed_with(&pair, &pair.two, "take", more, call, 1).is_some(), "{call} was not called");
        wait_over(&pair.two);
        let again = pair.run(&pair.two, "take", &[]).ok();
        assert!(again.took < Duration::from_secs(10), "not the kernel's time, after {call}: {again}");
        assert_eq!(pair.two.read("/srv/ims/message").unwrap(), "acknowledged\n");
    }
}

/// On a disk that is reserved, kills a verb of mail-1 at each of these calls, and runs it again; gives how many were killed.
fn reserved_and_killed(verb: &str, calls: &[&str]) -> usize {
    let mut pair = reservation::Pair::new();
    let mut killed = 0;
    for call in calls {
        for nth in 1.. {
            if verb == "release" {
                pair.run(1, "take").ok();
            }
            let ran = pair.0.sh(&format!(
                "unshare --uts sh -c 'hostname mail-1; exec strace -f -qq -o /dev/null -e trace={call} \
                 -e inject={call}:signal=KILL:when={nth} ims-diskctl {verb} --device /dev/sda --mount /srv/1'"
            ));
            if ran.is_ok() {
                break;
            }
            killed += 1;
            let again = record(&pair.run(1, verb).ok());
            let (state, keys) = if verb == "take" { ("up", 1) } else { ("down", 0) };
            let held = &again["reservation"];
            assert_eq!(text(&again["state"]), state, "after {verb} {call} {nth}");
            assert_eq!(held["keys"].as_array().unwrap().len(), keys, "after {verb} {call} {nth}: {held}");
            assert_eq!(
                held["held_by"].as_str(),
                (keys == 1).then_some("mail-1"),
                "after {verb} {call} {nth}"
            );
            if verb == "take" {
                pair.run(1, "release").ok();
            }
        }
    }
    println!("killed at {killed} places");
    killed
}

#[test]
fn a_take_of_a_disk_that_is_reserved_killed_at_any_request_to_it_is_finished_by_the_next() {
    if needs_root() {
        assert!(reserved_and_killed("take", &["ioctl", "pwrite64", "fsopen,fsmount,move_mount"]) >= 9);
    }
}

#[test]
fn a_release_of_a_disk_that_is_reserved_killed_at_any_request_to_it_is_finished_by_the_next() {
    if needs_root() {
        assert!(reserved_and_killed("release", &["ioctl", "umount2"]) >= 7);
    }
}

fn mounts(node: &Node) -> usize {
    node.sh("grep -c ' /srv/ims ' /proc/self/mountinfo").stdout.trim().parse().unwrap()
}

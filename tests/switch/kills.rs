//! Runs that are killed, stopped or meet each other.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::lab::*;
use crate::support::*;

/// Random enough for moments, and printed so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(1u32 << 31);
        limit.mul_f64(part)
    }
}

#[test]
fn killed_at_any_moment_the_same_command_again_ends_online_on_one_node() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let began = Instant::now();
    lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]).ok();
    let whole = began.elapsed();
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into();
    println!("a move takes {whole:?}; seed {seed}");
    let mut dice = Dice(seed);
    let watch = lab.watch();
    let mut half_way = 0;
    let mut rounds = 0;
    // Ten moments, and more where none of them was between two steps.
    while rounds < 10 || (half_way == 0 && rounds < 40) {
        let round = rounds;
        rounds += 1;
        let target = lab.nodes()[round % 2];
        let driver = lab.nodes()[(round / 2) % 2];
        let line = ["ims-switch", "move", "IMS-RG", "--to", target.name()];
        let moment = dice.below(whole);
        let running = driver.spawn(line);
        std::thread::sleep(moment); // the moment itself is what is tested
        running.signal(Signal::KILL);
        let killed = running.wait(SOON);
        let found = lab.nodes().map(|node| lab.has(node));
        half_way += usize::from(found.iter().all(|has| *has != [true; 3]));
        let again = driver.run(line);
        assert!(again.is_ok(), "killed after {moment:?}, found {found:?}\n{killed}\n{again}");
        lab.is_online_on(Some(target));
    }
    watch.end();
    println!("{half_way} of {rounds} were killed half-way");
    assert!(half_way > 0, "no moment was half-way");
    let history = lab.mail_1.run(["ims-switch", "history", "IMS-RG"]).ok();
    assert!(history.records().len() > 10, "{history}");
}

#[test]
fn a_signal_stops_a_run_between_two_steps_and_says_where() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.file("/run/svc.slow", "");
    let running = lab.mail_1.spawn(["ims-switch", "move", "IMS-RG"]);
    assert!(until(SOON, || lab.mail_1.path("/run/svc.stopping").exists()));
    running.signal(Signal::TERM);
    lab.mail_1.sh("rm /run/svc.slow").ok();
    let ran = running.wait(SOON).status_is(6);
    assert!(ran.stderr.contains("stopped by SIGTERM between two steps"), "{ran}");
    assert!(ran.stderr.contains("mail-1 has logical_IP, mountshared"), "{ran}");
    assert_eq!(lab.has(&lab.mail_1), [true, true, false], "the step that had begun was finished");
    lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn two_runs_at_once_are_one_run_and_one_that_is_told_who_is_busy() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.file("/run/svc.slow", "");
    let first = lab.mail_1.spawn(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]);
    assert!(until(SOON, || lab.mail_1.path("/run/svc.stopping").exists()));
    for node in lab.nodes() {
        let ran = node.run(["ims-switch", "offline", "IMS-RG", "--timeout", "0s"]).status_is(7);
        assert!(ran.stderr.contains("is held by pid "), "{ran}");
    }
    // One that waits has its turn.
    let second = lab.mail_2.spawn(["ims-switch", "offline", "IMS-RG"]);
    lab.mail_1.sh("rm /run/svc.slow").ok();
    first.wait(SOON).ok();
    second.wait(SOON).ok();
    lab.is_online_on(None);
}

#[test]
fn the_history_tells_what_was_done_and_how_long_it_took() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "history", "IMS-RG"]).status_is(1);
    lab.mail_1.run(["ims-switch", "history", "IMS-RX"]).status_is(2);
    lab.online();
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    // A run that was killed while it wrote leaves half a line.
    lab.mail_1.sh("printf '{\"begin\":{\"ru' >>/var/lib/ims/journal/IMS-RG.jsonl").ok();
    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
    let history = lab.mail_1.run(["ims-switch", "history", "IMS-RG"]).ok();
    let runs: Vec<_> =
        history.records().into_iter().filter(|record| record["schema"] == "ims.run/1").collect();
    let wishes: Vec<&str> = runs.iter().map(|run| run["wish"].as_str().unwrap()).collect();
    assert_eq!(wishes, ["online", "move", "offline"]);
    assert!(runs.iter().all(|run| run["status"] == "ok" && run["changed"] == true), "{history}");
    assert!(
        runs[1]["gap_ms"].as_u64().is_some() && runs[1]["took_ms"].as_u64() >= runs[1]["gap_ms"].as_u64()
    );
    let last =
        lab.mail_1.run(["ims-switch", "history", "IMS-RG", "--last", "1", "--timeline", "-o", "table"]).ok();
    assert!(last.stdout.contains("IMS-RG offline") && last.stdout.contains("stop svc"), "{last}");
    assert!(!last.stdout.contains("IMS-RG move"), "{last}");
}

#[test]
fn a_terminal_that_goes_away_stops_nothing() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.file("/run/svc.slow", "");
    // As whoever runs the tests may have turned the signal off, which a program inherits.
    let running = lab.mail_1.spawn(["env", "--default-signal=HUP", "ims-switch", "move", "IMS-RG"]);
    assert!(until(SOON, || lab.mail_1.path("/run/svc.stopping").exists()));
    running.signal(Signal::HUP);
    lab.mail_1.sh("rm /run/svc.slow").ok();
    running.wait(SOON).ok();
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_move_whose_output_nobody_takes_is_finished_all_the_same() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let ran = lab.mail_1.sh("ims-switch move IMS-RG --to mail-2 >/dev/full").status_is(3);
    assert!(ran.stderr.contains("cannot write to stdout"), "{ran}");
    lab.is_online_on(Some(&lab.mail_2));
    lab.mail_1.sh("ims-switch move IMS-RG --to mail-1 | true").ok();
    lab.is_online_on(Some(&lab.mail_1));
}

/// One that went on would switch the node off at some time or other, when all may be well again.
#[test]
fn a_fence_agent_does_not_outlive_the_run_that_was_killed() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.bed.power_switch(Switch::Hangs);
    lab.mail_1.cut();
    let running = lab.mail_2.spawn(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]);
    let has_agent = || {
        lab.mail_2.processes().iter().any(|pid| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split(|byte| *byte == 0).any(|word| word.ends_with(b"/fence_bed"))
        })
    };
    assert!(until(SOON, has_agent));
    running.signal(Signal::KILL);
    running.wait(SOON);
    // Its own deadline is 5 s; nobody is there to keep it.
    assert!(until(Duration::from_secs(3), || !has_agent()));
}

#[test]
fn a_far_program_that_is_killed_does_not_get_its_node_fenced() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_2.file("/run/svc.slow", "");
    let running = lab.mail_1.spawn(["ims-switch", "move", "IMS-RG", "--to", "mail-1"]);
    assert!(until(SOON, || lab.mail_2.path("/run/svc.stopping").exists()));
    let serve = lab.mail_2.processes().into_iter().find(|pid| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.starts_with(b"ims-switch\0serve\0")
    });
    let serve = rustix::process::Pid::from_raw(serve.unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(serve, Signal::KILL).unwrap();
    lab.mail_2.sh("rm /run/svc.slow").ok();
    let ran = running.wait(Duration::from_secs(60));
    assert_eq!(lab.bed.fence_requests(), [""; 0], "{ran}");
    let ran = ran.status_is(5);
    assert!(ran.stderr.contains("lost mail-2") && ran.stderr.contains("all was put back"), "{ran}");
    lab.is_online_on(Some(&lab.mail_2));
}

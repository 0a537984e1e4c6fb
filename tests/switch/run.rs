//! `ims-switch run`: where the group is online, never two at once, and waited for by a move.

use super::lab::*;
use crate::support::*;

#[test]
fn a_command_runs_where_the_group_is_online_and_stays_quiet_elsewhere() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let run = |node: &Node, script: &str| node.run(["ims-switch", "run", "IMS-RG", "--", "sh", "-c", script]);
    for node in lab.nodes() {
        let ran = run(node, "echo ran").ok();
        assert_eq!((&*ran.stdout, &*ran.stderr), ("", ""), "offline");
    }
    lab.online();
    assert_eq!(run(&lab.mail_1, "echo ran").ok().stdout, "ran\n");
    assert_eq!(run(&lab.mail_2, "echo ran").ok().stdout, "");
    let failed = run(&lab.mail_1, "exit 3").status_is(5);
    assert!(failed.stderr.contains("ended with status 3"), "{failed}");
    let killed = run(&lab.mail_1, "kill -9 $$").status_is(5);
    assert!(killed.stderr.contains("ended by signal 9"), "{killed}");
    let unknown = lab.mail_1.run(["ims-switch", "run", "IMS-RG", "--", "/no/such/program"]).status_is(2);
    assert!(unknown.stderr.contains("cannot run /no/such/program"), "{unknown}");
    lab.mail_1.sh("svc stop").ok();
    let partial = run(&lab.mail_1, "echo ran").status_is(3);
    assert!(partial.stderr.contains("IMS-RG is partial here"), "{partial}");
}

#[test]
fn a_move_waits_for_a_command_and_two_of_the_same_never_overlap() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let line = ["ims-switch", "run", "IMS-RG", "--", "sh", "-c", "echo began; read -r _ </run/go"];
    lab.mail_1.run(["mkfifo", "/run/go"]).ok();
    let command = lab.mail_1.spawn(line);
    assert!(command.until_stdout(SOON, |text| text == "began\n"));
    let twin = lab.mail_1.run(line).status_is(7);
    assert!(twin.stderr.contains("still runs"), "{twin}");
    lab.mail_1.run(["ims-switch", "run", "IMS-RG", "--", "true"]).ok();
    let busy = lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--timeout", "200ms"]).status_is(7);
    assert!(busy.stderr.contains("has not ended on mail-1"), "{busy}");
    lab.is_online_on(Some(&lab.mail_1));

    // The command counts, not the one who started it.
    let waiting = lab.mail_2.spawn(["ims-switch", "move", "IMS-RG", "--timeout", "60s"]);
    command.signal(rustix::process::Signal::KILL);
    command.wait(SOON);
    assert!(!until(std::time::Duration::from_millis(300), || !waiting.is_running()));
    lab.is_online_on(Some(&lab.mail_1));
    lab.mail_1.sh("echo >/run/go").ok();
    waiting.wait(SOON).ok();
    lab.is_online_on(Some(&lab.mail_2));
}

/// Waits until a process of a node runs each of these.
fn until_runs(node: &Node, lines: &[&[u8]]) {
    assert!(until(SOON, || lines.iter().all(|line| runs(node, line))));
}

/// Whether a process of a node runs these words.
fn runs(node: &Node, words: &[u8]) -> bool {
    let cmdline = |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    node.processes().iter().any(|pid| cmdline(pid) == words)
}

#[test]
fn a_move_ends_a_command_that_may_be_ended_with_its_process_group_alone() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let line = |script: &str| {
        let words = ["ims-switch", "run", "IMS-RG", "--stop-on-move", "--grace", "1s", "--", "sh", "-c"];
        words.map(ToOwned::to_owned).into_iter().chain([script.to_owned()]).collect::<Vec<_>>()
    };
    // What has a session of its own is none of the command's.
    let deaf = "setsid sleep 1001 & sleep 1002 & trap '' TERM; echo began; while :; do sleep 1003; done";
    let polite = "trap 'echo ended; exit 0' TERM; echo began; sleep 1004 & wait";
    let deafs = [&b"sleep\x001001\0"[..], b"sleep\x001002\0", b"sleep\x001003\0"];
    let cases = [(polite, &[&b"sleep\x001004\0"[..]][..], false), (deaf, &deafs, true)];
    for (script, sleeps, is_killed) in cases {
        let (here, there) = (lab.nodes()[usize::from(is_killed)], lab.nodes()[usize::from(!is_killed)]);
        let command = here.spawn(line(script));
        assert!(command.until_stdout(SOON, |text| text == "began\n"));
        until_runs(here, sleeps);
        let moved = there.run(["ims-switch", "move", "IMS-RG", "--to", there.name()]).ok();
        lab.is_online_on(Some(there));
        let ended = command.wait(SOON);
        if is_killed {
            let ended = ended.status_is(5);
            assert!(
                ended.stderr.contains("ended by signal 9 for a move of IMS-RG (--stop-on-move)"),
                "{ended}"
            );
            assert!(moved.took > std::time::Duration::from_secs(1), "it had its grace: {moved}");
        } else {
            assert_eq!(ended.ok().stdout, "began\nended\n");
        }
        for left in [&b"sleep\x001002\0"[..], b"sleep\x001003\0", b"sleep\x001004\0"] {
            assert!(!runs(here, left), "{}", String::from_utf8_lossy(left));
        }
    }
    assert!(runs(&lab.mail_2, b"sleep\x001001\0"));

    // One whose run was killed is ended by the move itself.
    let command = lab.mail_1.spawn(line(deaf));
    assert!(command.until_stdout(SOON, |text| text == "began\n"));
    until_runs(&lab.mail_1, &deafs);
    command.signal(rustix::process::Signal::KILL);
    command.wait(SOON);
    assert!(runs(&lab.mail_1, b"sleep\x001003\0"));
    lab.mail_2.run(["ims-switch", "offline", "IMS-RG"]).ok();
    assert!(!runs(&lab.mail_1, b"sleep\x001003\0") && runs(&lab.mail_1, b"sleep\x001001\0"));
    lab.is_online_on(None);
}

#[test]
fn a_daemon_that_a_command_leaves_behind_holds_nothing() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let line = ["ims-switch", "run", "IMS-RG", "--", "sh", "-c", "setsid sleep 1001 >/dev/null 2>&1 &"];
    lab.mail_1.run(line).ok();
    lab.mail_1.run(line).ok();
    let locks = lab.mail_1.sh("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /run/ims/lock || true").ok();
    assert_eq!(locks.stdout, "0\n");
    lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--timeout", "0s"]).ok();
    assert!(runs(&lab.mail_1, b"sleep\x001001\0"));
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_command_keeps_the_group_from_starting_elsewhere_too_and_none_begins_while_a_move_waits() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.run(["mkfifo", "/run/go"]).ok();
    let command =
        lab.mail_1.spawn(["ims-switch", "run", "IMS-RG", "--", "sh", "-c", "echo began; read -r _ </run/go"]);
    assert!(command.until_stdout(SOON, |text| text == "began\n"));
    // Everything is stopped by hand; the command runs on where the group was.
    for resource in ["svc", "mountshared", "logical_IP"] {
        lab.mail_1.run(["ims-switch", "stop", "IMS-RG", resource]).ok();
    }
    let online = ["ims-switch", "online", "IMS-RG", "--on", "mail-2", "--timeout"];
    let busy = lab.mail_2.run(online.into_iter().chain(["200ms"])).status_is(7);
    assert!(busy.stderr.contains("a command of ims-switch run has not ended on mail-1"), "{busy}");
    lab.is_online_on(None);
    let waiting = lab.mail_2.spawn(online.into_iter().chain(["60s"]));
    let turn = || lab.mail_1.sh("flock -n /run/ims/lock/switch-IMS-RG.turn.lock true || echo taken").stdout;
    assert!(until(SOON, || turn() == "taken\n"));
    let late = lab.mail_1.run(["ims-switch", "run", "IMS-RG", "--timeout", "0s", "--", "true"]).status_is(7);
    assert!(late.stderr.contains("turn.lock is held by pid"), "{late}");
    lab.mail_1.sh("echo >/run/go").ok();
    command.wait(SOON).ok();
    waiting.wait(SOON).ok();
    lab.is_online_on(Some(&lab.mail_2));
    assert_eq!(lab.mail_1.sh("ls /run/ims/runs/IMS-RG").ok().stdout, "");
}

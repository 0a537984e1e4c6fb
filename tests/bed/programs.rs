//! Programs on a node: heard, ended in time, and reached from another node.

use std::path::Path;
use std::time::Instant;

use super::{A_WHILE, SOON};
use crate::support::*;

#[test]
fn programs_are_heard_and_never_waited_for_in_vain() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let ran = node
        .command(["sh", "-c", "cat; echo \"$WORD\" >&2; exit 4"])
        .stdin("hello")
        .env("WORD", "it's\nso")
        .run();
    assert_eq!((ran.status, &*ran.stdout, &*ran.stderr), (Some(4), "hello", "it's\nso\n"));
    assert_eq!(node.run(["kill", "-9", "1"]).status, Some(0), "pid 1 is safe from inside");
    assert_eq!(node.sh("kill -9 $$").signal, Some(9));
    let ran = node.run(["no-such-program"]).status_is(127);
    assert!(ran.stderr.contains("no-such-program: not found"), "{ran}");
    // A daemon outlives what started it, and pid 1 reaps it.
    let ran = node.sh("sleep 60 >/dev/null 2>&1 & echo $!").ok();
    assert!(ran.took < SOON, "{ran}");
    node.sh(&format!("kill {}", ran.stdout)).ok();
    assert!(
        until(SOON, || !node.path(format!("/proc/{}", ran.stdout.trim())).exists()),
        "a dead orphan is left"
    );
    let talker = node.spawn(["sh", "-c", "echo one; sleep 60"]);
    assert!(
        talker.until_stdout(SOON, |said| said == "one\n"),
        "{} {} {}",
        talker.is_running(),
        talker.stdout(),
        talker.stderr()
    );
    assert!(talker.is_running());
    assert_eq!(talker.kill().signal, Some(9));
    let late =
        std::panic::catch_unwind(|| node.command(["sleep", "60"]).deadline(A_WHILE).run()).unwrap_err();
    assert!(late.downcast_ref::<String>().unwrap().starts_with("mail-1: sleep 60 is not over after"));
    assert!(until(SOON, || node.run(["pgrep", "-x", "sleep"]).status == Some(1)), "what was late is killed");
}

#[test]
fn nodes_reach_each_other_by_ssh() {
    if !needs_root() || !needs("openssh", Path::new("/usr/sbin/sshd").exists()) {
        return;
    }
    let started = Instant::now();
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    println!("two nodes with sshd: {:?}", started.elapsed());
    let ran =
        mail_1.command(["ssh", "root@mail-2", "hostname; cat; echo oops >&2; exit 4"]).stdin("hello").run();
    assert_eq!((ran.status, &*ran.stdout, &*ran.stderr), (Some(4), "mail-2\nhello", "oops\n"));
    println!("a command by ssh: {:?}", ran.took);
    let path =
        mail_1.run(["ssh", "root@mail-2", "command -v ims-switch; cat /proc/self/cgroup | tail -n 1"]).ok();
    assert_eq!(path.stdout, "/run/ims-bed/bin/ims-switch\n0::/\n");
    let session = mail_1.spawn(["ssh", "root@mail-2", "echo here; sleep 60"]);
    assert!(session.until_stdout(SOON, |said| said == "here\n"));
    mail_2.power_cut();
    let ran = session.wait(SOON).status_is(255);
    println!("a session sees that its peer lost power: {:?}", ran.took);
    let ran = mail_1.run(["ssh", "root@mail-2", "true"]).status_is(255);
    println!("ssh to a dead node: {:?}", ran.took);
}

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

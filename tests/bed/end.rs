//! The end of a bed: nothing is left behind, also when the test was killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{MMP, SOON, is_alive};
use crate::support::*;

/// Whether a loop device still stands over this file; its number alone may be another's by now.
fn is_in_use(backing: &str) -> bool {
    std::fs::read_dir("/sys/block").unwrap().flatten().any(|device| {
        std::fs::read_to_string(device.path().join("loop/backing_file"))
            .is_ok_and(|file| file.trim_end() == backing)
    })
}

/// The control groups of a test process.
fn groups_of(pid: u32) -> Vec<String> {
    let run = format!("ims-bed-{pid}-");
    control_groups().into_iter().filter(|group| group.starts_with(&run)).collect()
}

#[test]
fn a_bed_that_is_dropped_leaves_nothing_behind() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let disk = bed.disk(16, MMP);
    mail_1.attach(&disk);
    mail_1.sh("mount /dev/ims1 /mnt; mkdir -p /sys/fs/cgroup/ims/stork; sleep 60 >/dev/null 2>&1 &").ok();
    let sleeper = mail_2.spawn(["sleep", "60"]);
    let processes = [mail_1.processes(), mail_2.processes()].concat();
    let (backing, groups) = (disk.backing(), [mail_1.control_group(), mail_2.control_group()]);
    assert!(processes.len() >= 6 && processes.iter().all(|pid| is_alive(*pid)));
    assert!(is_in_use(&backing));
    assert!(groups.iter().all(|group| control_groups().contains(group)));
    drop(bed);
    assert!(processes.iter().all(|pid| !is_alive(*pid)));
    assert!(until(SOON, || groups.iter().all(|group| !control_groups().contains(group))));
    assert!(until(SOON, || !is_in_use(&backing)), "the loop devices outlive their bed");
    assert!(!disk.journal_is_dirty(), "the volume was unmounted");
    assert_eq!(sleeper.wait(SOON).signal, Some(9));
}

#[test]
fn a_killed_test_leaves_nothing_behind() {
    if !needs_root() {
        return;
    }
    if std::env::var_os("IMS_BED_TO_BE_KILLED").is_some() {
        return be_killed();
    }
    let test = "bed::end::a_killed_test_leaves_nothing_behind";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("IMS_BED_TO_BE_KILLED", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Vec<String> = lines.map(Result::unwrap).take_while(|line| line != "ready").collect();
    let all =
        |what: &'static str| said.iter().filter_map(move |line| line.split_once(what)).map(|(_, fact)| fact);
    let pids: Vec<u32> = all("pid ").map(|pid| pid.parse().unwrap()).collect();
    let backing = all("disk ").next().unwrap();
    assert!(pids.len() >= 5 && pids.iter().all(|pid| is_alive(*pid)), "{said:?}");
    assert!(is_in_use(backing), "{said:?}");
    assert_eq!(groups_of(child.id()).len(), 2, "{said:?}");
    child.kill().unwrap();
    let killed = Instant::now();
    assert!(until(SOON, || pids.iter().all(|pid| !is_alive(*pid))), "processes are left");
    // The kernel writes out and unmounts first, which on a busy machine takes its time.
    assert!(until(SOON * 3, || !is_in_use(backing)), "loop devices are left");
    assert!(until(SOON, || groups_of(child.id()).is_empty()), "left: {:?}", groups_of(child.id()));
    println!("all gone {:?} after the kill", killed.elapsed());
    child.wait().unwrap();
}

/// Makes a bed with all that a bed can have, tells what that is, and waits.
fn be_killed() {
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let disk = bed.disk(16, MMP);
    mail_1.attach(&disk);
    mail_1.sh("mount /dev/ims1 /mnt; mkdir -p /sys/fs/cgroup/ims/stork").ok();
    mail_1.spawn(["sleep", "600"]).stay();
    for pid in mail_1.processes().iter().chain(&mail_2.processes()) {
        println!("pid {pid}");
    }
    println!("disk {}", disk.backing());
    mail_2.freeze();
    println!("ready");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

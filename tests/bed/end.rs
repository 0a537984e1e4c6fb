//! The end of a bed: nothing is left behind, also when the test was killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
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

/// What is left of these control groups.
fn left(groups: &[String]) -> Vec<&String> {
    let all = control_groups();
    groups.iter().filter(|group| all.contains(group)).collect()
}

/// A test run of its own with a bed that has all that a bed can have, in its own pid namespace or in ours.
struct Other {
    run: Child,
    pids: Vec<u32>,
    disk: String,
    groups: Vec<String>,
}

impl Other {
    #[allow(clippy::zombie_processes)] // `drop` waits
    fn start(test: &str, in_our_pids: bool) -> Self {
        let us = std::env::current_exe().unwrap();
        let mut run = Command::new(if in_our_pids { us.as_os_str() } else { "unshare".as_ref() });
        if !in_our_pids {
            run.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(&us);
        }
        run.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("IMS_BED_TO_BE_KILLED", "1");
        let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(run.stdout.take().unwrap()).lines();
        let said: Vec<String> = lines.map(Result::unwrap).take_while(|line| line != "ready").collect();
        let all = |what: &str| -> Vec<String> {
            said.iter().filter_map(|line| line.split_once(what)).map(|(_, fact)| fact.to_owned()).collect()
        };
        let pids: Vec<u32> = all("pid ").iter().map(|pid| pid.parse().unwrap()).collect();
        let (disk, groups) = (all("disk ").pop().unwrap_or_default(), all("group "));
        let other = Self { run, pids, disk, groups };
        assert!(
            other.pids.len() >= 5 && is_in_use(&other.disk) && left(&other.groups).len() == 2,
            "{said:?}"
        );
        other
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let killed = self.run.kill().and_then(|()| self.run.wait());
        assert!(killed.is_ok() || std::thread::panicking(), "{killed:?}");
    }
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
    let mut other = Other::start("bed::end::a_killed_test_leaves_nothing_behind", true);
    assert!(other.pids.iter().all(|pid| is_alive(*pid)));
    other.run.kill().unwrap();
    let killed = Instant::now();
    assert!(until(SOON, || other.pids.iter().all(|pid| !is_alive(*pid))), "processes are left");
    // The kernel writes out and unmounts first, which on a busy machine takes its time.
    assert!(until(SOON * 3, || !is_in_use(&other.disk)), "loop devices are left");
    assert!(until(SOON, || left(&other.groups).is_empty()), "left: {:?}", left(&other.groups));
    println!("all gone {:?} after the kill", killed.elapsed());
}

#[test]
fn runs_that_do_not_see_each_other_s_pids_leave_each_other_s_beds_alone() {
    if !needs_root() {
        return;
    }
    if std::env::var_os("IMS_BED_TO_BE_KILLED").is_some() {
        return be_killed();
    }
    let test = "bed::end::runs_that_do_not_see_each_other_s_pids_leave_each_other_s_beds_alone";
    let bed = Bed::new();
    let node = bed.node("mail-1");
    // An empty one is what a sweep could take away.
    node.sh("mkdir -p /sys/fs/cgroup/ims/stork").ok();
    let is_whole = || node.sh("rmdir /sys/fs/cgroup/ims/stork && mkdir /sys/fs/cgroup/ims/stork").is_ok();

    let first = Other::start(test, false);
    assert!(is_whole(), "a run that comes takes away what is another's");
    let second = Other::start(test, false);
    assert!(first.groups.iter().all(|group| !second.groups.contains(group)));
    let groups = second.groups.clone();
    drop(second);
    assert!(is_whole(), "a run that ends takes away what is another's");
    assert_eq!(left(&first.groups).len(), 2, "a run that ends takes away what is another's");

    // The janitor of a pid namespace ends with it; the next run has one.
    let third = Other::start(test, true);
    assert!(until(SOON, || left(&groups).is_empty()), "left: {:?}", left(&groups));
    assert!(is_whole() && left(&first.groups).len() == 2);
    drop((first, third));
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
    println!("group {}\ngroup {}", mail_1.control_group(), mail_2.control_group());
    mail_2.freeze();
    println!("ready");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

//! The test bed itself: nodes, wires, disks and power cuts behave as the real things do.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;

/// For what should happen at once.
const SOON: Duration = Duration::from_secs(10);

/// Long enough that what has not happened by then was prevented.
const A_WHILE: Duration = Duration::from_millis(300);

const MMP: &str = "-O mmp -E mmp_update_interval=1";

fn connects(from: &Node, to: SocketAddr) -> bool {
    from.inside(|| TcpStream::connect_timeout(&to, A_WHILE).is_ok())
}

#[test]
fn two_nodes_with_a_disk_come_and_go_in_a_moment() {
    if !needs_root() {
        return;
    }
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        let bed = Bed::new();
        let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
        let disk = bed.disk(64, MMP);
        mail_1.attach(&disk);
        mail_2.attach(&disk);
        mail_1.run(["true"]).ok();
        mail_2.run(["true"]).ok();
        drop(bed);
        best = best.min(started.elapsed());
    }
    println!("two nodes and a disk, up and down again: {best:?}");
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[test]
fn nodes_reach_each_other_by_name_until_the_wire_is_cut() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let addresses: [IpAddr; 2] = [mail_2.address().into(), mail_2.address6().into()];
    let listeners = addresses.map(|address| mail_2.inside(|| TcpListener::bind((address, 25)).unwrap()));
    let all_reached = || listeners.iter().all(|listener| connects(&mail_1, listener.local_addr().unwrap()));
    let carrier = || mail_2.sh("cat /sys/class/net/eth0/carrier").ok().stdout;
    assert!(all_reached());
    assert_eq!(mail_1.sh("getent ahostsv4 mail-2 | head -n 1 | cut -d ' ' -f 1").ok().stdout, "192.0.2.12\n");
    assert_eq!(carrier(), "1\n");

    mail_2.cut();
    assert!(!connects(&mail_1, (mail_2.address(), 25).into()));
    assert!(!connects(&mail_1, (mail_2.address6(), 25).into()));
    assert_eq!(carrier(), "0\n", "a node sees that its wire is cut");
    assert!(connects(&mail_2, (mail_2.address(), 25).into()), "and still reaches itself");

    mail_2.join();
    assert!(until(SOON, all_reached));
}

#[test]
fn a_node_has_its_own_of_everything() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    assert_eq!(mail_1.run(["hostname"]).ok().stdout, "mail-1\n");
    assert_eq!(mail_1.read("/etc/hostname").unwrap(), "mail-1\n");
    mail_1.file("/etc/ims/nodes.toml", "of mail-1");
    assert_eq!(mail_1.read("/etc/ims/nodes.toml").unwrap(), "of mail-1");
    assert!(mail_2.read("/etc/ims/nodes.toml").is_err(), "a file of one node is not on the other");
    assert!(std::fs::metadata("/etc/ims/nodes.toml").is_err(), "nor on the host");
    let sleeper = mail_1.spawn(["sleep", "60"]);
    assert!(until(SOON, || mail_1.run(["pgrep", "-x", "sleep"]).is_ok()));
    mail_2.run(["pgrep", "-x", "sleep"]).status_is(1);
    assert!(mail_1.processes().contains(&sleeper.id()));
    // Its control group is the root of all that it sees, and every program begins there.
    assert_eq!(mail_1.run(["cat", "/proc/self/cgroup"]).ok().stdout.lines().last(), Some("0::/"));
    mail_1.sh("mkdir /sys/fs/cgroup/msg; echo $$ >/sys/fs/cgroup/msg/cgroup.procs; grep -qx 0::/msg /proc/self/cgroup").ok();
    // Of the host it sees no mounts.
    let mounts = mail_1.read("/proc/1/mountinfo").unwrap();
    let points: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
    assert!(points.contains(&"/proc") && points.iter().all(|point| !point.starts_with("/mnt")), "{points:?}");
    for program in ["ims-registry", "ims-ipbind", "ims-portcheck", "ims-probe", "ims-diskctl", "ims-switch"] {
        mail_1.sh(&format!("test \"$(command -v {program})\" = /run/ims-bed/bin/{program}")).ok();
    }
}

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
fn a_volume_that_is_alive_is_not_mounted_twice() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let disk = bed.disk(16, MMP);
    mail_1.attach(&disk);
    mail_2.attach(&disk);
    mail_1.run(["mount", "/dev/ims1", "/mnt"]).ok();
    assert!(mail_1.has_mounted(&disk));
    let ran = mail_2.run(["mount", "/dev/ims1", "/mnt"]);
    assert!(!ran.is_ok(), "{ran}");
    assert!(!mail_2.has_mounted(&disk));
    mail_1.run(["umount", "/mnt"]).ok();
    mail_2.run(["mount", "/dev/ims1", "/mnt"]).ok();
    assert!(mail_2.has_mounted(&disk));
}

#[test]
fn a_power_cut_leaves_the_volume_as_it_was_and_a_kill_does_not() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let disk = bed.disk(64, MMP);
    mail_1.attach(&disk);
    mail_2.attach(&disk);
    assert!(!disk.journal_is_dirty());

    mail_1.sh("mount /dev/ims1 /mnt; echo kept >/mnt/kept").ok();
    assert!(disk.journal_is_dirty());
    assert_ne!(disk.mmp_sequence(), MMP_CLEAN);
    let (pid, processes) = (mail_1.pid(), mail_1.processes());
    mail_1.kill();
    assert!(!disk.journal_is_dirty(), "the kernel unmounts what a killed node had mounted");
    assert_eq!(disk.mmp_sequence(), MMP_CLEAN);
    assert!(processes.contains(&pid));
    assert!(processes.iter().all(|pid| !is_alive(*pid)));

    mail_2.sh("mount /dev/ims1 /mnt; grep -qx kept /mnt/kept; echo synced >/mnt/synced; sync; echo lost >/mnt/lost").ok();
    let processes = mail_2.processes();
    mail_2.power_cut();
    assert!(disk.journal_is_dirty(), "a power cut leaves the journal dirty");
    assert_ne!(disk.mmp_sequence(), MMP_CLEAN, "and the MMP block");
    assert!(processes.iter().all(|pid| !is_alive(*pid)));
    assert!(!mail_2.is_up());

    mail_1.start_again();
    mail_1.sh("tune2fs -f -E clear_mmp /dev/ims1").ok();
    mail_1.sh("mount /dev/ims1 /mnt; grep -qx synced /mnt/synced").ok();
    mail_1.sh("test ! -s /mnt/lost").ok();
}

fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let disk = bed.disk(64, MMP);
    mail_1.attach(&disk);
    mail_2.attach(&disk);
    mail_1.sh("mount /dev/ims1 /mnt").ok();
    let writer = mail_1.spawn([
        "sh",
        "-euc",
        "n=0; while :; do n=$((n + 1)); echo $n | dd of=/mnt/$n conv=fsync status=none; echo $n; done",
    ]);
    assert!(writer.until_stdout(SOON, |said| said.lines().count() >= 20));
    let cut = Instant::now();
    mail_1.power_cut();
    println!("power cut while writing: {:?}", cut.elapsed());
    let ran = writer.wait(SOON);
    assert_eq!((ran.signal, &*ran.stderr), (Some(9), ""), "the writer must not see its disk go: {ran}");
    let acknowledged = ran.stdout.lines().count();
    assert!(acknowledged >= 20);

    mail_2.sh("tune2fs -f -E clear_mmp /dev/ims1; mount /dev/ims1 /mnt").ok();
    let ran = mail_2
        .sh(&format!("n=0; while [ $n -lt {acknowledged} ]; do n=$((n + 1)); grep -qx $n /mnt/$n; done"))
        .ok();
    println!("{acknowledged} of {acknowledged} there, {:?}", ran.took);
}

#[test]
fn a_cut_off_node_is_silent_at_once() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, client) = (bed.node("mail-1"), bed.client());
    let logical: SocketAddr = "192.0.2.50:25".parse().unwrap();
    mail_1.sh("ip addr add 192.0.2.50/24 dev eth0").ok();
    assert!(mail_1.has_address(logical.ip()) && !client.has_address(logical.ip()));
    let listener = mail_1.inside(|| TcpListener::bind(logical).unwrap());
    assert!(connects(&client, logical));
    mail_1.power_cut();
    drop(listener);
    client.sh("ip neigh flush dev eth0").ok();
    assert!(!connects(&client, logical));
    let neighbour = client.sh("ip neigh show 192.0.2.50").ok().stdout;
    assert!(!neighbour.contains("lladdr"), "a dead node answers ARP: {neighbour}");
}

#[test]
fn a_frozen_node_does_nothing_until_it_is_thawed() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let counter = node.spawn(["sh", "-c", "while :; do echo; sleep 0.01; done"]);
    let count = || counter.stdout().len();
    assert!(until(SOON, || count() > 3));
    node.freeze();
    let before = count();
    std::thread::sleep(A_WHILE);
    assert!(count() <= before + 1, "one line may have been on its way");
    let frozen = count();
    node.thaw();
    assert!(until(SOON, || count() > frozen + 3));
    node.freeze();
    node.power_cut();
    assert_eq!(counter.wait(SOON).signal, Some(9), "a frozen node loses its power like any other");
}

#[test]
fn a_node_comes_back_with_its_disk_and_without_its_memory() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let disk = bed.disk(16, &format!("{MMP} -L ims"));
    mail_1.attach(&disk);
    mail_1.sh("echo 1 >/run/pid; echo 1 >/tmp/x; echo 1 >/var/lib/ims/journal; mount /dev/disk/by-label/ims /mnt").ok();
    for _ in 0..3 {
        mail_1.power_cut();
        mail_1.power_cut();
        assert!(std::panic::catch_unwind(|| mail_1.run(["true"])).is_err(), "nothing runs without power");
        mail_1.start_again();
        mail_1
            .sh("test ! -e /run/pid; test ! -e /tmp/x; grep -qx 1 /var/lib/ims/journal; test -b /dev/ims1")
            .ok();
        mail_2.run(["ssh", "root@mail-1", "true"]).ok();
    }
    assert!(!mail_1.has_mounted(&disk));
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

#[test]
fn a_node_cuts_the_power_of_another_by_the_fence_agent() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    let agent = |options: &str| mail_1.command(bed.fence_command()).stdin(options).deadline(SOON).run();
    agent("action=status\nplug=mail-2\n").ok();
    bed.power_switch(Switch::Refuses);
    let ran = agent("action=off\nplug=mail-2\n").status_is(1);
    assert_eq!(ran.stderr, "the power switch refuses\n");
    assert!(mail_2.is_up());
    bed.power_switch(Switch::Hangs);
    let asker = mail_1.command(bed.fence_command()).stdin("action=off\nplug=mail-2\n").spawn();
    assert!(until(SOON, || bed.fence_requests().len() == 3));
    assert!(asker.is_running() && mail_2.is_up());
    asker.kill();
    bed.power_switch(Switch::Works);
    let ran = agent("action=off\nplug=mail-2\n").ok();
    assert!(!mail_2.is_up());
    println!("fencing: {:?}", ran.took);
    agent("action=off\nplug=mail-2\n").ok();
    agent("action=status\nplug=mail-2\n").status_is(2);
    agent("action=off\nplug=mail-9\n").status_is(1);
    mail_1.run([bed.fence_command(), vec!["--action=on".into(), "--plug=mail-2".into()]].concat()).ok();
    assert!(mail_2.is_up());
    assert_eq!(bed.fence_requests()[1], "off mail-2");
}

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
    let test = "bed::a_killed_test_leaves_nothing_behind";
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

//! The power: cut, given back, frozen, and cut by another node.

use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use super::{A_WHILE, MMP, SOON, connects, is_alive};
use crate::support::*;

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
    assert!(until(SOON, || connects(&client, logical)));
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
    assert!(!until(A_WHILE, || count() > before + 1), "one line may have been on its way");
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

//! The test bed itself: nodes, wires, disks and power cuts behave as the real things do.

mod end;
mod power;
mod programs;

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::*;

/// For what should happen at once.
const SOON: Duration = Duration::from_secs(30);

/// Long enough that what has not happened by then was prevented.
const A_WHILE: Duration = Duration::from_millis(300);

const MMP: &str = "-O mmp -E mmp_update_interval=1";

fn connects(from: &Node, to: SocketAddr) -> bool {
    from.inside(|| TcpStream::connect_timeout(&to, A_WHILE).is_ok())
}

fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
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
    assert!(until(SOON, all_reached));
    assert_eq!(mail_1.sh("getent ahostsv4 mail-2 | head -n 1 | cut -d ' ' -f 1").ok().stdout, "192.0.2.12\n");
    assert_eq!(carrier(), "1\n");

    mail_2.cut();
    assert!(!connects(&mail_1, (mail_2.address(), 25).into()));
    assert!(!connects(&mail_1, (mail_2.address6(), 25).into()));
    assert_eq!(carrier(), "0\n", "a node sees that its wire is cut");
    assert!(until(SOON, || connects(&mail_2, (mail_2.address(), 25).into())), "and still reaches itself");

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

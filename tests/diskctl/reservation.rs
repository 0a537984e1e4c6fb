//! Persistent reservations on a real SCSI target, the kernel's own (LIO): one disk, seen by two nodes by way of iSCSI.
//!
//! Both nodes are of one machine with a kernel of its own, each with its own host name, initiator and disk; what the
//! target refuses, it refuses to an initiator.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Machine, Ran, needs_root};

/// Makes the target, which keeps the registrations of both nodes also while they have no session; `login NODE ADDRESS DISK`
/// makes a session.
pub(super) const TARGET: &str = r"
PATH=$PATH:/var/lib/ims-tests/disks/sbin
for module in sd_mod target_core_file iscsi_target_mod iscsi_tcp; do modprobe $module; done
mount -t configfs none /sys/kernel/config
target=/sys/kernel/config/target
mkdir -p /run/target/pr /run/target/alua
echo /run/target >$target/dbroot
disk=$target/core/fileio_0/disk
mkdir -p $disk
truncate -s 64M /run/disk
echo fd_dev_name=/run/disk,fd_dev_size=67108864 >$disk/control
echo ims-1 >$disk/wwn/vpd_unit_serial
echo 1 >$disk/enable
name=iqn.2026-11.test.example
group=$target/iscsi/$name:disk/tpgt_1
mkdir -p $group/lun/lun_0
for address in 1 2 3 4 5 6; do mkdir -p $group/np/127.0.0.$address:3260; done
ln -s $disk $group/lun/lun_0/port
echo 0 >$group/attrib/authentication
for node in 1 2; do
    mkdir -p $group/acls/$name:mail-$node/lun_0
    ln -s $group/lun/lun_0 $group/acls/$name:mail-$node/lun_0/disk
done
echo 1 >$group/enable
login() {
    iscsistart -i $name:mail-$1 -t $name:disk -g 1 -a 127.0.0.$2 -p 3260
    # The kernel scans for its disk by itself and tells udev alone, which there is none of.
    tries=0
    until [ -b $3 ]; do tries=$((tries + 1)); [ $tries -lt 500 ]; sleep 0.02; done
}
";

/// For each node a session: `/dev/sda` is the disk of mail-1, `/dev/sdb` of mail-2.
const SESSIONS: &str = r#"
login 1 1 /dev/sda
login 2 2 /dev/sdb
mkfs.ext4 -q -O mmp -E mmp_update_interval=1 /dev/sda
blockdev --flushbufs /dev/sdb
mkdir -p /srv/1 /srv/2 /etc/ims
# One kernel signs for both, by the names of the disks.
printf '"mail:sda" = "mail-1"\n"mail:sdb" = "mail-2"\n' >/etc/ims/guard-names.toml
"#;

/// The two nodes.
pub(super) struct Pair(pub(super) Machine);

impl Pair {
    pub(super) fn new() -> Self {
        let mut machine = Machine::boot("mail", &[]);
        machine.sh(&format!("{TARGET}{SESSIONS}")).ok();
        Self(machine)
    }

    /// `ims-diskctl VERB` of a node.
    pub(super) fn run(&mut self, node: u8, line: &str) -> Ran {
        let disk = if node == 1 { "sda" } else { "sdb" };
        let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
        self.0.sh(&format!(
            "unshare --uts sh -c 'hostname mail-{node}; \
             exec ims-diskctl {verb} --device /dev/{disk} --mount /srv/{node} {more}'"
        ))
    }

    fn look(&mut self, node: u8) -> Value {
        self.run(node, "look").records().remove(0)
    }

    /// Who holds the disk, and how many keys are registered, as a node sees it.
    fn held(&mut self, node: u8) -> (Value, usize) {
        let reservation = &self.look(node)["reservation"];
        (reservation["held_by"].clone(), reservation["keys"].as_array().unwrap().len())
    }

    /// Whether a block can be written to the disk itself.
    fn writes(&mut self, node: u8) -> bool {
        let disk = if node == 1 { "sda" } else { "sdb" };
        // The last sectors, which hold no part of the file system's life.
        self.0.sh(&format!("dd if=/dev/zero of=/dev/{disk} bs=4096 seek=16383 count=1 oflag=direct")).is_ok()
    }
}

#[test]
fn the_disk_itself_lets_nobody_write_but_the_node_that_took_it() {
    if !needs_root() {
        return;
    }
    let mut pair = Pair::new();
    assert_eq!(pair.held(1), (Value::Null, 0));
    pair.run(1, "take").ok();
    assert_eq!((pair.held(1), pair.held(2)), (("mail-1".into(), 1), ("mail-1".into(), 1)));
    assert_eq!((pair.writes(1), pair.writes(2)), (true, false));

    let refused = pair.run(2, "take").status_is(4);
    assert!(refused.stderr.contains("/dev/sdb is reserved for mail-1"), "{}", refused.stderr);
    assert_eq!(pair.held(2), ("mail-1".into(), 1), "who was refused leaves no key behind");
    let again = pair.run(1, "take").ok().records();
    assert_eq!(again[0]["changed"], false);

    pair.run(1, "release").ok();
    assert_eq!(pair.held(1), (Value::Null, 0));
    pair.run(2, "take").ok();
    assert_eq!((pair.held(1), pair.writes(1), pair.writes(2)), (("mail-2".into(), 1), false, true));
    pair.run(2, "release").ok();
    assert_eq!(pair.held(2), (Value::Null, 0));

    // Fenced, and confirmed after its last sign of life: its disk is taken over without a word more. It lives all the same,
    // and gives signs until its disk is gone: the proof is as late as a clock may be.
    pair.run(1, "take").ok();
    pair.0
        .sh(r#"mkdir -p /var/lib/ims/fenced
             printf '{"schema":"ims.fenced/1","node":"mail-1","method":"fence_x","confirmed_by":"agent","time":"%s"}' \
                 "$(date -u -d "1 second" +%FT%TZ)" >/var/lib/ims/fenced/mail-1.json"#)
        .ok();
    pair.run(2, "take").ok();
    assert_eq!((pair.held(2), pair.writes(1), pair.writes(2)), (("mail-2".into(), 1), false, true));
}

#[test]
fn a_node_whose_disk_was_taken_away_while_it_was_frozen_writes_nothing_when_it_thaws() {
    if !needs_root() {
        return;
    }
    let mut pair = Pair::new();
    pair.run(1, "take").ok();
    // A writer that goes on and on, and stops at its first error.
    pair.0
        .sh("sh -c 'n=0; while echo $n >/srv/1/n$n && sync /srv/1/n$n; do n=$((n+1)); done' </dev/null >/dev/null 2>&1 &
             echo $! >/run/writer
             while [ ! -e /srv/1/n3 ]; do sleep 0.01; done # it writes by itself
             kill -STOP $(cat /run/writer); ls /srv/1 | grep -c ^n")
        .ok();
    let dry = pair.run(2, "take --preempt --dry-run").ok().records();
    let actions: Vec<&str> = dry.iter().map(|step| step["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["preempt", "clear-guard", "mount"]);

    let taken = pair.run(2, "take --preempt").ok();
    println!("taken away from a node that was alive: {:?}", taken.took);
    assert!(taken.took < Duration::from_secs(10), "the guard block was watched: {:?}", taken.took);
    assert_eq!(pair.held(2), ("mail-2".into(), 1));
    let before = pair.0.sh("ls /srv/2 | grep -c ^n").ok().stdout;

    pair.0.sh("kill -CONT $(cat /run/writer)").ok();
    // What it had written and synced before is there, and nothing of later.
    pair.0.sh("while kill -0 $(cat /run/writer) 2>/dev/null; do sleep 0.01; done # it ends by itself").ok();
    assert!(!pair.writes(1));
    assert_eq!(pair.0.sh("ls /srv/2 | grep -c ^n").ok().stdout, before);
    let frozen = pair.look(1);
    assert_eq!((&frozen["state"], &frozen["reservation"]["held_by"]), (&"partial".into(), &"mail-2".into()));
    assert!(frozen["why"].as_str().unwrap().contains("reserved for mail-2"), "{frozen}");
    let refused = pair.run(1, "take").status_is(4);
    assert!(refused.stderr.contains("can be written to it any more"), "{}", refused.stderr);

    // It is unmounted there and says what was lost; the other has a file system in order.
    let released = pair.run(1, "release");
    assert_eq!(released.status, Some(6), "{}", released.stderr);
    assert_eq!(pair.held(2), ("mail-2".into(), 1), "who gives up gives up nothing of another's");
    pair.run(2, "release").ok();
    pair.0.sh("e2fsck -fn /dev/sdb").ok();
    pair.run(1, "take").ok();
}

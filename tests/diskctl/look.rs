//! What `look` says, and that it never hangs.

use std::time::Duration;

use super::{Pair, record, text};
use crate::support::Bed;

#[test]
fn look_names_the_node_that_masters_the_volume_and_how_long_ago_it_was_alive() {
    let pair = Pair::new();
    let clean = record(&pair.run(&pair.one, "look", &[]).status_is(1));
    assert_eq!((text(&clean["state"]), text(&clean["guard"]["state"])), ("down", "clean"));
    assert!(clean["guard"]["held_by"].is_null(), "{clean}");
    assert_eq!((text(&clean["label"]), text(&clean["fstype"])), ("ims", "ext4"));
    pair.run(&pair.one, "take", &[]).ok();
    let here = record(&pair.run(&pair.one, "look", &[]).ok());
    assert_eq!((text(&here["state"]), text(&here["guard"]["held_by"])), ("up", "mail-1"));
    let there = record(&pair.run(&pair.two, "look", &[]).status_is(1));
    let guard = &there["guard"];
    assert_eq!((text(&there["state"]), text(&guard["state"])), ("down", "held"));
    assert_eq!(text(&guard["held_by"]), "mail-1");
    assert!((0..=20).contains(&guard["age_s"].as_i64().unwrap()), "{guard}");
    assert_eq!((guard["interval_s"].as_u64(), guard["wait_s"].as_u64()), (Some(1), Some(22)));
    assert_eq!(there["uuid"], here["uuid"]);
    assert_eq!(there["needs_recovery"], true);
}

#[test]
fn look_writes_nothing() {
    let pair = Pair::new();
    let before = pair.disk.read(0, 32 << 20);
    pair.run(&pair.one, "look", &[]).status_is(1);
    assert!(before == pair.disk.read(0, 32 << 20), "the disk is another");
}

#[test]
fn what_is_mounted_in_another_way_is_partial_and_says_how() {
    let pair = Pair::new();
    for (make, undo, why) in [
        ("mount -o ro /dev/ims1 /srv/ims", "umount /srv/ims", "it is mounted read-only"),
        ("mount /dev/ims1 /mnt", "umount /mnt", "it is mounted elsewhere on this node"),
        ("mount -t tmpfs x /srv/ims", "umount /srv/ims", "is mounted there"),
    ] {
        pair.one.sh(make).ok();
        let record = record(&pair.run(&pair.one, "look", &[]).status_is(3));
        assert_eq!(text(&record["state"]), "partial", "{make}");
        assert!(text(&record["why"]).contains(why), "{make}: {record}");
        pair.one.sh(undo).ok();
    }
}

#[test]
fn a_mount_is_known_by_the_device_and_not_by_its_path() {
    let pair = Pair::new();
    pair.one.sh("ln -s /srv /by-link").ok();
    let by = |device: &str, mount: &str| {
        pair.one.run(["ims-diskctl", "look", "--device", device, "--mount", mount])
    };
    by("/dev/disk/by-label/ims", "/srv/ims").status_is(1);
    pair.run(&pair.one, "take", &[]).ok();
    by("/dev/disk/by-label/ims", "/srv/ims").ok();
    by("/dev/ims1", "/by-link/ims").ok();
}

#[test]
fn a_device_that_cannot_be_looked_at_is_unknown_and_a_folder_is_a_usage_error() {
    let pair = Pair::new();
    for (device, status, words) in [
        (
            "/dev/ims9",
            3,
            "cannot find /dev/ims9: No such file or directory (is the disk attached to this node?)",
        ),
        ("/srv", 2, "/srv is not a block device"),
    ] {
        let ran = pair.one.run(["ims-diskctl", "look", "--device", device, "--mount", "/srv/ims"]);
        assert_eq!(ran.status_is(status).stderr, format!("ims-diskctl: {words}\n"));
    }
    let ran = pair
        .one
        .sh("setpriv --reuid 65534 --regid 65534 --clear-groups ims-diskctl look --device /dev/ims1 --mount /srv/ims");
    let record = record(&ran.status_is(3));
    assert_eq!(text(&record["why"]), "cannot read /dev/ims1: Permission denied (run as root)");
}

#[test]
fn a_damaged_guard_is_unknown() {
    let pair = Pair::new();
    let at = guard_at(&pair) + 500;
    pair.disk.write(at, b"x");
    let record = record(&pair.run(&pair.one, "look", &[]).status_is(3));
    assert_eq!((text(&record["state"]), text(&record["guard"]["state"])), ("unknown", "unreadable"));
    let ran = pair.run(&pair.one, "take", &[]).status_is(3);
    assert_eq!(ran.stderr, "ims-diskctl: cannot read the guard of /dev/ims1: its checksum is wrong\n");
}

#[test]
fn a_disk_without_a_file_system_is_told() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let disk = bed.blank_disk(4);
    node.attach(&disk);
    node.sh("mkdir /srv/ims").ok();
    let look = node.run(["ims-diskctl", "look", "--device", "/dev/ims1", "--mount", "/srv/ims"]).status_is(1);
    let record = record(&look);
    assert!(record["fstype"].is_null() && record["guard"]["kind"] == "none", "{record}");
    let take = node.run(["ims-diskctl", "take", "--device", "/dev/ims1", "--mount", "/srv/ims"]).status_is(2);
    assert!(take.stderr.contains("no ext4 on /dev/ims1"), "{take}");
}

#[test]
fn a_disk_that_hangs_is_unknown_when_the_time_is_up() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let hang = "strace -f -qq -o /dev/null -P /dev/ims1 -e trace=pread64 -e inject=pread64:delay_enter=10s ims-diskctl \
                look --device /dev/ims1 --mount /srv/ims --timeout 2s";
    let ran = pair.one.command(["sh", "-c", hang]).deadline(Duration::from_secs(60)).run().status_is(3);
    let record = record(&ran);
    assert_eq!((text(&record["state"]), text(&record["guard"]["kind"])), ("unknown", "unknown"));
    assert_eq!(text(&record["why"]), "cannot read /dev/ims1: it did not answer within 2s");
}

/// Where the guard block stands on the disk.
pub fn guard_at(pair: &Pair) -> u64 {
    let number = |at, length| {
        pair.disk.read(at, length).iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    number(1024 + 0x168, 8) * (1024 << number(1024 + 0x18, 4))
}

/// A file system whose server is dead: whoever asks it something waits for good, as on NFS with `hard`.
const DEAD: &str = r#"
open(my $fuse, "+<", "/dev/fuse") or die "/dev/fuse: $!";
my $options = "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0";
my ($what, $where, $how) = ("dead", "/dead", "fuse");
syscall(165, $what, $where, $how, 0, $options) == 0 or die "mount: $!"; # x86-64: mount(2)
$| = 1;
print "mounted\n";
sleep 600;
"#;

#[test]
fn a_mount_whose_server_is_dead_holds_nobody_up() {
    let pair = Pair::new();
    let node = &pair.one;
    node.sh("mkdir -p /dead; test -e /dev/fuse || mknod /dev/fuse c 10 229").ok();
    let dead = node.spawn(["perl", "-e", DEAD]);
    assert!(dead.until_stdout(Duration::from_secs(10), |said| said.contains("mounted")), "{}", dead.stderr());
    pair.run(node, "take", &[]).ok();
    let _user = node.spawn(["sh", "-c", "exec tail -f /dead/x"]); // a process that hangs there
    let look = pair.run(node, "look", &["--timeout", "1s"]).ok();
    assert_eq!(text(&record(&look)["state"]), "up", "a dead mount elsewhere does not matter");
    pair.run(node, "release", &["--timeout", "5s"]).ok();
    let ran = node
        .command(["ims-diskctl", "look", "--device", "/dev/ims1", "--mount", "/dead/ims", "--timeout", "1s"])
        .deadline(Duration::from_secs(20))
        .run()
        .status_is(3);
    let record = record(&ran);
    assert_eq!(text(&record["state"]), "unknown", "{record}");
}

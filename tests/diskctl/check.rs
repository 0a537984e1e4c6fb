//! `check`: a volume that is well, full, damaged, lost and silent.

use std::time::Duration;

use serde_json::Value;

use super::{Pair, record, text};
use crate::support::{Bed, Machine, Node, Ran, needs_root};

/// What was found, in the order of the record.
fn findings(record: &Value) -> Vec<&str> {
    record["findings"].as_array().unwrap().iter().map(|finding| text(&finding["what"])).collect()
}

#[test]
fn a_volume_that_is_well_says_how_full_it_is_and_is_left_as_it_was() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let before = pair.one.sh("ls -la /srv/ims").ok().stdout;
    let ran = pair.run(&pair.one, "check", &[]).ok();
    let well = record(&ran);
    assert_eq!((text(&well["state"]), findings(&well), ran.stderr.as_str()), ("up", vec![], ""));
    assert!(
        well["write_us"].as_u64().unwrap() > 0 && well["space"]["total"].as_u64().unwrap() > 1 << 20,
        "{well}"
    );
    assert!(well["inodes"]["used_percent"].as_u64().unwrap() <= 2, "{well}");
    assert_eq!(
        (&well["errors"][0]["what"], &well["errors"][0]["count"]),
        (&"errors_count".into(), &0.into())
    );
    assert!(text(&well["disks"][0]["name"]).starts_with("loop"), "{well}");
    assert_eq!(pair.one.sh("ls -la /srv/ims").ok().stdout, before);
    let table = pair.run(&pair.one, "check", &["-o", "table"]).ok().stdout;
    assert!(table.lines().nth(1).unwrap().contains("  up  "), "{table}");
}

#[test]
fn what_exceeds_a_limit_is_partial_and_told_on_stderr() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    for (limit, what, words) in [
        ("--max-space=0", "space", "% of its space used, more than 0 %"),
        ("--max-inodes=0", "inodes", "% of its inodes used, more than 0 %"),
        ("--max-write=0ms", "slow", "a write took"),
    ] {
        let ran = pair.run(&pair.one, "check", &[limit]).status_is(3);
        let record = record(&ran);
        assert_eq!((text(&record["state"]), findings(&record)), ("partial", vec![what]), "{limit}");
        assert!(ran.stderr.starts_with("ims-diskctl: /dev/ims1: ") && ran.stderr.contains(words), "{ran}");
    }
    // Root too has no block left.
    pair.one.sh("dd if=/dev/zero of=/srv/ims/x bs=1M 2>/dev/null || sync; n=0
         while echo x >/srv/ims/$n && sync /srv/ims/$n; do n=$((n + 1)); done 2>/dev/null");
    let full = record(&pair.run(&pair.one, "check", &[]).status_is(3));
    assert_eq!(findings(&full), ["space", "space"], "{full}");
    let wrong = pair.run(&pair.one, "check", &["--max-space", "101"]).status_is(2);
    assert!(wrong.stderr.contains("not a percentage: '101' (0 to 100)"), "{wrong}");
}

#[test]
fn a_volume_that_cannot_be_written_here_is_down() {
    let pair = Pair::new();
    let check = || record(&pair.run(&pair.one, "check", &[]).status_is(1));
    let absent = check();
    assert_eq!((text(&absent["state"]), findings(&absent)), ("down", vec!["not_mounted"]));
    pair.run(&pair.one, "take", &[]).ok();
    assert_eq!(findings(&record(&pair.run(&pair.two, "check", &[]).status_is(1))), ["not_mounted"]);
    pair.one.sh("mount -o remount,ro /srv/ims").ok();
    assert_eq!(findings(&check()), ["read_only"]);
    pair.one.sh("mount -o remount,rw /srv/ims; mount -t tmpfs x /srv/ims").ok();
    let hidden = check();
    assert_eq!(findings(&hidden), ["not_mounted"]);
    assert!(text(&hidden["findings"][0]["words"]).contains("(tmpfs) is mounted there"), "{hidden}");
    pair.one.sh("umount /srv/ims").ok();
    // As errors do it: a kernel since 6.15 says rw still.
    pair.one.sh("mount -o remount,abort /srv/ims").ok();
    assert_eq!(findings(&check())[0], "read_only");
    let look = pair.run(&pair.one, "look", &[]).status_is(3);
    assert_eq!(text(&record(&look)["state"]), "partial", "{look}");
    pair.run(&pair.one, "take", &[]).status_is(4);
    pair.one.sh("rm /dev/ims1").ok();
    let ran = pair.run(&pair.one, "check", &[]).status_is(3);
    assert_eq!(findings(&record(&ran)), ["unreadable"], "its disk is there, by another name");
}

#[test]
fn a_link_under_our_name_is_not_followed_and_another_user_is_told_to_be_root() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    pair.one.sh("ln -s /etc/passwd /srv/ims/.ims-diskctl.check; md5sum </etc/passwd >/run/before").ok();
    pair.run(&pair.one, "check", &[]).ok();
    pair.one.sh("md5sum </etc/passwd | cmp - /run/before; test -L /srv/ims/.ims-diskctl.check").ok();
    let ran = pair.one.sh(
        "setpriv --reuid 65534 --regid 65534 --clear-groups ims-diskctl check --device /dev/ims1 --mount /srv/ims",
    );
    assert!(ran.status_is(3).stderr.contains("run as root"));
}

/// A node with a file system of this type on two disks of so many MiB, made by a command and mounted.
fn mounted(fstype: &str, mib: u64, mkfs: &str) -> (Bed, Node) {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    for _ in 0..2 {
        node.attach(&bed.blank_disk(mib));
    }
    node.sh(&format!(
        "PATH=$PATH:/var/lib/ims-tests/layers/sbin:/var/lib/ims-tests/layers/bin; {mkfs}; mkdir /srv/ims"
    ))
    .ok();
    node.run([
        "ims-diskctl",
        "take",
        "--device",
        "/dev/ims1",
        "--mount",
        "/srv/ims",
        "--fstype",
        fstype,
        "--guard",
        "none",
    ])
    .ok();
    (bed, node)
}

fn check_of(node: &Node, fstype: &str) -> Ran {
    node.run(["ims-diskctl", "check", "--device", "/dev/ims1", "--mount", "/srv/ims", "--fstype", fstype])
}

#[test]
fn xfs_that_was_shut_down_is_down_and_btrfs_tells_what_each_device_counted() {
    if !needs_root() {
        return;
    }
    let (_xfs, node) = mounted("xfs", 320, "mkfs.xfs -q /dev/ims1");
    let well = record(&check_of(&node, "xfs").ok());
    assert_eq!((&well["fstype"], &well["errors"][0]["what"]), (&"xfs".into(), &"sick".into()), "{well}");
    node.sh("PATH=$PATH:/var/lib/ims-tests/layers/usr/sbin; xfs_io -x -c shutdown /srv/ims").ok();
    let down = check_of(&node, "xfs").status_is(1);
    assert_eq!(findings(&record(&down)), ["lost"], "{down}");

    let (_btrfs, node) = mounted(
        "btrfs",
        128,
        "mknod /dev/btrfs-control c 10 234; mkfs.btrfs -q -d raid1 -m raid1 /dev/ims1 /dev/ims2",
    );
    let well = record(&check_of(&node, "btrfs").ok());
    assert_eq!(
        (well["errors"].as_array().unwrap().len(), well["disks"].as_array().unwrap().len()),
        (10, 2),
        "{well}"
    );
    assert!(well["inodes"].is_null() && well["space"]["total"].is_u64(), "{well}");
    // One copy of a file is overwritten behind the back of the file system, which finds it out and counts.
    node.sh("PATH=$PATH:/var/lib/ims-tests/layers/bin
         head -c 1M /dev/zero | tr '\\0' 'x' >/srv/ims/x; sync
         at=$(grep -abo xxxxxxxx /dev/ims2 | head -1 | cut -d: -f1)
         dd if=/dev/zero of=/dev/ims2 bs=4096 seek=$((at / 4096)) count=8 oflag=direct 2>/dev/null
         btrfs scrub start -B /srv/ims")
        .ok();
    let damaged = record(&check_of(&node, "btrfs").status_is(3));
    assert_eq!(findings(&damaged), ["errors"], "{damaged}");
    assert!(
        text(&damaged["findings"][0]["words"]).starts_with("corruption_errs of device 2 is "),
        "{damaged}"
    );
}

/// A machine with SCSI disks: `/dev/sda` below a device that can be made to fail (the error target of device mapper) and
/// to hang (a suspended one), and `/dev/sdb` to be taken away.
const DISKS: &str = r#"
for module in sd_mod scsi_debug dm-mod; do modprobe $module; done
for disk in a b; do
    # The kernel scans for its disks by itself and tells udev alone, which there is none of.
    tries=0
    until [ -b /dev/sd$disk ]; do tries=$((tries + 1)); [ $tries -lt 500 ]; sleep 0.02; done
done
dmsetup create bad --table "0 65536 linear /dev/sda 0"
dmsetup mknodes
for disk in mapper/bad sdb; do
    mkfs.ext4 -q -O mmp -E mmp_update_interval=1 /dev/$disk
    mkdir -p /srv/${disk##*/}
    ims-diskctl take --device /dev/$disk --mount /srv/${disk##*/}
done
"#;

/// The machine.
struct Mail(Machine);

impl Mail {
    fn new() -> Self {
        let mut mail = Self(Machine::boot("mail", &[]));
        mail.sh("modprobe scsi_mod; echo 'options scsi_debug dev_size_mb=33 add_host=2 per_host_store=1 delay=0' >/etc/modprobe.d/ims.conf").ok();
        mail.sh(DISKS).ok();
        mail
    }

    fn sh(&mut self, script: &str) -> Ran {
        self.0.sh(&format!(
            "PATH=$PATH:/var/lib/ims-tests/layers/sbin:/var/lib/ims-tests/smart/usr/sbin\n{script}"
        ))
    }

    /// `ims-diskctl check` of the volume on a device.
    fn check(&mut self, device: &str, more: &str) -> Ran {
        let name = device.rsplit('/').next().unwrap();
        self.sh(&format!("exec ims-diskctl check --device /dev/{device} --mount /srv/{name} {more}"))
    }
}

#[test]
fn storage_that_fails_is_down_and_storage_that_hangs_is_unknown_when_the_time_is_up() {
    if !needs_root() {
        return;
    }
    let mut mail = Mail::new();
    let well = record(&mail.check("mapper/bad", "").ok());
    let disk = &well["disks"][0];
    assert_eq!(
        (&disk["name"], &disk["state"], &disk["smart"]["passed"]),
        (&"sda".into(), &"running".into(), &true.into())
    );
    assert!(disk["errors"].is_u64(), "{disk}");

    // The kernel met an error: it goes on, and counts it.
    mail.sh("echo test >/sys/fs/ext4/dm-0/trigger_fs_error").ok();
    let damaged = record(&mail.check("mapper/bad", "").status_is(3));
    assert_eq!((text(&damaged["state"]), findings(&damaged)), ("partial", vec!["errors"]));
    let words = text(&damaged["findings"][0]["words"]);
    assert!(words.starts_with("errors_count of dm-0 is 1, the last one at 20"), "{words}");

    // It hangs.
    mail.sh("dmsetup suspend --nolockfs bad").ok();
    let hung = mail.check("mapper/bad", "--timeout 1s").status_is(3);
    assert!(hung.took < Duration::from_secs(9), "without that it is 10 s: {:?}", hung.took);
    assert_eq!((text(&record(&hung)["state"]), findings(&record(&hung))[0]), ("unknown", "silent"));
    let again = mail.check("mapper/bad", "--timeout 1s").status_is(3);
    assert!(again.stderr.contains("an earlier check waits for the disk still"), "{again}");
    mail.sh("test $(pgrep -c -f 'exe hand') = 1").ok();

    // It answers again, and then no more with anything but errors.
    mail.sh("dmsetup resume bad; while pgrep -f 'exe hand' >/dev/null; do sleep 0.05; done # they end by themselves").ok();
    assert_eq!(findings(&record(&mail.check("mapper/bad", "").status_is(3))), ["errors"]);
    mail.sh("dmsetup suspend --nolockfs bad; echo 0 65536 error | dmsetup load bad; dmsetup resume bad").ok();
    let lost = mail.check("mapper/bad", "").status_is(1);
    assert!(lost.took < Duration::from_secs(9), "{:?}", lost.took);
    assert_eq!(text(&record(&lost)["state"]), "down");
    assert!(lost.stderr.contains("nothing can be written: "), "{lost}");

    // A disk that its driver gave up, and one that is pulled.
    mail.check("sdb", "").ok();
    mail.sh("echo offline >/sys/block/sdb/device/state").ok();
    let offline = record(&mail.check("sdb", "").status_is(1));
    assert!(findings(&offline).contains(&"disk") && findings(&offline).contains(&"lost"), "{offline}");
    mail.sh("echo 1 >/sys/block/sdb/device/delete; while [ -e /dev/sdb ]; do sleep 0.05; done # the kernel's own work").ok();
    let gone = mail.check("sdb", "").status_is(1);
    assert!(gone.stderr.contains("its device is gone: "), "{gone}");
}

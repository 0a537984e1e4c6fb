//! `check`: a volume that is well, full, damaged, lost and silent.

use std::time::Duration;

use serde_json::Value;

use super::{Pair, record, text};
use crate::support::{Machine, Ran, needs_root};

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
    pair.one.sh("dd if=/dev/zero of=/srv/ims/x bs=1M 2>/dev/null; dd if=/dev/zero of=/srv/ims/y bs=1k 2>/dev/null; true");
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

/// A machine with a disk that can be made to fail (the error target of device mapper), to hang (a suspended one), and
/// a SCSI disk that can be taken away.
const DISKS: &str = r#"
PATH=$PATH:/var/lib/ims-tests/layers/sbin
export LD_LIBRARY_PATH=/var/lib/ims-tests/layers/lib/x86_64-linux-gnu
modprobe dm-mod
dmsetup create bad --table "0 65536 linear /dev/ubda 0"
dmsetup mknodes
mkfs.ext4 -q -O mmp -E mmp_update_interval=1 /dev/mapper/bad
mkdir -p /srv/bad
"#;

/// `ims-diskctl check` in the machine.
fn check(machine: &mut Machine, more: &str) -> Ran {
    machine.sh(&format!("exec ims-diskctl check --device /dev/mapper/bad --mount /srv/bad {more}"))
}

#[test]
fn storage_that_fails_is_down_and_storage_that_hangs_is_unknown_when_the_time_is_up() {
    if !needs_root() {
        return;
    }
    let disk = crate::support::Disk::blank("ubda".into(), None, 32);
    let mut machine = Machine::boot("mail", &[&disk]);
    machine.sh(DISKS).ok();
    let dm = "PATH=$PATH:/var/lib/ims-tests/layers/sbin; export LD_LIBRARY_PATH=/var/lib/ims-tests/layers/lib/x86_64-linux-gnu;";
    machine.sh("ims-diskctl take --device /dev/mapper/bad --mount /srv/bad").ok();
    let well = record(&check(&mut machine, "").ok());
    assert_eq!(well["disks"][0]["name"], "ubda", "{well}");

    // The kernel met an error: it goes on, and counts it.
    machine.sh("echo test >/sys/fs/ext4/dm-0/trigger_fs_error").ok();
    let damaged = record(&check(&mut machine, "").status_is(3));
    assert_eq!((text(&damaged["state"]), findings(&damaged)), ("partial", vec!["errors"]));
    assert!(
        text(&damaged["findings"][0]["words"]).starts_with("errors_count of dm-0 is 1, the last one at 20"),
        "{damaged}"
    );

    // It hangs.
    machine.sh(&format!("{dm} dmsetup suspend --nolockfs bad")).ok();
    let hung = check(&mut machine, "--timeout 1s").status_is(3);
    assert!(hung.took < Duration::from_secs(3), "{:?}", hung.took);
    assert_eq!((text(&record(&hung)["state"]), findings(&record(&hung))[0]), ("unknown", "silent"));
    let again = check(&mut machine, "--timeout 1s").status_is(3);
    assert!(again.stderr.contains("an earlier check waits for the disk still"), "{again}");
    machine.sh("test $(pgrep -c -f 'exe hand') = 1").ok();

    // It answers again, and then no more with anything but errors.
    machine.sh(&format!("{dm} dmsetup resume bad")).ok();
    machine
        .sh("while pgrep -f 'exe hand' >/dev/null; do sleep 0.05; done # the hands end by themselves")
        .ok();
    assert_eq!(findings(&record(&check(&mut machine, "").status_is(3))), ["errors"]);
    machine
        .sh(&format!(
            "{dm} dmsetup suspend --nolockfs bad; echo 0 65536 error | dmsetup load bad; dmsetup resume bad"
        ))
        .ok();
    let lost = check(&mut machine, "").status_is(1);
    assert!(lost.took < Duration::from_secs(3), "{:?}", lost.took);
    assert_eq!(text(&record(&lost)["state"]), "down");
    assert!(lost.stderr.contains("nothing can be written: "), "{lost}");
}

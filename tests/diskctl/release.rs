//! `release`: who is in the way, and what happens when it cannot end.

use std::time::Duration;

use super::{Pair, record, record_of, text};
use crate::support::{MMP_CLEAN, until};

#[test]
fn a_volume_in_use_stays_mounted_and_the_users_are_named() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    pair.one.sh("cp $(command -v sleep) /srv/ims/lingerer").ok();
    for (script, command, uses) in [
        ("cd /srv/ims; echo up; exec sleep 100", "sleep", "folder"),
        ("exec 7>/srv/ims/log; echo up; exec sleep 100", "sleep", "file"),
        ("echo up; exec /srv/ims/lingerer 100", "lingerer", "program, mapping"),
    ] {
        let user = pair.one.spawn(["sh", "-c", script]);
        assert!(user.until_stdout(Duration::from_secs(10), |out| out == "up\n"));
        assert!(crate::support::until(Duration::from_secs(10), || {
            let comm = fs_err::read_to_string(format!("/proc/{}/comm", user.id()));
            comm.is_ok_and(|comm| comm.trim() == command)
        }));
        for more in [&[][..], &["-n"]] {
            let ran = pair.run(&pair.one, "release", more).status_is(5);
            let volume = record_of(&ran, "ims.volume/1");
            let users = volume["users"].as_array().unwrap();
            assert_eq!((users.len(), text(&users[0]["command"])), (1, command), "{ran}");
            let pid = &users[0]["pid"];
            assert!(
                ran.stderr.starts_with(&format!(
                    "ims-diskctl: /srv/ims is used by pid {pid} ({command}): {uses}, since 20"
                )),
                "{ran}"
            );
            assert!(ran.stderr.contains(&format!("/srv/ims is in use: by pid {pid} (")), "{ran}");
            assert!(pair.one.has_mounted(&pair.disk));
        }
        user.kill();
    }
    pair.run(&pair.one, "release", &[]).ok();
}

#[test]
fn what_is_mounted_below_or_elsewhere_or_in_its_place_keeps_it_from_being_released() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    for (make, undo, status, words) in [
        (
            "mkdir /srv/ims/x; mount -t tmpfs x /srv/ims/x",
            "umount /srv/ims/x",
            5,
            "/srv/ims/x is mounted below it",
        ),
        ("mount --bind /srv/ims /mnt", "umount /mnt", 4, "/dev/ims1 is mounted on /mnt too"),
        (
            "mount -t tmpfs x /srv/ims",
            "umount /srv/ims",
            4,
            "(tmpfs) is mounted on /srv/ims, and not /dev/ims1",
        ),
    ] {
        pair.one.sh(make).ok();
        let ran = pair.run(&pair.one, "release", &[]).status_is(status);
        assert!(ran.stderr.contains(words), "{make}: {ran}");
        pair.one.sh(undo).ok();
    }
    let elsewhere =
        pair.one.run(["ims-diskctl", "release", "--device", "/dev/ims1", "--mount", "/mnt"]).status_is(4);
    assert!(elsewhere.stderr.contains("/dev/ims1 is mounted on /srv/ims and not on /mnt"), "{elsewhere}");
    pair.one.run(["ims-diskctl", "release", "--device", "/dev/ims9", "--mount", "/mnt"]).status_is(3);
    pair.one.run(["ims-diskctl", "release", "--device", "/srv", "--mount", "/mnt"]).status_is(2);
    pair.run(&pair.one, "release", &[]).ok();
}

#[test]
fn another_mount_namespace_that_has_it_on_its_own_account_is_named() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let other =
        pair.one.spawn(["unshare", "-m", "--propagation", "private", "sh", "-c", "echo up; exec sleep 100"]);
    assert!(other.until_stdout(Duration::from_secs(10), |out| out == "up\n"));
    let ran = pair.run(&pair.one, "release", &[]).status_is(5);
    assert!(ran.stderr.contains(": namespace, since "), "{ran}");
    assert!(pair.one.has_mounted(&pair.disk));
    other.kill();
    pair.run(&pair.one, "release", &[]).ok();
}

#[test]
fn a_volume_that_only_another_mount_namespace_has_is_never_called_given_up() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let other =
        pair.one.spawn(["unshare", "-m", "--propagation", "private", "sh", "-c", "echo up; exec sleep 100"]);
    assert!(other.until_stdout(Duration::from_secs(10), |out| out == "up\n"));
    pair.one.sh("umount /srv/ims").ok();
    for more in [&[][..], &["-n"], &[]] {
        let ran = pair.run(&pair.one, "release", more).status_is(5);
        assert!(ran.stderr.contains(": namespace, since "), "{ran}");
        assert_ne!(pair.disk.mmp_sequence(), MMP_CLEAN, "the kernel has it still");
    }
    other.kill();
    assert!(until(Duration::from_secs(10), || pair.disk.mmp_sequence() == MMP_CLEAN));
    pair.run(&pair.one, "release", &[]).ok();
}

#[test]
fn a_volume_that_a_mount_namespace_without_a_process_has_is_never_called_given_up() {
    for guard in ["auto", "none"] {
        let pair = Pair::new();
        if guard == "none" {
            pair.one.sh("tune2fs -O ^mmp /dev/ims1").ok();
        }
        let release = || pair.run(&pair.one, "release", &["--guard", guard]);
        pair.run(&pair.one, "take", &["--guard", guard]).ok();
        pair.one
            .sh("mkdir -p /run/pins && mount --bind /run/pins /run/pins && mount --make-private /run/pins &&
                 touch /run/pins/ns")
            .ok();
        // unshare may bind the namespace before that is there, which the kernel refuses.
        let pinned = || pair.one.sh("unshare --mount=/run/pins/ns --propagation private true").is_ok();
        assert!(until(Duration::from_secs(10), pinned));
        for _ in 0..3 {
            let ran = release().status_is(6);
            assert!(ran.stderr.contains("another mount namespace of this node has it"), "{ran}");
        }
        pair.one.sh("umount /run/pins/ns").ok();
        assert!(until(Duration::from_secs(40), || release().status == Some(0)));
        pair.one.sh("umount /run/pins").ok();
    }
}

#[test]
fn what_is_in_memory_is_written_out_while_the_volume_is_in_use() {
    let pair = Pair::new();
    let presync = |more: &[&str]| pair.run(&pair.one, "release", &[&["--presync"], more].concat());
    let nothing = record(&presync(&[]).ok());
    assert_eq!((&nothing["state"], &nothing["sync_ms"]), (&"down".into(), &serde_json::Value::Null));
    pair.run(&pair.one, "take", &[]).ok();
    let writer =
        pair.one.spawn(["sh", "-c", "exec 7>/srv/ims/log; echo acknowledged >&7; echo up; exec sleep 100"]);
    assert!(writer.until_stdout(Duration::from_secs(10), |out| out == "up\n"));
    let steps = presync(&["-n"]).ok().records();
    assert_eq!((steps.len(), text(&steps[0]["action"])), (1, "sync"));
    let ran = presync(&[]).ok();
    let written = record(&ran);
    assert_eq!((text(&written["state"]), &written["changed"]), ("up", &false.into()), "{ran}");
    assert!(written["sync_ms"].is_u64(), "{ran}");
    let on_disk = pair.disk.read(0, 32 << 20);
    assert!(on_disk.windows(12).any(|bytes| bytes == b"acknowledged"), "it is on the disk");
    let failed = pair.one.sh("strace -f -qq -o /dev/null -e trace=syncfs -e inject=syncfs:error=EIO \
         ims-diskctl release --presync --device /dev/ims1 --mount /srv/ims");
    assert!(failed.status_is(5).stderr.contains("not everything could be written out to /srv/ims"));
    assert!(pair.one.has_mounted(&pair.disk));
}

#[test]
fn an_unmount_that_hangs_is_unknown_when_the_time_is_up() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let hang = "strace -f -qq -o /dev/null -e trace=umount2 -e inject=umount2:delay_enter=10s \
                ims-diskctl release --device /dev/ims1 --mount /srv/ims --timeout 3s";
    let ran = pair.one.command(["sh", "-c", hang]).deadline(Duration::from_secs(60)).run().status_is(3);
    assert!(
        ran.stderr.contains("/srv/ims was not released within 3s: its unmount is still under way"),
        "{ran}"
    );
    pair.run(&pair.one, "release", &[]).ok();
}

#[test]
fn an_unmount_that_the_kernel_only_claims_to_have_made_is_broken() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let ran = pair.one.sh("strace -f -qq -o /dev/null -e trace=umount2 -e inject=umount2:retval=0 \
         ims-diskctl release --device /dev/ims1 --mount /srv/ims");
    assert!(ran.status_is(6).stderr.contains("/dev/ims1 was unmounted, and is mounted still"));
    pair.run(&pair.one, "release", &[]).ok();
}

#[test]
fn what_could_not_be_written_to_a_dying_disk_is_told() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let ran = pair
        .one
        .sh("strace -f -qq -o /dev/null -e trace=syncfs -e inject=syncfs:error=EIO \
             ims-diskctl release --device /dev/ims1 --mount /srv/ims")
        .status_is(6);
    assert!(ran.stderr.contains("/dev/ims1 is unmounted, but not everything was written to it"), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk));
    assert_eq!(record(&ran)["exit"], 6);
}

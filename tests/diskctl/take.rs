//! `take`, where nobody has died.

use std::time::Duration;

use super::look::guard_at;
use super::{Pair, record, record_of, text};
use crate::support::MMP_CLEAN;

#[test]
fn each_node_takes_the_volume_when_the_other_released_it_and_a_second_run_changes_nothing() {
    let pair = Pair::new();
    for (taker, other) in [(&pair.one, &pair.two), (&pair.two, &pair.one), (&pair.one, &pair.two)] {
        for changed in [true, false] {
            let record = record(&pair.run(taker, "take", &[]).ok());
            assert_eq!((text(&record["state"]), record["changed"].as_bool()), ("up", Some(changed)));
            assert_eq!(text(&record["guard"]["held_by"]), taker.name());
        }
        assert!(taker.has_mounted(&pair.disk) && !other.has_mounted(&pair.disk));
        for changed in [true, false] {
            let record = record(&pair.run(taker, "release", &[]).ok());
            assert_eq!((text(&record["state"]), record["changed"].as_bool()), ("down", Some(changed)));
            assert_eq!(text(&record["guard"]["state"]), "clean");
        }
        assert_eq!(pair.disk.mmp_sequence(), MMP_CLEAN);
    }
}

#[test]
fn a_volume_that_is_alive_elsewhere_is_refused_with_the_name_of_its_holder_and_soon() {
    let pair = Pair::new();
    pair.run(&pair.one, "take", &[]).ok();
    let ran = pair.run(&pair.two, "take", &[]).status_is(4);
    assert!(
        ran.stderr.starts_with("ims-diskctl: /dev/ims1 is alive on mail-1: its guard moved from "),
        "{ran}"
    );
    assert!(ran.stderr.ends_with(" (release it there, or fence mail-1)\n"), "{ran}");
    assert_eq!(record(&ran)["exit"], 4);
    assert!(ran.took < Duration::from_secs(11), "half of the kernel's time: {ran}");
    assert!(pair.one.has_mounted(&pair.disk) && !pair.two.has_mounted(&pair.disk));
}

#[test]
fn of_two_nodes_that_take_at_once_one_gets_it() {
    let pair = Pair::new();
    for _ in 0..20 {
        let both = [&pair.one, &pair.two].map(|node| node.spawn(pair.words("take", &[])));
        let ended = both.map(|run| run.wait(Duration::from_secs(30)));
        let mut statuses = ended.each_ref().map(|ran| ran.status);
        statuses.sort_unstable();
        let [a, b] = &ended;
        assert!(statuses == [Some(0), Some(4)], "{a}\n{b}");
        assert!(pair.one.has_mounted(&pair.disk) != pair.two.has_mounted(&pair.disk));
        for node in [&pair.one, &pair.two] {
            pair.run(node, "release", &[]).ok();
        }
    }
}

#[test]
fn without_a_guard_the_volume_is_taken_only_when_that_is_said() {
    let pair = Pair::with("-O ^mmp");
    for more in [&[][..], &["--guard", "mmp"]] {
        let ran = pair.run(&pair.one, "take", more).status_is(4);
        assert!(ran.stderr.contains("has no guard against a second mount (tune2fs -O mmp"), "{ran}");
    }
    assert!(!pair.one.has_mounted(&pair.disk));
    let record = record(&pair.run(&pair.one, "take", &["--guard", "none"]).ok());
    assert_eq!((text(&record["state"]), text(&record["guard"]["kind"])), ("up", "none"));
}

#[test]
fn options_reach_the_mount_and_the_kernel_says_in_words_what_it_does_not_like() {
    let pair = Pair::new();
    let record = record(&pair.run(&pair.one, "take", &["--options", "nodev,noatime,commit=7"]).ok());
    for option in ["nodev", "noatime", "commit=7"] {
        assert!(text(&record["options"]).split(',').any(|word| word == option), "{record}");
    }
    pair.run(&pair.one, "release", &[]).ok();
    let ran = pair.run(&pair.one, "take", &["--options", "nosuchoption"]).status_is(5);
    assert!(ran.stderr.contains("ext4: Unknown parameter 'nosuchoption'"), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk));
    // What the driver notices only when it reads the disk is its own reason, and not that the device is busy.
    let ran = pair.run(&pair.one, "take", &["--options", "data=journal,delalloc"]).status_is(5);
    assert!(ran.stderr.contains("cannot mount /dev/ims1: Invalid argument"), "{ran}");
    pair.run(&pair.one, "take", &["--options", "ro"]).status_is(2);
}

#[test]
fn whatever_else_stands_in_the_way_on_this_node_is_refused() {
    let pair = Pair::new();
    for (make, undo, status, words) in [
        ("mount /dev/ims1 /mnt", "umount /mnt", 4, "/dev/ims1 is mounted on /mnt here already"),
        ("mount -t tmpfs x /srv/ims", "umount /srv/ims", 4, "(tmpfs) is mounted on /srv/ims"),
        ("mount -o ro /dev/ims1 /srv/ims", "umount /srv/ims", 4, "is mounted read-only on /srv/ims"),
        ("rmdir /srv/ims", "mkdir /srv/ims", 2, "/srv/ims is not there (mkdir -p /srv/ims)"),
        (
            "rmdir /srv/ims; touch /srv/ims",
            "rm /srv/ims; mkdir /srv/ims",
            3,
            "cannot use /srv/ims: not a directory",
        ),
    ] {
        pair.one.sh(make).ok();
        let ran = pair.run(&pair.one, "take", &[]).status_is(status);
        assert!(ran.stderr.contains(words), "{make}: {ran}");
        pair.one.sh(undo).ok();
    }
    pair.one.run(["ims-diskctl", "take", "--device", "/dev/ims9", "--mount", "/srv/ims"]).status_is(3);
    assert_eq!(pair.disk.mmp_sequence(), MMP_CLEAN);
}

#[test]
fn a_volume_that_another_mount_namespace_of_this_node_has_is_refused() {
    let pair = Pair::new();
    let other =
        pair.one.spawn(["unshare", "-m", "sh", "-c", "mount /dev/ims1 /mnt && echo up && exec sleep 100"]);
    assert!(other.until_stdout(Duration::from_secs(10), |out| out == "up\n"));
    let ran = pair.run(&pair.one, "take", &["--timeout", "60s"]).status_is(4);
    assert!(ran.stderr.contains("/dev/ims1"), "{ran}");
    other.kill();
}

#[test]
fn a_check_that_runs_elsewhere_is_refused() {
    let pair = Pair::with("-O mmp,^metadata_csum");
    pair.disk.write(guard_at(&pair) + 4, &0xE24D_4D50u32.to_le_bytes());
    let ran = pair.run(&pair.one, "take", &[]).status_is(4);
    assert!(ran.stderr.contains("/dev/ims1 is being checked by e2fsck on "), "{ran}");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let pair = Pair::new();
    let before = pair.disk.read(0, 32 << 20);
    let steps = pair.run(&pair.one, "take", &["-n"]).ok().records();
    assert_eq!(steps.iter().map(|step| text(&step["action"])).collect::<Vec<_>>(), ["claim", "mount"]);
    assert!(steps.iter().all(|step| step["wait_s"] == 0), "{steps:?}");
    assert!(before == pair.disk.read(0, 32 << 20) && !pair.one.has_mounted(&pair.disk));
    pair.run(&pair.one, "take", &[]).ok();
    let ran = pair.run(&pair.one, "release", &["-n"]).ok();
    let actions: Vec<String> = ran.records().iter().map(|step| text(&step["action"]).to_owned()).collect();
    assert_eq!(actions, ["sync", "unmount"]);
    assert!(pair.one.has_mounted(&pair.disk));
    let step = record_of(&pair.run(&pair.two, "take", &["-n"]).ok(), "ims.volume-step/1");
    assert_eq!(step["wait_s"].as_u64(), Some(22), "it would be watched");
}

#[test]
fn a_second_run_of_ours_waits_and_then_says_who_is_busy() {
    let pair = Pair::new();
    let number = pair.one.sh("stat -c %Hr:%Lr /dev/ims1").ok().stdout.trim().to_owned();
    let lock = format!("/run/ims/lock/volume-{number}.lock");
    let hold =
        format!("mkdir -p /run/ims/lock; exec 9>{lock}; flock 9; echo $$ >&9; echo up; exec sleep 100");
    let holder = pair.one.spawn(["sh", "-c", &hold]);
    assert!(holder.until_stdout(Duration::from_secs(10), |out| out == "up\n"));
    let told = format!("is held by pid {} ", pair.one.sh(&format!("cat {lock}")).ok().stdout.trim());
    for verb in ["take", "release"] {
        let ran = pair.run(&pair.one, verb, &["--timeout", "50ms"]).status_is(7);
        assert!(ran.stderr.contains(&told), "{ran}");
    }
    holder.kill();
    pair.run(&pair.one, "take", &[]).ok();
}

#[test]
fn a_mount_that_the_kernel_only_claims_to_have_made_is_broken() {
    let pair = Pair::new();
    let ran = pair.one.sh("strace -f -qq -o /dev/null -e trace=move_mount -e inject=move_mount:retval=0 \
         ims-diskctl take --device /dev/ims1 --mount /srv/ims");
    assert!(ran.status_is(6).stderr.contains("/dev/ims1 was mounted, and is not up now"));
    pair.run(&pair.one, "take", &[]).ok();
}

#[test]
fn a_mount_that_hangs_is_given_up_when_the_time_is_up() {
    let pair = Pair::new();
    let hang = "strace -f -qq -o /dev/null -e trace=fsmount -e inject=fsmount:delay_enter=10s \
                ims-diskctl take --device /dev/ims1 --mount /srv/ims --timeout 3s";
    let ran = pair.one.command(["sh", "-c", hang]).deadline(Duration::from_secs(60)).run().status_is(3);
    assert!(ran.stderr.contains("/dev/ims1 did not end within 3s: mounting it"), "{ran}");
    assert!(!pair.one.has_mounted(&pair.disk));
    pair.run(&pair.one, "take", &[]).ok();
}

//! Killed at any change: each file is old or new, and the same command run again finishes it.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use super::seed::{DISPATCHER, JOB_CONTROLLER, RESTORE, ROOT, SET, SLAPD, and};
use super::{Files, changes};
use crate::support::mail::ServerRoot;

/// What a run killed by SIGKILL at its nth renaming leaves; `false` when it made fewer.
fn killed_at(files: &Files, args: &[&str], call: &str, n: usize) -> bool {
    let output = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"])
        .arg(format!("inject={call}:signal=KILL:when={n}"))
        .arg(cargo_bin!("ims-ipbind"))
        .args(args)
        .arg("--root")
        .arg(files.0.path())
        .output()
        .unwrap();
    let is_killed = std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9);
    assert!(is_killed || output.status.success(), "{output:?}");
    is_killed
}

#[test]
fn a_set_killed_at_any_change_is_finished_by_the_next_and_can_be_restored() {
    let calls = ["renameat", "linkat", "unlinkat"];
    let mut killed = 0;
    for call in calls {
        for n in 1.. {
            let files = Files::with(&ServerRoot::seed());
            let before = files.content(ROOT);
            if !killed_at(&files, SET, call, n) {
                assert!(n > 1, "{call} is never made");
                break;
            }
            killed += 1;
            for file in [DISPATCHER, JOB_CONTROLLER, SLAPD] {
                let (now, old) = (files.read(file), &before[&files.path(file)].0);
                let is_old = now.as_bytes() == old.as_slice();
                let added = now.matches("10.0.37.10").count();
                let is_new = added == if file == DISPATCHER { 2 } else { 1 };
                assert!(is_old || is_new, "{file} is half changed after {call} {n}: {now}");
            }
            if n % 2 == 0 {
                // Straight back, from wherever it was left.
                files.answers(0, &and(RESTORE, &["--ldap", "elenchus"]));
                assert_eq!(files.content(ROOT), before, "after {call} {n}");
            }
            files.answers(0, SET);
            assert!(changes(&files.answers(0, SET)).iter().all(|(_, changed)| !changed));
            let left: Vec<_> =
                files.content(ROOT).into_keys().filter(|path| !before.contains_key(path)).collect();
            assert_eq!(left.len(), 4, "three originals and what restore needs, after {call} {n}: {left:?}");
            files.answers(0, RESTORE);
            assert_eq!(files.content(ROOT), before, "after {call} {n}");
        }
    }
    assert!(killed >= 8, "only {killed} places were tried");
}

#[test]
fn a_restore_killed_at_any_change_is_finished_by_the_next() {
    for call in ["renameat", "unlinkat"] {
        for n in 1.. {
            let files = Files::with(&ServerRoot::seed());
            fs_err::remove_file(files.path(JOB_CONTROLLER)).unwrap();
            let before = files.content(ROOT);
            files.answers(0, SET);
            let is_killed = killed_at(&files, RESTORE, call, n);
            files.answers(0, RESTORE);
            assert_eq!(files.content(ROOT), before, "after {call} {n}");
            if !is_killed {
                assert!(n > 1, "{call} is never made");
                break;
            }
        }
    }
}

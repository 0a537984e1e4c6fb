//! What fails half-way is put back as it was; where that fails too it is broken, and says so.

use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;

use super::seed::{CONFIGUTIL, DISPATCHER, JOB_CONTROLLER, RESTORE, ROOT, SET, SLAPD, and};
use super::{Files, refused, stderr};
use crate::support::mail::ServerRoot;

#[test]
fn a_message_store_that_does_not_take_the_address_leaves_all_as_before() {
    let files = Files::with(&ServerRoot::seed());
    let real = files.read(CONFIGUTIL);
    let no_set = "case \"$*\" in *-v\\ 10.*) echo 'schema violation, password=hunter2' >&2; exit 1 ;; esac\n";
    files.script(CONFIGUTIL, &real.replacen("set -eu\n", &format!("set -eu\n{no_set}"), 1));
    refused(
        &files,
        5,
        SET,
        "cannot set service.listenaddr of mail-1: configutil: schema violation, password=***",
    );
    let deaf = "case \"$*\" in *-v\\ 10.*) exit 0 ;; esac\n";
    files.script(CONFIGUTIL, &real.replacen("set -eu\n", &format!("set -eu\n{deaf}"), 1));
    refused(&files, 5, SET, "configutil took it and says 'INADDR_ANY'");
}

/// A tool of the message store that takes an address, says that it failed, and takes no other from then on.
fn takes_and_fails(files: &Files, address: &str) {
    let real = format!("{CONFIGUTIL}.real");
    if !files.is_there(&real) {
        files.script(&real, &files.read(CONFIGUTIL));
    }
    let wrapped = "case \"$*\" in *-v*) exit 1 ;; esac; exec \"$0.real\" \"$@\"";
    let script =
        format!("#!/bin/sh\ncase \"$*\" in *-v\\ {address}) \"$0.real\" \"$@\" ;; esac\n{wrapped}\n");
    files.script(CONFIGUTIL, &script);
}

#[test]
fn a_change_that_cannot_be_put_back_is_broken_and_the_next_run_finishes_it() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.content(ROOT);
    let real = files.read(CONFIGUTIL);
    takes_and_fails(&files, "10.0.37.10");
    let told = stderr(&files.answers(6, SET));
    assert!(told.contains("; and putting it back failed: cannot set service.listenaddr"), "{told}");
    let show = ["show", "mail-1", "--server-root", ROOT, "--address", "10.0.37.10"];
    assert!(stderr(&files.run(&show)).contains("a change of its files was interrupted"));
    files.script(CONFIGUTIL, &real);
    let output = files.answers(0, SET);
    assert!(stderr(&output).contains("mail-1: an earlier change was interrupted"), "{}", stderr(&output));
    assert!(!stderr(&files.answers(0, &show)).contains("interrupted"));
    // The same on the way back.
    takes_and_fails(&files, "INADDR_ANY");
    let told = stderr(&files.answers(6, RESTORE));
    assert!(told.contains("; and putting it back failed: cannot set service.listenaddr"), "{told}");
    files.script(CONFIGUTIL, &real);
    files.answers(0, RESTORE);
    fs_err::remove_file(files.path(format!("{CONFIGUTIL}.real"))).unwrap();
    assert_eq!(files.content(ROOT), before);
}

#[test]
fn a_store_that_takes_nothing_at_all_has_nothing_to_put_back() {
    let files = Files::with(&ServerRoot::seed());
    let real = files.read(CONFIGUTIL);
    let takes_none = "set -eu\ncase \"$*\" in *-v*) exit 1 ;; esac\n";
    files.script(CONFIGUTIL, &real.replacen("set -eu\n", takes_none, 1));
    refused(&files, 5, SET, "cannot set service.listenaddr of mail-1: configutil: exit status 1");
}

#[test]
fn an_original_that_no_change_of_ours_kept_is_not_taken_for_one() {
    let planted = format!("{JOB_CONTROLLER}.pre-ha");
    let files = Files::with(&ServerRoot::seed());
    files.write(&planted, "job_limit=1\n");
    refused(&files, 4, SET, "job_controller.cnf.pre-ha was not kept by a change of this instance");
    fs_err::remove_file(files.path(&planted)).unwrap();
    std::os::unix::fs::symlink("dispatcher.cnf", files.path(&planted)).unwrap();
    refused(&files, 5, SET, "job_controller.cnf.pre-ha is a symbolic link");
    fs_err::remove_file(files.path(&planted)).unwrap();
    files.answers(0, SET);
}

#[test]
fn a_directory_server_that_another_instance_is_bound_with_is_not_taken_from_it() {
    let files = Files::with(&ServerRoot::seed());
    files.answers(0, SET);
    let alone = ["set", "mail-2", "--server-root", ROOT, "--address", "10.0.37.11"];
    let both = and(&alone, &["--ldap", "elenchus"]);
    let says = "slapd.conf.pre-ha was not kept by a change of this instance (restore the other instance";
    refused(&files, 4, &both, says);
    files.answers(0, &alone);
    // Originals of its own do not make it the one that bound the directory server.
    refused(&files, 4, &both, says);
    files.answers(0, RESTORE);
    files.answers(0, &both);
}

#[test]
fn a_restore_that_fails_half_way_leaves_the_servers_bound() {
    let files = Files::with(&ServerRoot::seed());
    fs_err::remove_file(files.path(JOB_CONTROLLER)).unwrap();
    let before = files.content(ROOT);
    files.answers(0, SET);
    let real = files.read(CONFIGUTIL);
    let refuses = "set -eu\ncase \"$*\" in *-v\\ INADDR*) exit 1 ;; esac\n";
    files.script(CONFIGUTIL, &real.replacen("set -eu\n", refuses, 1));
    refused(&files, 5, RESTORE, "cannot set service.listenaddr of mail-1");
    // A file that cannot be given back, after others were: they are bound again, their originals kept again.
    files.script(CONFIGUTIL, &real);
    let bound = files.content(ROOT);
    let output = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e", "inject=renameat:error=EIO:when=3"])
        .arg(cargo_bin!("ims-ipbind"))
        .args(RESTORE)
        .arg("--root")
        .arg(files.0.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("slapd.conf.pre-ha: Input/output error"), "{}", stderr(&output));
    assert!(files.content(ROOT) == bound);
    files.answers(0, RESTORE);
    assert_eq!(files.content(ROOT), before);
}

#[test]
fn a_set_that_fails_at_any_renaming_is_put_back() {
    for n in 1..=5 {
        let files = Files::with(&ServerRoot::seed());
        let before = files.content(ROOT);
        let output = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e"])
            .arg(format!("inject=renameat2:error=EIO:when={n}"))
            .arg(cargo_bin!("ims-ipbind"))
            .args(SET)
            .arg("--root")
            .arg(files.0.path())
            .output()
            .unwrap();
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(5), "{n}: {told}");
        assert!(told.lines().count() == 1 && told.contains("Input/output error"), "{n}: {told}");
        assert!(files.content(ROOT) == before, "renaming {n} failed and left something");
    }
}

/// Runs a script with the server root on a tiny file system, in a mount namespace of its own; `$0` is the mount
/// point, `$@` the command.
fn on_a_tiny_disk(files: &Files, script: &str) -> Output {
    on_a_disk(files, "mount -t tmpfs -o size=600k tmpfs \"$0\"", script)
}

/// The same on a file system that a line mounts at `$0`.
fn on_a_disk(files: &Files, mount: &str, script: &str) -> Output {
    let root = files.path(ROOT);
    let with = format!(
        "set -eu; cp -a \"$0\" \"$0.copy\"; {mount}; cp -a \"$0.copy/.\" \"$0\"; \
         fill() {{ dd if=/dev/zero of=\"$0/fill\" bs=1k 2>/dev/null || :; }}; \
         same() {{ diff -r -x fill \"$0.copy\" \"$0\" >&2 || {{ echo changed >&2; exit 99; }}; }}; {script}"
    );
    Command::new("unshare")
        .args(["--mount", "bash", "-c", &with])
        .arg(&root)
        .arg(cargo_bin!("ims-ipbind"))
        .args(SET)
        .arg("--root")
        .arg(files.0.path())
        .output()
        .unwrap()
}

#[test]
fn a_file_that_nobody_may_change_leaves_every_other_as_it_was() {
    let store = CONFIGUTIL.replace("configutil", "config/msg.conf");
    for file in [DISPATCHER, JOB_CONTROLLER, SLAPD, &store] {
        let files = Files::with(&ServerRoot::seed());
        let below = file.strip_prefix(ROOT).unwrap();
        let mount = "truncate -s 16M \"$0.img\"; mkfs.ext4 -q \"$0.img\"; mount -o loop \"$0.img\" \"$0\"; \
                     rmdir \"$0/lost+found\"";
        let script = format!(
            "chattr +i \"$0{below}\"; status=0; \"$@\" || status=$?; same; chattr -i \"$0{below}\"; \
             \"$@\" >/dev/null 2>&1 || exit 98; exit $status"
        );
        let output = on_a_disk(&files, mount, &script);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(5), "{file}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        if file == store {
            assert!(told.contains("cannot set service.listenaddr of mail-1: configutil: "), "{told}");
        } else {
            let path = files.path(file).display().to_string();
            let hint = "lsattr shows whether it is immutable, chattr -i mends it";
            let says = format!("ims-ipbind: cannot write {path}: Operation not permitted ({hint})\n");
            assert_eq!(told, says);
        }
    }
}

#[test]
fn a_store_whose_word_cannot_be_put_back_is_not_changed() {
    let files = Files::with(&ServerRoot::seed());
    for (script, status, says) in [
        (
            "echo ERROR: cannot reach the directory",
            3,
            "configutil says 'ERROR: cannot reach the directory', which is no address",
        ),
        ("date +%s%N", 3, "which is no address"),
        ("echo 10.0.37", 3, "configutil says '10.0.37', which is no address"),
        ("date +answer-%N", 5, "just now (run it again when nobody else changes it)"),
    ] {
        files.script(CONFIGUTIL, &format!("#!/bin/sh\n{script}\n"));
        refused(&files, status, SET, says);
    }
}

#[test]
fn a_full_disk_is_told_in_one_line_and_nothing_is_changed() {
    let files = Files::with(&ServerRoot::seed());
    let output = on_a_tiny_disk(&files, "fill; status=0; \"$@\" || status=$?; same; exit $status");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.ends_with(": No space left on device (free some space and run it again)\n"), "{told}");
}

#[test]
fn a_disk_that_fills_up_half_way_is_put_back_as_it_was() {
    // The message store is the first to change, and its tool fills the disk and fails.
    let files = Files::with(&ServerRoot::seed());
    let filling = "case \"$*\" in *-v\\ 10.*) dd if=/dev/zero of=\"${0%/msg*}/fill\" bs=1k 2>/dev/null; exit 1 ;; esac\n";
    let real = files.read(CONFIGUTIL);
    files.script(CONFIGUTIL, &real.replacen("set -eu\n", &format!("set -eu\n{filling}"), 1));
    let output =
        on_a_tiny_disk(&files, "status=0; \"$@\" || status=$?; [ -s \"$0/fill\" ]; same; exit $status");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(
        stderr(&output),
        "ims-ipbind: cannot set service.listenaddr of mail-1: configutil: exit status 1\n"
    );
}

#[test]
fn a_signal_between_two_steps_puts_all_back_and_says_so() {
    for signal in ["TERM", "INT"] {
        let files = Files::with(&ServerRoot::seed());
        let before = files.content(ROOT);
        // The message store's tool is run in the middle; its parent is the command.
        let kills = format!("case \"$*\" in *-v\\ 10.*) kill -{signal} $PPID ;; esac\n");
        let real = files.read(CONFIGUTIL);
        files.script(CONFIGUTIL, &real.replacen("set -eu\n", &format!("set -eu\n{kills}"), 1));
        let output = files.answers(5, SET);
        assert_eq!(stderr(&output), format!("ims-ipbind: SIG{signal} came; mail-1 is as before\n"));
        files.script(CONFIGUTIL, &real);
        assert_eq!(files.content(ROOT), before);
    }
}

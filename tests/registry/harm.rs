//! What can go wrong: each status, one line that names the thing, and the registry as it was.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;

use super::{Files, STORK, code, entry, records, stderr};

#[test]
fn a_torn_registry_is_told_with_its_line_and_left_alone() {
    let files = Files::new();
    let torn = "[stork]\nlayout = postfix-dovecot\nroot = /global/ims\n[her";
    files.write("/etc/msgregistry.inf", torn);
    for args in [&["list"][..], STORK, &["remove", "stork"]] {
        let output = files.run(args);
        assert_eq!(code(&output), 2, "{args:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        assert!(stderr(&output).contains("msgregistry.inf:4: "), "{}", stderr(&output));
        assert_eq!(records(&output).last().unwrap()["schema"], "ims.fail/1");
    }
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some(torn));
}

#[test]
fn what_is_no_utf_8_survives_in_a_comment_and_is_told_in_a_key() {
    let files = Files::new();
    let path = files.path("/etc/msgregistry.inf");
    let text = [b"# caf\xe9\n".as_slice(), entry("\n").as_bytes(), b"chef = caf\xe9\n"].concat();
    fs_err::write(&path, &text).unwrap();
    assert_eq!(records(&files.run(&["list"]))[0]["name"], "stork");
    assert_eq!(code(&files.run(&["add", "stork", "--address", "10.0.37.11"])), 0);
    let (old, new) = (b"10.0.37.10".as_slice(), b"10.0.37.11");
    let at = text.windows(old.len()).position(|part| part == old).unwrap();
    let changed = [&text[..at], new, &text[at + old.len()..]].concat();
    assert_eq!(fs_err::read(&path).unwrap(), changed);
    fs_err::write(&path, b"[stork]\nlayout = iplanet-5\nroot = /caf\xe9\n").unwrap();
    let output = files.run(&["list"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("msgregistry.inf:3: not UTF-8 text"), "{}", stderr(&output));
}

#[test]
fn a_link_to_nothing_in_place_of_the_registry_is_not_an_empty_one() {
    let files = Files::new();
    symlink("/mnt/gone/msgregistry.inf", files.path("/etc/msgregistry.inf")).unwrap();
    for args in [&["list"][..], STORK, &["remove", "stork"], &["check"]] {
        let output = files.run(args);
        assert_eq!(code(&output), 3, "{args:?}: {}", stderr(&output));
        let told = "is a symbolic link to /mnt/gone/msgregistry.inf, which is not there";
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        assert!(files.path("/etc/msgregistry.inf").is_symlink());
    }
}

#[test]
fn what_a_killed_run_left_beside_the_registry_is_swept_by_the_next() {
    let files = Files::new();
    files.run(STORK);
    files.write("/etc/.msgregistry.inf.ims-4711", "half");
    assert_eq!(code(&files.run(&["add", "stork", "--address", "10.0.37.11"])), 0);
    assert_eq!(files.read("/etc/.msgregistry.inf.ims-4711"), None);
}

#[test]
fn a_root_that_could_not_be_read_back_is_refused() {
    let files = Files::new();
    let output = files.run(&["add", "heron", "--layout", "postfix-dovecot", "--server-root", "/srv/x "]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
}

#[test]
fn a_second_writer_waits_and_then_says_who_is_busy() {
    let files = Files::new();
    fs_err::create_dir_all(files.path("/run/ims/lock")).unwrap();
    let lock = fs_err::File::create(files.path("/run/ims/lock/registry.lock")).unwrap();
    lock.file().lock().unwrap();
    files.write("/run/ims/lock/registry.lock", "1\n"); // whoever signed it last does not hold it
    let mut args = STORK.to_vec();
    args.extend(["--timeout", "20ms"]);
    let output = files.run(&args);
    assert_eq!(code(&output), 7, "{}", stderr(&output));
    let told = format!("is held by pid {} (wait until", std::process::id());
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    drop(lock);
    assert_eq!(code(&files.run(STORK)), 0);
}

#[test]
fn a_symbolic_link_in_place_of_the_registry_is_told_and_left() {
    let files = Files::new();
    files.write("/etc/elsewhere", &entry("\n"));
    symlink("elsewhere", files.path("/etc/msgregistry.inf")).unwrap();
    for args in [&["add", "stork", "--address", "10.0.37.11"][..], &["remove", "stork"]] {
        let output = files.run(args);
        assert_eq!(code(&output), 5, "{args:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains("a symbolic link (put the file itself there)"),
            "{}",
            stderr(&output)
        );
        assert_eq!(files.read("/etc/msgregistry.inf"), Some(entry("\n")), "{args:?}");
    }
    assert!(files.path("/etc/msgregistry.inf").is_symlink());
}

/// Runs `add` with `/etc` on a tiny file system that is full, in a mount namespace of its own, and gives the
/// registry back to the test's folder afterwards.
fn full_etc(files: &Files, before: &str) -> Output {
    let etc = files.path("/etc");
    let script = r#"mount -t tmpfs -o size=16k tmpfs "$1" && printf %s "$2" > "$1/msgregistry.inf" && { head -c 100k /dev/zero > "$1/fill" 2>/dev/null; true; } && shift 2 && "$@"; status=$?; exit $status"#;
    Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(&etc)
        .arg(before)
        .arg(cargo_bin!("ims-registry"))
        .args(["add", "heron", "--layout", "iplanet-5", "--server-root", "/x"])
        .arg("--root")
        .arg(files.0.path())
        .output()
        .unwrap()
}

#[test]
fn a_full_disk_is_told_in_one_line_and_loses_nothing() {
    let files = Files::new();
    files.run(STORK);
    let before = files.read("/etc/msgregistry.inf");
    let output = full_etc(&files, before.as_deref().unwrap());
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("No space left on device (free some space and run it again)"));
    assert_eq!(files.read("/etc/msgregistry.inf"), before);
}

#[test]
fn without_root_nothing_is_changed_and_the_way_out_is_told() {
    let files = Files::new();
    files.run(STORK);
    let before = files.read("/etc/msgregistry.inf");
    for folder in ["", "etc", "run", "run/ims", "run/ims/lock"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(files.0.path().join(folder), mode).unwrap();
    }
    let output = nobody(&files, &["remove", "stork"]);
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("(run as root)"), "{}", stderr(&output));
    assert_eq!(files.read("/etc/msgregistry.inf"), before);
}

/// Runs the command as nobody.
fn nobody(files: &Files, args: &[&str]) -> Output {
    let copy = files.path("/ims-registry");
    if !copy.exists() {
        // By a program: a file that is open for writing here would be so in what other tests start just now.
        let copied = Command::new("cp").arg(cargo_bin!("ims-registry")).arg(&copy).status().unwrap();
        assert!(copied.success());
    }
    Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(args)
        .arg("--root")
        .arg(files.0.path())
        .output()
        .unwrap()
}

#[test]
fn who_may_not_look_is_told_so_and_nothing_is_taken_for_missing() {
    let files = Files::new();
    files.run(STORK);
    let mode = |path: &str, mode| {
        fs_err::set_permissions(files.path(path), std::os::unix::fs::PermissionsExt::from_mode(mode))
            .unwrap();
    };
    let root = "/global/ims/server5";
    for folder in ["msg-stork/postfix", "msg-stork/dovecot", "slapd-mail"] {
        fs_err::create_dir_all(files.path(&format!("{root}/{folder}"))).unwrap();
    }
    for (closed, check, scan) in [
        (root, "cannot look at /global/ims/server5: Permission denied", "cannot scan /global/ims/server5: "),
        (
            "/global",
            "cannot look at /global/ims/server5: Permission denied",
            "cannot scan /global/ims/server5: ",
        ),
    ] {
        for open in ["", "/etc", "/global", "/global/ims", root] {
            mode(open, 0o755);
        }
        mode(closed, 0o700);
        let checked = nobody(&files, &["check", "stork"]);
        assert_eq!(code(&checked), 3, "{closed}: {}", stderr(&checked));
        let finding = records(&checked).remove(0);
        assert_eq!((finding["state"].as_str(), finding["what"].as_str()), (Some("unknown"), Some(check)));
        assert_eq!(finding["mend"], "run as root");
        let scanned = nobody(&files, &["scan", root]);
        assert_eq!(code(&scanned), 3, "{closed}: {}", stderr(&scanned));
        assert!(
            stderr(&scanned).contains(&format!("{scan}Permission denied (run as root)")),
            "{}",
            stderr(&scanned)
        );
    }
    for open in ["/global", root] {
        mode(open, 0o755);
    }
    for closed in ["msg-stork", "msg-stork/postfix", "slapd-mail"] {
        mode(&format!("{root}/{closed}"), 0o700);
        let checked = nobody(&files, &["check", "stork"]);
        let found = records(&checked);
        let told = |finding: &&serde_json::Value| {
            let what = finding["what"].as_str().unwrap_or_default();
            finding["state"] == "unknown" && what.contains(closed) && what.ends_with("Permission denied")
        };
        assert!(found.iter().any(|finding| told(&finding)), "{closed}: {found:?}");
        assert_ne!(found.last().unwrap()["state"], "up");
        mode(&format!("{root}/{closed}"), 0o755);
    }
}

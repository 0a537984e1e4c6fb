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
fn a_registry_that_is_not_utf_8_is_told_with_its_line() {
    let files = Files::new();
    fs_err::write(files.path("/etc/msgregistry.inf"), b"# ours\n# caf\xe9\n").unwrap();
    let output = files.run(&["list"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("msgregistry.inf:2: not UTF-8 text"), "{}", stderr(&output));
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
    let mut args = STORK.to_vec();
    args.extend(["--timeout", "20ms"]);
    let output = files.run(&args);
    assert_eq!(code(&output), 7, "{}", stderr(&output));
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
    let copy = files.path("/ims-registry");
    fs_err::copy(cargo_bin!("ims-registry"), &copy).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(["remove", "stork", "--root"])
        .arg(files.0.path())
        .output()
        .unwrap();
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("(run as root)"), "{}", stderr(&output));
    assert_eq!(files.read("/etc/msgregistry.inf"), before);
}

//! What can go wrong: each status, one line that names the thing, and nothing changed.

use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;

use super::seed::{CONFIGUTIL, DISPATCHER, JOB_CONTROLLER, RESTORE, ROOT, SET, SLAPD, and};
use super::{Files, changes, records, stderr};
use crate::support::mail::ServerRoot;

/// One line on stderr, the failed run's record as the last on stdout, and every byte below the root as before.
#[track_caller]
fn refused(files: &Files, status: i32, args: &[&str], says: &str) {
    let before = files.content(ROOT);
    let output = files.answers(status, args);
    let told = stderr(&output);
    assert!(told.lines().count() == 1 && told.contains(says), "{told}");
    let record = records(&output).pop().unwrap();
    assert_eq!((&record["schema"], &record["exit"]), (&"ims.fail/1".into(), &status.into()));
    assert!(files.content(ROOT) == before, "something was changed");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let files = Files::with(&ServerRoot::seed());
    let with = |name: &'static str, ldap: &'static str, root: &'static str| {
        [
            "set",
            "--address",
            "10.0.37.10",
            name,
            "--ldap",
            ldap,
            "--server-root",
            root,
            "--layout",
            "iplanet-5",
        ]
    };
    let says = "no msg-mail-3 below /opt/iplanet/server5 (there are mail-1, mail-2)";
    refused(&files, 2, &with("mail-3", "elenchus", ROOT), says);
    let says = "no slapd-budgie below /opt/iplanet/server5 (there is elenchus)";
    refused(&files, 2, &with("mail-1", "budgie", ROOT), says);
    refused(
        &files,
        3,
        &with("mail-1", "elenchus", "/opt/iplanet/server6"),
        "cannot scan /opt/iplanet/server6",
    );
    // Registered, and on another node's volume now.
    files.write("/etc/msgregistry.inf", "[far]\nlayout = iplanet-5\nroot = /far\naddress = 10.0.37.10\n");
    refused(&files, 3, &["set", "far"], "/far is not there (another node may master its volume)");
    refused(&files, 3, &["restore", "far"], "/far is not there");
    refused(&files, 3, &["show", "far"], "is not there");
}

#[test]
fn addresses_that_the_layout_cannot_have_are_refused() {
    let files = Files::with(&ServerRoot::seed());
    let with = |address: &'static str| ["set", "mail-1", "--server-root", ROOT, "--address", address];
    refused(&files, 2, &with("2001:db8::10"), "bound to one IPv4 address, not to 2001:db8::10");
    refused(&files, 2, &and(&with("10.0.37.10"), &["--address", "10.0.37.11"]), "one IPv4 address");
    refused(&files, 2, &with("0.0.0.0"), "no server can be bound to 0.0.0.0 alone");
    refused(&files, 2, &["set", "mail-1", "--server-root", ROOT], "has no logical address (add --address");
}

#[test]
fn a_torn_file_is_told_with_its_line() {
    let files = Files::with(&ServerRoot::seed());
    let whole = files.read(DISPATCHER);
    files.write(DISPATCHER, &whole[..whole.find("STACKSIZE").unwrap() + 8]);
    refused(&files, 2, SET, "dispatcher.cnf:17: neither option=value nor a comment: 'STACKSIZ'");
    files.write(DISPATCHER, &whole);
    let output = files.answers(0, SET);
    assert_eq!(changes(&output).len(), 4);
    files.write("/opt/iplanet/server5/msg-mail-1/ims-ipbind.pre-ha", "{\"ldap\":[");
    refused(&files, 2, RESTORE, "ims-ipbind.pre-ha is torn");
}

#[test]
fn a_message_store_that_cannot_be_asked_is_unknown() {
    let files = Files::with(&ServerRoot::seed());
    files.script(CONFIGUTIL, "#!/bin/sh\necho 'cannot reach the configuration directory' >&2\nexit 1\n");
    let says =
        "cannot tell service.listenaddr of mail-1: configutil: cannot reach the configuration directory";
    refused(&files, 3, SET, says);
    refused(&files, 3, &["show", "mail-1", "--server-root", ROOT, "--address", "10.0.37.10"], says);
    files.script(CONFIGUTIL, "#!/bin/sh\nexec sleep 60\n");
    refused(&files, 3, &and(SET, &["--timeout", "100ms"]), "did not end within 100ms (it was killed)");
}

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

#[test]
fn a_change_that_cannot_be_put_back_is_broken_and_the_next_run_finishes_it() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.content(ROOT);
    let real = files.read(CONFIGUTIL);
    files
        .script(CONFIGUTIL, &real.replacen("set -eu\n", "set -eu\ncase \"$*\" in *-v*) exit 1 ;; esac\n", 1));
    let output = files.answers(6, SET);
    let told = stderr(&output);
    assert!(told.contains("; and putting it back failed: cannot set service.listenaddr"), "{told}");
    let show = ["show", "mail-1", "--server-root", ROOT, "--address", "10.0.37.10"];
    assert!(stderr(&files.run(&show)).contains("a change of its files was interrupted"));
    files.script(CONFIGUTIL, &real);
    let output = files.answers(0, SET);
    assert!(stderr(&output).contains("mail-1: an earlier change was interrupted"), "{}", stderr(&output));
    assert!(!stderr(&files.answers(0, &show)).contains("interrupted"));
    // The same on the way back.
    files
        .script(CONFIGUTIL, &real.replacen("set -eu\n", "set -eu\ncase \"$*\" in *-v*) exit 1 ;; esac\n", 1));
    let told = stderr(&files.answers(6, RESTORE));
    assert!(told.contains("; and putting it back failed: cannot set service.listenaddr"), "{told}");
    files.script(CONFIGUTIL, &real);
    files.answers(0, RESTORE);
    assert_eq!(files.content(ROOT), before);
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
fn the_console_of_a_running_directory_server_is_not_overtaken() {
    let files = Files::with(&ServerRoot::seed());
    // What a directory server looks like from outside: a socket, and a file of its folder that is open.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let log = fs_err::File::create(files.path("/opt/iplanet/server5/slapd-elenchus/logs/access")).unwrap();
    let mut slapd = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)))
        .stdout(Stdio::from(log.into_file()))
        .spawn()
        .unwrap();
    let says = format!("sleep runs below /opt/iplanet/server5/slapd-elenchus (pid {})", slapd.id());
    refused(&files, 4, SET, &says);
    refused(&files, 4, &and(SET, &["-n"]), "stop it first, or add --force-slapd-running");
    let forced = files.run(&and(SET, &["--force-slapd-running"]));
    let restore = files.run(RESTORE);
    // A second set has nothing to do in slapd.conf, and so nothing to refuse.
    let again = files.run(SET);
    slapd.kill().unwrap();
    slapd.wait().unwrap();
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert_eq!(restore.status.code(), Some(4), "{}", stderr(&restore));
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    files.answers(0, RESTORE);
}

#[test]
fn a_run_beside_another_is_told_who_holds_the_lock() {
    let files = Files::with(&ServerRoot::seed());
    let lock = files.path("/run/ims/lock/ipbind-mail-1.lock");
    fs_err::create_dir_all(lock.parent().unwrap()).unwrap();
    fs_err::write(&lock, "4711\n").unwrap();
    let held = fs_err::File::open(&lock).unwrap();
    held.file().lock().unwrap();
    for args in [SET, RESTORE] {
        refused(&files, 7, &and(args, &["--timeout", "0s"]), "ipbind-mail-1.lock is held by pid 4711");
    }
    drop(held);
    files.answers(0, SET);
}

#[test]
fn a_link_where_others_can_write_is_not_followed() {
    let files = Files::with(&ServerRoot::seed());
    let config = files.path(DISPATCHER);
    let precious = files.path("/etc/precious");
    fs_err::rename(&config, &precious).unwrap();
    symlink(&precious, &config).unwrap();
    nix::unistd::chown(config.parent().unwrap(), Some(nix::unistd::Uid::from_raw(65534)), None).unwrap();
    let before = fs_err::read(&precious).unwrap();
    let output = files.run(SET);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(fs_err::read(&precious).unwrap(), before);
    assert!(!files.read(JOB_CONTROLLER).contains("INTERFACE_ADDRESS"), "all or nothing");
}

#[test]
fn without_root_nothing_is_changed_and_the_way_out_is_told() {
    let files = Files::with(&ServerRoot::seed());
    let copy = files.path("/ims-ipbind");
    fs_err::copy(cargo_bin!("ims-ipbind"), &copy).unwrap();
    let before = files.content("/");
    let nobody = |args: &[&str]| -> Output {
        let ids = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut command = Command::new("setpriv");
        command.args(ids).arg(&copy).args(args).arg("--root").arg(files.0.path()).output().unwrap()
    };
    let output = nobody(SET);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).ends_with("(run as root)\n"), "{}", stderr(&output));
    assert_eq!(nobody(RESTORE).status.code(), Some(5));
    // Looking needs no root.
    let output = nobody(&["set", "mail-1", "--address", "10.0.37.10", "--server-root", ROOT, "-n"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(files.content("/"), before);
}

/// Runs a script with the server root on a tiny file system, in a mount namespace of its own; `$0` is the mount
/// point, `$@` the command.
fn on_a_tiny_disk(files: &Files, script: &str) -> Output {
    let root = files.path(ROOT);
    let with = format!(
        "set -eu; cp -a \"$0\" \"$0.copy\"; mount -t tmpfs -o size=600k tmpfs \"$0\"; cp -a \"$0.copy/.\" \"$0\"; \
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
fn a_set_that_fails_at_any_renaming_is_put_back() {
    for n in 1..=5 {
        let files = Files::with(&ServerRoot::seed());
        let before = files.content(ROOT);
        let output = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e"])
            .arg(format!("inject=renameat:error=EIO:when={n}"))
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

#[test]
fn a_file_that_is_not_utf_8_is_told_and_left() {
    let files = Files::with(&ServerRoot::seed());
    fs_err::write(files.path(SLAPD), b"# \xe9l\xe8ve\nport 389\n").unwrap();
    refused(&files, 2, SET, "slapd.conf:1: not UTF-8 text (convert the file with iconv)");
}

//! What is refused before anything is changed: each status, and one line that names the thing.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::seed::{CONFIGUTIL, DISPATCHER, JOB_CONTROLLER, RESTORE, ROOT, SET, and};
use super::{Files, changes, refused, stderr, stdout};
use crate::support::mail::ServerRoot;
use crate::support::until;

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
    // What is written there is another's, who is no more: who holds it is told.
    fs_err::write(&lock, "1\n").unwrap();
    let held = fs_err::File::open(&lock).unwrap();
    held.file().lock().unwrap();
    let told = format!("ipbind-mail-1.lock is held by pid {} ", std::process::id());
    for args in [SET, RESTORE] {
        refused(&files, 7, &and(args, &["--timeout", "0s"]), &told);
    }
    drop(held);
    files.answers(0, SET);
}

#[test]
fn a_directory_server_that_two_instances_share_is_changed_by_one_run_at_a_time() {
    let files = Files::with(&ServerRoot::seed());
    // The first run is held in the middle: its configutil is answered when the second has ended.
    let (waits, held) = (files.path("/waits"), files.path("/held"));
    let lock = fs_err::File::create(&held).unwrap();
    lock.file().lock().unwrap();
    let slow = format!("#!/bin/sh\n: >{}\nflock -s {} echo INADDR_ANY\n", waits.display(), held.display());
    files.script(CONFIGUTIL, &slow);
    let mut first = files.command(SET).stdout(Stdio::null()).spawn().unwrap();
    assert!(until(Duration::from_secs(30), || waits.exists()), "configutil is not asked");
    let second = ["set", "mail-2", "--address", "10.0.37.11", "--ldap", "elenchus", "--server-root", ROOT];
    let output = files.run(&and(&second, &["--timeout", "0s"]));
    drop(lock);
    first.wait().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains("slapd-elenchus.lock is held by pid "), "{}", stderr(&output));
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
    let before = files.content(ROOT);
    let output = files.run_as_nobody(SET);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).ends_with("(run as root)\n"), "{}", stderr(&output));
    assert_eq!(files.run_as_nobody(RESTORE).status.code(), Some(5));
    // Looking needs no root.
    let output =
        files.run_as_nobody(&["set", "mail-1", "--address", "10.0.37.10", "--server-root", ROOT, "-n"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(files.content(ROOT), before);
}

//! Which instances are meant: named, piped, or known to the registry.

use std::io::Write;
use std::process::Stdio;

use super::seed::{ROOT, SET, SLAPD, and};
use super::{Files, changes, records, stderr};
use crate::support::mail::ServerRoot;

#[test]
fn what_the_registry_says_is_done_and_what_it_says_otherwise_is_told() {
    let files = Files::with(&ServerRoot::seed());
    let output = files.answers(0, SET);
    let add = "ims-registry add mail-1 --layout iplanet-5 --server-root /opt/iplanet/server5 --address 10.0.37.10 --ldap elenchus";
    assert_eq!(
        stderr(&output),
        format!("ims-ipbind: mail-1: /etc/msgregistry.inf does not know it; run: {add}\n")
    );
    let entry = |address| {
        format!("[mail-1]\nlayout = iplanet-5\nroot = {ROOT}\naddress = {address}\nldap = elenchus\n")
    };
    files.write("/etc/msgregistry.inf", &entry("10.0.37.11"));
    let output = files.answers(0, &["set", "mail-1", "--address", "10.0.37.10"]);
    assert!(
        stderr(&output).contains("knows it otherwise; run: ims-registry add mail-1"),
        "{}",
        stderr(&output)
    );
    // Without --address the registry's word counts.
    assert!(changes(&files.answers(0, &["set", "mail-1"])).iter().all(|(_, changed)| *changed));
    assert!(files.read(SLAPD).ends_with("listenhost 10.0.37.11\n"));
    files.answers(0, &["show"]);
    files.answers(2, &["set", "mail-3"]);
    files.answers(2, &["show", "mail-3"]);
}

#[test]
fn instances_come_through_a_pipe_with_their_addresses() {
    let files = Files::with(&ServerRoot::seed());
    let two = format!(
        "[mail-1]\nlayout = iplanet-5\nroot = {ROOT}\naddress = 10.0.37.10\nldap = elenchus\n\
         [mail-2]\nlayout = iplanet-5\nroot = {ROOT}\naddress = 10.0.37.11\n"
    );
    files.write("/etc/msgregistry.inf", &two);
    let list = || {
        let mut list = std::process::Command::new(assert_cmd::cargo::cargo_bin!("ims-registry"));
        let output = list.args(["list", "--root"]).arg(files.0.path()).output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let feed = |args: &[&str], stdin: &[u8]| {
        let mut command = files.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap()
    };
    let output = feed(&["set", "-"], &list());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(changes(&output).iter().filter(|(_, changed)| *changed).count(), 7);
    let shown = feed(&["show", "-"], &list());
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    assert_eq!(records(&shown).len(), 11);
    let output = feed(&["set", "-", "--address", "10.0.37.12"], &list());
    assert_eq!(output.status.code(), Some(2), "two instances and one address: {}", stderr(&output));
    let output = feed(&["set", "-"], b"nonsense\n");
    assert_eq!((output.status.code(), stderr(&output).contains("stdin:1")), (Some(2), true));
}

#[test]
fn show_without_a_name_does_not_pass_over_a_server_root() {
    let files = Files::with(&ServerRoot::seed());
    for place in [["--server-root", ROOT], ["--ldap", "elenchus"]] {
        let output = files.answers(2, &and(&["show"], &place));
        let stderr = stderr(&output);
        assert!(stderr.contains("go with the name of an instance (name it; "), "{stderr}");
    }
}

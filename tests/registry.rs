//! `ims-registry` as a program.

mod check;
mod harm;
mod import;
mod nodes;
mod piped;
mod stopped;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// A host whose files stand in a folder of the test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        fs_err::create_dir_all(files.path("/etc")).unwrap();
        files
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs_err::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> Option<String> {
        fs_err::read_to_string(self.path(path)).ok()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("ims-registry"));
        command.args(args).arg("--root").arg(self.0.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    fn feed(&self, args: &[&str], stdin: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn records(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const STORK: &[&str] = &[
    "add",
    "stork",
    "--layout",
    "postfix-dovecot",
    "--server-root",
    "/global/ims/server5",
    "--address",
    "10.0.37.10",
    "--ldap",
    "mail",
];

/// The entry of [`STORK`] with a comment and a key of somebody's, its lines ended in this way.
fn entry(end: &str) -> String {
    let text = "# ours\n[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\naddress = 10.0.37.10\nldap = mail\nowner = joe\n";
    text.replace('\n', end)
}

#[test]
fn an_entry_is_added_once_and_a_second_add_changes_nothing() {
    let files = Files::new();
    let first = files.run(STORK);
    assert_eq!((code(&first), records(&first)[0]["changed"].as_bool()), (0, Some(true)));
    let text =
        "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\naddress = 10.0.37.10\nldap = mail\n";
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some(text));
    let second = files.run(STORK);
    assert_eq!((code(&second), records(&second)[0]["changed"].as_bool()), (0, Some(false)));
    let listed = files.run(&["list"]);
    assert_eq!(records(&listed)[0]["ldap"], "mail");
}

#[test]
fn the_last_entry_takes_the_file_with_it() {
    let files = Files::new();
    files.run(STORK);
    let removed = files.run(&["remove", "stork"]);
    assert_eq!(code(&removed), 0);
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
    let again = files.run(&["remove", "stork"]);
    assert_eq!((code(&again), records(&again)[0]["changed"].as_bool()), (0, Some(false)));
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let files = Files::new();
    let mut args = STORK.to_vec();
    args.push("--dry-run");
    let shown = files.run(&args);
    assert_eq!(code(&shown), 0);
    assert!(records(&shown)[0]["diff"].as_str().unwrap().contains("+[stork]"));
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
}

#[test]
fn a_name_that_is_not_there_is_a_no() {
    let files = Files::new();
    files.run(STORK);
    assert_eq!(code(&files.run(&["list", "heron"])), 1);
    assert_eq!(code(&files.run(&["list", "stork"])), 0);
    assert_eq!(code(&files.run(&["check", "heron"])), 2);
}

#[test]
fn what_an_add_leaves_out_stays_as_it_is() {
    let files = Files::new();
    files.write("/etc/msgregistry.inf", &entry("\n"));
    let args = ["add", "stork", "--address", "10.0.37.11"];
    let changed = files.run(&args);
    assert_eq!(code(&changed), 0, "{}", stderr(&changed));
    let text = entry("\n").replace("10.0.37.10", "10.0.37.11");
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some(&*text));
    assert_eq!(records(&files.run(&args))[0]["changed"], false);
    let elsewhere = files.run(&["add", "stork", "--server-root", "/srv/server5"]);
    assert_eq!(code(&elsewhere), 0, "{}", stderr(&elsewhere));
    let text = text.replace("/global/ims/server5", "/srv/server5");
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some(&*text));
    assert_eq!(code(&files.run(&["add", "heron", "--address", "10.0.37.12"])), 2);
}

#[test]
fn an_address_that_is_said_twice_stands_there_once() {
    let files = Files::new();
    let twice = ["--address", "10.0.37.10", "--address", "10.0.37.11", "--address", "10.0.37.10"];
    let added =
        files.run(&[&["add", "stork", "--layout", "iplanet-5", "--server-root", "/x"], &twice[..]].concat());
    assert_eq!(code(&added), 0, "{}", stderr(&added));
    let text = "[stork]\nlayout = iplanet-5\nroot = /x\naddress = 10.0.37.10, 10.0.37.11\n";
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some(text));
    // Through a pipe too, and one that a person wrote twice is left as it is.
    let listed = String::from_utf8(files.run(&["list"]).stdout).unwrap();
    let piped = listed.replace("[\"10.0.37.10\"", "[\"10.0.37.10\",\"10.0.37.10\"");
    assert_ne!(piped, listed);
    assert_eq!(records(&files.feed(&["add", "-"], piped.as_bytes()))[0]["changed"], false);
    let text = text.replace("10.0.37.11", "10.0.37.11, 10.0.37.10");
    files.write("/etc/msgregistry.inf", &text);
    assert_eq!(String::from_utf8(files.run(&["list"]).stdout).unwrap(), listed);
    assert_eq!(records(&files.feed(&["add", "-"], listed.as_bytes()))[0]["changed"], false);
    assert_eq!(files.read("/etc/msgregistry.inf"), Some(text));
}

#[test]
fn a_root_that_cannot_be_scanned_hinders_no_other() {
    let files = Files::new();
    for root in ["/opt/one/msg-a/imta/config", "/opt/two/msg-b/imta/config"] {
        fs_err::create_dir_all(files.path(root)).unwrap();
    }
    let scanned = files.run(&["scan", "/opt/one", "/no/such", "/opt/two"]);
    assert_eq!(code(&scanned), 3);
    let found: Vec<_> = records(&scanned).iter().map(|record| record["name"].clone()).collect();
    assert_eq!(found[..2], ["a", "b"]);
    assert!(
        stderr(&scanned).contains("cannot scan /no/such: No such file or directory"),
        "{}",
        stderr(&scanned)
    );
}

#[test]
fn new_lines_end_as_the_others_do() {
    let files = Files::new();
    files.write("/etc/msgregistry.inf", &entry("\r\n"));
    let added = files.run(&["add", "heron", "--layout", "postfix-dovecot", "--server-root", "/srv/x"]);
    assert_eq!(code(&added), 0, "{}", stderr(&added));
    let changed = files.run(&["add", "stork", "--address", "10.0.37.11"]);
    assert_eq!(code(&changed), 0, "{}", stderr(&changed));
    let text = entry("\r\n").replace("10.0.37.10", "10.0.37.11")
        + "\r\n[heron]\r\nlayout = postfix-dovecot\r\nroot = /srv/x\r\n";
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some(&*text));
}

#[test]
fn instances_are_found_below_a_server_root() {
    let files = Files::new();
    for folder in ["msg-mail-1/imta/config", "msg-mail-2/imta/config", "slapd-elenchus/config", "msg-empty"] {
        fs_err::create_dir_all(files.path("/opt/iplanet/server5").join(folder)).unwrap();
    }
    files.write("/opt/iplanet/server5/slapd-elenchus/config/slapd.conf", "port 389\n");
    let scanned = files.run(&["scan", "/opt/iplanet/server5"]);
    let mut found = records(&scanned);
    // Their files are not there, so that nobody knows their addresses, and a pipe must not take them for unbound.
    assert_eq!(code(&scanned), 3);
    assert!(stderr(&scanned).contains("cannot tell the addresses of mail-1"), "{}", stderr(&scanned));
    assert_eq!(found.pop().unwrap()["schema"], "ims.fail/1");
    assert_eq!(code(&files.feed(&["add", "-"], &scanned.stdout)), 3);
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
    let names: Vec<(&str, Option<&str>)> =
        found.iter().map(|i| (i["name"].as_str().unwrap(), i["ldap"].as_str())).collect();
    assert_eq!(names, [("mail-1", Some("elenchus")), ("mail-2", None)]);
    // A root that is one instance goes by the name of its folder, unless an installer gave that.
    for (root, name) in
        [("/opt/mail-3/SUNWmsgsr", "mail-3"), ("/opt/SUNWmsgsr", "SUNWmsgsr"), ("/srv/post", "post")]
    {
        files.write(&format!("{root}/config/dispatcher.cnf"), "");
        let mut found = records(&files.run(&["scan", root]));
        assert_eq!(found.pop().unwrap()["schema"], "ims.fail/1", "no configutil");
        let told: Vec<_> =
            found.iter().map(|i| (i["name"].as_str(), i["layout"].as_str(), &i["mail"])).collect();
        assert_eq!(told, [(Some(name), Some("messaging-6"), &serde_json::Value::Bool(true))], "{root}");
    }
    assert_eq!(code(&files.run(&["scan", "/opt/iplanet"])), 1);
    assert_eq!(code(&files.run(&["scan", "/no/such/folder"])), 3);
    assert_eq!(code(&files.run(&["scan", "relative"])), 2);
}

#[test]
fn the_last_entry_takes_comments_with_it_and_a_file_of_comments_alone_stays() {
    let files = Files::new();
    files.write("/etc/msgregistry.inf", "# nothing yet\n");
    assert_eq!(code(&files.run(&["remove", "stork"])), 0);
    assert_eq!(files.read("/etc/msgregistry.inf").as_deref(), Some("# nothing yet\n"));
    files.run(STORK);
    let gone = files.run(&["remove", "stork"]);
    assert!(records(&gone)[0]["diff"].as_str().unwrap().contains("-# nothing yet"));
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
}

#[test]
fn ten_writers_at_once_lose_nothing() {
    let files = Files::new();
    let writers: Vec<_> = (0..10)
        .map(|number| {
            let name = format!("mail-{number}");
            let mut command = files.command(&["add", &name, "--layout", "iplanet-5", "--server-root", "/x"]);
            command.args(["--timeout", "60s"]).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(records(&files.run(&["list"])).len(), 10);
}

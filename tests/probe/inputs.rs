//! Where targets come from: the command line, the registry, a pipe.

use std::io::Write;
use std::process::Stdio;

use tempfile::TempDir;

use super::servers::{Say, Server, play, wait};
use super::{Run, ims_probe, run, verdict};

/// A host whose registry holds this text.
fn registry(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs_err::create_dir_all(folder.path().join("etc")).unwrap();
    fs_err::write(folder.path().join("etc/msgregistry.inf"), text).unwrap();
    folder
}

fn below(root: &TempDir, args: &[&str]) -> Run {
    run(&[args, &["--root", root.path().to_str().unwrap()]].concat())
}

fn feed(stdin: &str, args: &[&str]) -> Run {
    let mut command = ims_probe(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    Run {
        code: output.status.code().unwrap(),
        records: stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        took: std::time::Duration::ZERO,
    }
}

const STORK: &str = "[stork]\nlayout = postfix-dovecot\nroot = /global/ims\naddress = 192.0.2.10\n";
const RECORD: &str = "{\"schema\":\"ims.instance/1\",\"host\":\"mail-1\",\"name\":\"stork\",\"layout\":\"postfix-dovecot\",\
                      \"root\":\"/no/such/root\",\"addresses\":[\"192.0.2.10\"],\"ldap\":null,\"mail\":true}\n";

#[test]
fn nothing_to_probe_is_not_a_yes() {
    let empty = registry("");
    for answer in
        [below(&empty, &[]), feed("", &["-"]), below(&registry(STORK), &["stork", "--part", "directory"])]
    {
        assert_eq!(answer.code, 3, "{}", answer.stderr);
        assert!(answer.stderr.contains("ims-probe: nothing to probe"), "{}", answer.stderr);
        assert_eq!(answer.records[0]["schema"], "ims.fail/1");
    }
}

#[test]
fn a_wrong_target_is_one_line_and_status_2() {
    for (args, told) in [
        (&["smpt://192.0.2.10"][..], "ims-probe: no scheme 'smpt' (did you mean smtp?)\n"),
        (
            &["imap://joe:secret@192.0.2.10"],
            "ims-probe: imap:// with an '@' (no user or password goes into a target)\n",
        ),
        (
            &["192.0.2.10:25"],
            "ims-probe: a target that is neither a URL nor an instance's name (like smtp://192.0.2.10:25)\n",
        ),
        (&["imapx://192.0.2.10"], "ims-probe: no scheme 'imapx' (did you mean imap?)\n"),
        (&["osprey"], "ims-probe: no instance 'osprey' in /etc/msgregistry.inf (it knows stork)\n"),
    ] {
        let answer = below(&registry(STORK), args);
        assert_eq!((answer.code, answer.stderr.as_str()), (2, told));
        assert_eq!(answer.records[0]["exit"], 2);
    }
    assert_eq!(run(&["tcp://127.0.0.1:1", "--count", "2"]).code, 2, "--count goes with --every");
    let torn = feed("{\"schema\":\"ims.instance/1\"\n", &["-"]);
    assert_eq!(torn.code, 2);
    assert!(torn.stderr.starts_with("ims-probe: stdin:1: not JSON"), "{}", torn.stderr);
}

#[test]
fn an_instance_whose_configuration_is_elsewhere_is_unknown() {
    for answer in [below(&registry(STORK), &[]), below(&registry(STORK), &["stork"]), feed(RECORD, &["-"])] {
        let (state, at, words) = verdict(&answer.records[0]);
        assert_eq!((state, at, answer.code, answer.records.len()), ("unknown", "config", 3, 1), "{words}");
        assert_eq!(answer.records[0]["instance"], "stork");
        assert!(answer.records[0]["endpoint"].as_str().unwrap().ends_with("/msg-stork"));
    }
}

#[test]
fn an_instance_without_an_address_is_not_answered_for_by_its_loopback_port() {
    let server = Server::start(|stream| wait(&stream));
    let port = server.url("tcp").rsplit(':').next().unwrap().to_owned();
    let root = registry("[stork]\nlayout = postfix-dovecot\nroot = /global/ims\n");
    let folder = root.path().join("global/ims/msg-stork");
    for name in ["postfix", "dovecot"] {
        fs_err::create_dir_all(folder.join(name)).unwrap();
    }
    fs_err::write(folder.join("postfix/main.cf"), "inet_interfaces = all\n").unwrap();
    let master = format!("smtp inet n - n - - smtpd\n127.0.0.1:{port} inet n - n - - smtpd\n");
    fs_err::write(folder.join("postfix/master.cf"), master).unwrap();
    fs_err::write(folder.join("dovecot/dovecot.conf"), "protocols =\n").unwrap();
    let answer = below(&root, &["--level", "connect"]);
    assert_eq!((answer.records.len(), answer.code), (1, 3), "{:?}", answer.records);
    let (state, at, words) = verdict(&answer.records[0]);
    assert_eq!((state, at), ("unknown", "config"));
    assert!(
        words.contains("port 25 of stork") && words.contains("ims-registry add stork --address"),
        "{words}"
    );
}

#[test]
fn other_records_are_passed_over_and_the_same_target_is_probed_once() {
    let piped = format!("{{\"schema\":\"ims.change/1\",\"host\":\"x\"}}\n{RECORD}{RECORD}");
    let answer = feed(&piped, &["-"]);
    assert_eq!((answer.records.len(), answer.code), (1, 3));
    assert_eq!(answer.stderr, "ims-probe: stdin:1: ims.change/1 records are passed over\n");
    let server = Server::start(|stream| wait(&stream));
    let url = server.url("tcp");
    let answer = run(&[&url, &url]);
    assert_eq!((answer.records.len(), answer.code), (1, 0));
}

#[test]
fn the_gravest_answer_is_the_status() {
    let server = Server::start(|stream| wait(&stream));
    let (up, down) = (server.url("tcp"), "tcp://127.0.0.1:1");
    for (targets, code) in
        [(vec![&*up], 0), (vec![&*up, down], 1), (vec![&*up, down, "tcp://nowhere.invalid:1"], 3)]
    {
        let answer = run(&targets);
        assert_eq!((answer.code, answer.records.len()), (code, targets.len()));
    }
}

#[test]
fn waiting_for_a_descriptor_takes_nothing_of_a_servers_time() {
    let silent = Server::start(|stream| play(&stream, &[("", Say::Nothing)]));
    let greeting = Server::scripted(&[("", Say::Bytes(b"220 mail-1 ESMTP\r\n")), ("QUIT", Say::Close)]);
    let root = registry(STORK);
    let folder = root.path().join("global/ims/msg-stork");
    for name in ["postfix", "dovecot"] {
        fs_err::create_dir_all(folder.join(name)).unwrap();
    }
    fs_err::write(folder.join("postfix/main.cf"), "inet_interfaces = all\n").unwrap();
    let master = [&silent, &greeting]
        .map(|server| format!("127.0.0.1:{} inet n - n - - smtpd\n", server.port()))
        .concat();
    fs_err::write(folder.join("postfix/master.cf"), master).unwrap();
    fs_err::write(folder.join("dovecot/dovecot.conf"), "protocols =\n").unwrap();
    // Of 65 descriptors one is for a connection, which the silent server holds until its time is over.
    let mut command = std::process::Command::new("prlimit");
    command.arg("--nofile=65:65").arg(assert_cmd::cargo::cargo_bin!("ims-probe"));
    command.args(["--level", "greet", "--timeout", "500ms", "--root"]).arg(root.path());
    let answer = super::finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let states: Vec<&str> = answer.records.iter().map(|record| verdict(record).0).collect();
    assert_eq!(states, ["down", "up"], "{:?}", answer.records);
}

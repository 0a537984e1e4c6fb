//! The system's authorities: they are trusted, and a store that cannot be read, or not in time, holds nothing up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::tempdir;

use super::certificates::{Authority, GOOD, Wanted};
use super::servers::{Say, Server};
use super::tls::{IMAP, server};
use super::{Going, Run, finish, ims_probe, verdict};

/// Probes with this file as the system's authorities, and ends a prober that hangs.
fn run(store: &Path, urls: &[&str], options: &[&str]) -> Run {
    let program = ims_probe(&[]).get_program().to_owned();
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "20s"]).arg(program).args(urls).args(options).args(["--timeout", "3s"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("SSL_CERT_FILE", store);
    let mut run = finish(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    run.records.sort_by_key(|answer| urls.iter().position(|url| answer["endpoint"] == **url));
    run
}

fn told(answer: &Value) -> Value {
    let tls = &answer["tls"];
    json!([verdict(answer).0, verdict(answer).1, answer["findings"], tls["trusted"], tls["name_ok"]])
}

#[test]
fn the_systems_authorities_are_trusted_when_they_can_be_read() {
    let authority = Authority::new();
    let server = server(&authority, &GOOD, IMAP);
    let url = server.url("imaps");
    let read = run(Path::new(&authority.file()), &[&url], &["--tls", "require"]);
    assert_eq!((told(&read.records[0]), read.code), (json!(["up", "-", [], true, true]), 0));

    let unknown = json!(["partial", "tls", ["trust_unknown"], null, true]);
    let folder = tempdir().unwrap();
    let empty = authority.write("empty.pem", "");
    for (store, words) in [
        (
            folder.path().join("nowhere.pem"),
            "the system's certificate authorities cannot be read: failed to read PEM from file",
        ),
        (empty, "no certificate authority is known here"),
    ] {
        let found = run(&store, &[&url], &[]);
        let answer = &found.records[0];
        assert_eq!((told(answer), found.code), (unknown.clone(), 3));
        let said = verdict(answer).2;
        assert!(said.starts_with(words), "{said}");
        assert!(said.ends_with(" (install ca-certificates or give --ca)"), "{said}");
        let found = run(&store, &[&url], &["--tls", "require"]);
        assert_eq!((verdict(&found.records[0]).0, verdict(&found.records[0]).1), ("unknown", "tls"));
        assert_eq!(found.code, 3);
    }
}

#[test]
fn authorities_that_cannot_be_read_in_time_hold_up_no_other_and_make_no_server_down() {
    let authority = Authority::new();
    let folder = tempdir().unwrap();
    // Nobody writes to it, so that to open it takes for ever.
    let hangs = folder.path().join("store.pem");
    rustix::fs::mkfifoat(rustix::fs::CWD, &hangs, 0o600.into()).unwrap();
    let other = Wanted { names: &["other.example.org"], ..GOOD };
    let (good, named) = (server(&authority, &GOOD, IMAP), server(&authority, &other, IMAP));
    let clear = Server::scripted(&[
        ("", Say::Bytes(b"* OK ready\r\n")),
        ("a1", Say::Bytes(b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n")),
        ("a2", Say::Bytes(b"* BYE\r\na2 OK\r\n")),
    ]);
    let urls = [good.url("imaps"), named.url("imaps"), clear.url("imap")];
    let urls = urls.each_ref().map(String::as_str);

    let found = run(&hangs, &urls, &[]);
    let states: Vec<Value> = found.records.iter().map(told).collect();
    let expected = [
        json!(["partial", "tls", ["trust_unknown"], null, true]),
        json!(["partial", "tls", ["trust_unknown", "certificate_name"], null, false]),
        json!(["up", "-", [], null, null]),
    ];
    assert_eq!((&states[..], found.code), (&expected[..], 3), "{:?}", found.records);
    let words = "the system's certificate authorities could not be read in time (give --ca)";
    assert_eq!(verdict(&found.records[0]).2, words);
    assert!(found.records[2]["took_ms"].as_u64().unwrap() < 1000, "{}", found.records[2]);

    let found = run(&hangs, &urls[..1], &["--tls", "require"]);
    assert_eq!((verdict(&found.records[0]), found.code), (("unknown", "tls", words), 3));

    // Whoever brings the authorities along asks for no others.
    let found = run(&hangs, &urls[..1], &["--tls", "require", "--ca", &authority.file()]);
    assert_eq!((verdict(&found.records[0]).0, found.code), ("up", 0));
    assert!(found.records[0]["took_ms"].as_u64().unwrap() < 1000, "{}", found.records[0]);
}

#[test]
fn a_file_of_authorities_that_cannot_be_read_in_time_makes_no_server_down() {
    let authority = Authority::new();
    let server = server(&authority, &GOOD, IMAP);
    // Who opens a file on which somebody has a lease waits until it is given back.
    let lease = "import fcntl, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1])
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()";
    let file = authority.file();
    let mut python = Command::new("python3");
    python.args(["-c", lease, &file]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = python.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "held\n");

    let start = Instant::now();
    let found = run(Path::new("/nonexistent"), &[&server.url("imaps")], &["--ca", &file]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    let unknown = json!(["partial", "tls", ["trust_unknown"], null, true]);
    assert_eq!((told(&found.records[0]), found.code), (unknown, 3));
    assert_eq!(verdict(&found.records[0]).2, format!("{file} could not be read in time"));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn a_file_of_authorities_is_read_again_when_it_is_another() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = server(&authority, &GOOD, IMAP);
    let folder = tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let lay = |of: &Authority| {
        let new = folder.path().join("new.pem");
        fs_err::copy(of.file(), &new).unwrap();
        fs_err::rename(&new, &file).unwrap();
    };
    lay(&other);
    let mut going = Going::start(&[&server.url("imaps"), "--ca", file.to_str().unwrap(), "--every", "50ms"]);
    let mut becomes = |state: &str, findings: &Value| {
        let start = Instant::now();
        loop {
            let answer = going.record();
            if verdict(&answer).0 == state && answer["findings"] == *findings {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "not {state} {findings}: {answer}");
        }
    };
    becomes("partial", &json!(["certificate_not_trusted"]));
    lay(&authority);
    becomes("up", &json!([]));
    fs_err::remove_file(&file).unwrap();
    becomes("partial", &json!(["trust_unknown"]));
    lay(&authority);
    becomes("up", &json!([]));
}

#[test]
fn the_systems_authorities_are_read_again_until_they_can_be() {
    let authority = Authority::new();
    let server = server(&authority, &GOOD, IMAP);
    let folder = tempdir().unwrap();
    let store = folder.path().join("store.pem");
    let mut command = ims_probe(&[&server.url("imaps"), "--every", "50ms", "--count", "200"]);
    let mut child = command.env("SSL_CERT_FILE", &store).stdout(Stdio::piped()).spawn().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    assert_eq!(told(&answers.next().unwrap())[2], json!(["trust_unknown"]));
    fs_err::copy(authority.file(), &store).unwrap();
    assert!(answers.any(|answer| verdict(&answer).0 == "up"), "200 probes saw no authority");
    child.kill().unwrap();
    child.wait().unwrap();
}

//! Answers that nobody gets, and tables.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use fs_err::OpenOptions;
use rustix::process::Signal;

use super::servers::{Server, wait};
use super::{Going, ims_probe, run};
use crate::support::until;

#[test]
fn an_answer_that_cannot_be_printed_is_not_a_yes() {
    let server = Server::start(|stream| wait(&stream));
    for format in ["json", "table"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            ims_probe(&[&server.url("tcp"), "-o", format]).stdout(full.into_file()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{format}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to stdout: No space left"));
    }
}

#[test]
fn a_reader_that_goes_ends_the_run_between_two_probes() {
    let server = Server::start(|stream| wait(&stream));
    let mut going = Going::start(&[&server.url("tcp"), "--every", "1h"]);
    going.record();
    going.stop_reading();
    let start = Instant::now();
    let (code, told) = going.end();
    assert_eq!(code, 3);
    assert!(told.contains("cannot write to stdout: Broken pipe"), "{told}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_reader_that_stopped_reading_keeps_no_signal_out() {
    let server = Server::start(|stream| wait(&stream));
    let (mut read, write) = std::io::pipe().unwrap();
    let page = 4096;
    rustix::pipe::fcntl_setpipe_size(&write, 4 * page).unwrap();
    let mut command = ims_probe(&[&server.url("tcp"), "--every", "1ms"]);
    let mut child = command.stdout(write).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    // A pipe is full once its last page is begun.
    let deadline = Instant::now() + Duration::from_secs(30);
    while rustix::io::ioctl_fionread(&read).unwrap() <= 3 * page as u64 {
        assert!(Instant::now() < deadline, "the pipe never fills");
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(5), "a signal did not end it");
        std::thread::yield_now();
    }
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("}\n"), "the last record is whole");
}

#[test]
fn a_slow_reader_sees_how_old_an_answer_is() {
    let (read, write) = std::io::pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&write, 4096).unwrap();
    let mut command = ims_probe(&["tcp://127.0.0.1:1", "--every", "1ms"]);
    let mut child = command.stdout(write).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let is_full = || rustix::io::ioctl_fionread(&read).unwrap() > 0;
    assert!(until(Duration::from_secs(20), is_full), "the pipe never fills");
    std::thread::sleep(Duration::from_millis(600)); // the age that is told for it is what is tested
    let records = BufReader::new(&read).lines().map(|line| line.unwrap());
    let ages: Vec<u64> = records
        .take(400)
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()["age_ms"].as_u64().unwrap())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ages.iter().any(|age| *age >= 400), "{ages:?}");
    assert!(ages.iter().any(|age| *age < 400), "what was read late was printed at once: {ages:?}");
}

#[test]
fn a_window_adds_up_the_failures_of_each_endpoint() {
    let server = Server::start(|stream| wait(&stream));
    let (up, down) = (server.url("tcp"), "tcp://127.0.0.1:1");
    let line = [&*up, down, "--every", "20ms", "--count", "5", "--window", "3"];
    let answer = run(&line);
    for (target, failures, confidence) in [
        (&*up, [0, 0, 0, 0, 0], serde_json::json!(100)),
        (down, [100, 200, 300, 300, 300], serde_json::Value::Null),
    ] {
        let windows: Vec<&serde_json::Value> = answer
            .records
            .iter()
            .filter(|answer| answer["endpoint"] == target)
            .map(|answer| &answer["window"])
            .collect();
        let told: Vec<u64> = windows.iter().map(|window| window["failures"].as_u64().unwrap()).collect();
        assert_eq!(told, failures, "{target}");
        assert_eq!((&windows[4]["probes"], &windows[4]["unknown"]), (&3.into(), &0.into()));
        assert_eq!(windows[4]["confidence"], confidence, "{target}");
    }
    for (line, words) in [
        ("--window 3", "--every"),
        ("--window 0 --every 1s", "not a number of probes from 1 to 10000"),
        (
            "--window 1h --every 1ms",
            "a window of more than 10000 probes (a shorter --window or a longer --every)",
        ),
    ] {
        let args: Vec<&str> = line.split(' ').chain([down]).collect();
        let output = ims_probe(&args).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.contains(words)), (Some(2), true), "{told}");
    }
}

#[test]
fn a_table_has_a_row_a_target() {
    let server = Server::start(|stream| wait(&stream));
    let url = server.url("tcp");
    let output = ims_probe(&[&url, "tcp://127.0.0.1:1", "-o", "table"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ENDPOINT", "INSTANCE", "LEVEL", "STATE", "STAGE", "TOOK", "WORDS"]);
    rows[1..].sort_by_key(|row| row[0] != url);
    assert_eq!([rows[1][0], rows[1][2], rows[1][3]], [&*url, "connect", "up"]);
    assert_eq!([rows[2][0], rows[2][3], rows[2][4]], ["tcp://127.0.0.1:1", "down", "connect"]);
    assert_eq!((rows.len(), output.status.code()), (3, Some(1)));
}

#[test]
fn a_record_has_every_key_every_time() {
    let server = Server::start(|stream| wait(&stream));
    let answer = run(&[&server.url("tcp"), "tcp://127.0.0.1:1"]);
    for record in &answer.records {
        let keys: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
        let mut wanted = vec![
            "schema", "host", "endpoint", "instance", "service", "address", "level", "state", "stage",
            "words", "findings", "tls", "took_ms", "steps", "attempt", "time", "age_ms", "window",
        ];
        wanted.sort_unstable();
        assert_eq!(keys, wanted);
    }
}

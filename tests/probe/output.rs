//! Answers that nobody gets, and tables.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fs_err::OpenOptions;
use rustix::process::Signal;

use super::servers::{Server, wait};
use super::{Going, ims_probe, run};

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
            "words", "findings", "tls", "took_ms", "steps", "attempt", "time",
        ];
        wanted.sort_unstable();
        assert_eq!(keys, wanted);
    }
}

//! Again and again: when probes begin, and how a run ends.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

use super::servers::{Server, wait};
use super::{Going, run, verdict};

fn begun(answer: &Value) -> i64 {
    let time: Timestamp = answer["time"].as_str().unwrap().parse().unwrap();
    time.as_millisecond() - i64::try_from(answer["took_ms"].as_u64().unwrap()).unwrap()
}

#[test]
fn the_first_probe_is_at_once_and_the_others_keep_the_clock() {
    let server = Server::start(|stream| wait(&stream));
    let answer = run(&[&server.url("smtp"), "--every", "300ms", "--count", "5", "--timeout", "200ms"]);
    assert_eq!((answer.code, answer.records.len()), (1, 5));
    let first = begun(&answer.records[0]);
    for (beat, answer) in (0_i64..).zip(&answer.records) {
        let late = begun(answer) - first - beat * 300;
        assert!((-20..200).contains(&late), "probe {beat} was {late} ms late");
        assert_eq!(answer["attempt"].as_i64(), Some(beat + 1));
    }
}

#[test]
fn a_probe_longer_than_the_interval_leaves_beats_out_and_never_overlaps() {
    let server = Server::start(|stream| wait(&stream));
    let answer = run(&[&server.url("smtp"), "--every", "200ms", "--count", "3", "--timeout", "500ms"]);
    let begins: Vec<i64> = answer.records.iter().map(begun).collect();
    for two in begins.windows(2) {
        assert!(two[1] - two[0] >= 500 - 20, "{begins:?} overlap");
        assert!((two[1] - begins[0] + 20) % 200 < 170, "{begins:?} are off the beat");
    }
    assert_eq!(begins.len(), 3);
}

#[test]
fn a_slow_target_never_delays_another() {
    let slow = Server::start(|stream| wait(&stream));
    let fast = Server::start(|stream| super::servers::say_all(&stream, b"+OK\r\n"));
    let (slow, fast) = (slow.url("pop3"), fast.url("pop3"));
    let start = Instant::now();
    let mut going = Going::start(&[&slow, &fast, "--level", "greet", "--every", "50ms", "--timeout", "30s"]);
    for attempt in 1..=5 {
        let answer = going.record();
        assert_eq!((answer["endpoint"].as_str(), answer["attempt"].as_u64()), (Some(&*fast), Some(attempt)));
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    going.signal(Signal::TERM);
    let (code, told) = going.end();
    assert_eq!(code, 3, "the slow one has not answered yet");
    assert_eq!(told, "ims-probe: stopped by SIGTERM; 1 of 2 targets had answered\n");
}

#[test]
fn a_signal_ends_the_run_with_the_latest_answers() {
    let good = Server::start(|stream| wait(&stream));
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        for (target, code) in [(good.url("tcp"), 0), ("tcp://127.0.0.1:1".to_owned(), 1)] {
            let mut going = Going::start(&[&target, "--every", "1h"]);
            let answer = going.record();
            going.signal(signal);
            let (status, told) = going.end();
            assert_eq!((status, verdict(&answer).0 == "up"), (code, code == 0));
            assert_eq!(told, format!("ims-probe: stopped by {name}; 1 of 1 targets had answered\n"));
        }
    }
}

#[test]
fn what_was_down_and_came_back_counts_as_it_is_now() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let probes = AtomicUsize::new(0);
    let server = Server::start(move |stream| {
        if probes.fetch_add(1, Ordering::SeqCst) > 0 {
            super::servers::say_all(&stream, b"+OK\r\n");
            wait(&stream);
        }
    });
    let answer = run(&[&server.url("pop3"), "--level", "greet", "--every", "100ms", "--count", "2"]);
    let states: Vec<&str> = answer.records.iter().map(|answer| verdict(answer).0).collect();
    assert_eq!((states, answer.code), (vec!["down", "up"], 0));
}

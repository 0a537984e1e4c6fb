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

/// Looks whether a rhythm is kept, again where it is not: what is at fault fails each time, a busy machine does not.
#[track_caller]
fn kept(mut look: impl FnMut() -> Result<(), String>) {
    let looks: Vec<String> = (0..6).map_while(|_| look().err()).collect();
    assert!(looks.len() < 6, "{looks:?}");
}

#[test]
fn the_first_probe_is_at_once_and_the_others_keep_the_clock() {
    let server = Server::start(|stream| wait(&stream));
    let line = [&*server.url("smtp"), "--every", "300ms", "--count", "5", "--timeout", "200ms"];
    kept(|| {
        let answer = run(&line);
        assert_eq!((answer.code, answer.records.len()), (1, 5));
        let attempts: Vec<Option<u64>> = answer.records.iter().map(|a| a["attempt"].as_u64()).collect();
        assert_eq!(attempts, [1, 2, 3, 4, 5].map(Some));
        let first = begun(&answer.records[0]);
        let late = (0_i64..).zip(&answer.records).map(|(beat, a)| begun(a) - first - beat * 300);
        let late: Vec<i64> = late.collect();
        if late.iter().all(|late| (-20..200).contains(late)) {
            Ok(())
        } else {
            Err(format!("late {late:?} ms"))
        }
    });
}

#[test]
fn a_probe_longer_than_the_interval_leaves_beats_out_and_never_overlaps() {
    let server = Server::start(|stream| wait(&stream));
    let line = [&*server.url("smtp"), "--every", "200ms", "--count", "3", "--timeout", "500ms"];
    kept(|| {
        let begins: Vec<i64> = run(&line).records.iter().map(begun).collect();
        assert_eq!(begins.len(), 3);
        let overlaps = begins.windows(2).any(|two| two[1] - two[0] < 500 - 20);
        let is_off = begins.iter().any(|begin| (begin - begins[0] + 20) % 200 >= 170);
        if overlaps || is_off { Err(format!("{begins:?} overlap or are off the beat")) } else { Ok(()) }
    });
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
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
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
            let summary = going.record();
            let (status, told) = going.end();
            let count = |key: &str| summary[key].as_u64().unwrap();
            assert_eq!((&summary["schema"], &summary["stopped_by"]), (&"ims.summary/1".into(), &name.into()));
            assert_eq!((count("targets"), count("answered"), count("probes")), (1, 1, 1), "{summary}");
            assert_eq!((count("up"), count("down")), (1 - u64::from(code == 1), u64::from(code == 1)));
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

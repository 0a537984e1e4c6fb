//! Servers that mean no good: the right stage, on time, in bounded memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::servers::{Server, say_all, wait};
use super::{Going, run, run_all, verdict};

/// What the prober may take at its peak; it starts with some 5 MiB in a debug build.
const MOST_KIB: u64 = 24 * 1024;

#[test]
fn a_hostile_greeting_is_down_at_its_stage_and_on_time() {
    type Serve = fn(TcpStream);
    let never: Serve = |stream| wait(&stream);
    let slow: Serve = |mut stream| {
        // A byte now and then: each is progress, and none is an answer.
        while stream.write_all(b"2").is_ok() {
            std::thread::sleep(Duration::from_millis(50)); // the slowness itself is what is tested
        }
    };
    let torn: Serve = |stream| say_all(&stream, b"220 mail-1 ESM");
    let nul: Serve = |stream| say_all(&stream, b"220 mail\0-1\r\n* OK \0\r\n");
    let latin: Serve = |stream| say_all(&stream, b"\xff\xfe\x80 hello\r\n");
    let shut: Serve = drop;
    let tls: Serve = |stream| say_all(&stream, b"\x15\x03\x01\x00\x02\x02\x46\n");
    let rows = [
        ("never answers", never, "timed out after 1s"),
        ("one byte at a time", slow, "timed out after 1s"),
        ("closes in a line", torn, "the server closed the connection"),
        ("NUL bytes", nul, "not a "),
        ("no UTF-8", latin, "\\xff\\xfe\\x80 hello"),
        ("closes at once", shut, ""),
        ("speaks TLS", tls, "not a "),
    ];
    let (mut urls, mut wanted) = (Vec::new(), Vec::new());
    for (what, serve, words) in rows {
        for scheme in ["smtp", "lmtp", "imap", "pop3"] {
            urls.push(Server::start(serve).url(scheme));
            wanted.push((what, words));
        }
    }
    let run = run_all(&urls, &["--timeout", "1s"]);
    for ((answer, url), (what, words)) in run.records.iter().zip(&urls).zip(wanted) {
        let (state, at, told) = verdict(answer);
        assert_eq!((state, at), ("down", "greet"), "{url} {what}: {told}");
        assert!(told.contains(words), "{url} {what}: {told}");
    }
    assert_eq!(run.code, 1);
    // Eight of them never end by themselves: one after the other they would take that many deadlines.
    assert!(run.took < Duration::from_secs(8), "{:?}", run.took);
}

#[test]
fn a_flood_of_a_hundred_megabytes_takes_no_memory() {
    type Flood = (&'static str, &'static [u8], &'static str);
    let floods: [Flood; 4] = [
        ("smtp", b"220-more and more of it\r\n", "a reply longer than 64 KiB"),
        ("smtp", &[b'2'; 4096], "a line longer than 4096 bytes"),
        ("pop3", &[b'+'; 4096], "a line longer than 4096 bytes"),
        ("imap", &[b'*'; 4096], "a line longer than 4096 bytes"),
    ];
    for (scheme, bytes, words) in floods {
        let server = Server::start(|mut stream| {
            for _ in 0..100 * 1024 * 1024 / bytes.len() {
                if stream.write_all(bytes).is_err() {
                    return;
                }
            }
        });
        let mut going = Going::start(&[&server.url(scheme), "--every", "1h"]);
        let answer = going.record();
        assert_eq!(verdict(&answer), ("down", "greet", words), "{scheme}");
        let peak = going.peak_kib();
        assert!(peak < MOST_KIB, "{scheme}: {peak} KiB");
    }
}

#[test]
fn a_flood_in_the_middle_of_a_session_ends_at_its_stage() {
    for (scheme, greeting, flood, stage) in [
        ("smtp", &b"220 x\r\n"[..], &b"250-x\r\n"[..], "ehlo"),
        ("imap", b"* OK x\r\n", b"* x\r\n", "capability"),
        ("pop3", b"+OK x\r\n", b"+OK x\r\n", "capability"),
    ] {
        let server = Server::start(move |mut stream| {
            say_all(&stream, greeting);
            let mut request = [0; 64];
            if stream.read(&mut request).is_ok() {
                while stream.write_all(flood).is_ok() {}
            }
        });
        let answer = run(&[&server.url(scheme), "--timeout", "30s"]);
        assert_eq!(verdict(&answer.records[0]), ("down", stage, "a reply longer than 64 KiB"), "{scheme}");
    }
}

#[test]
fn a_strangers_words_cannot_move_the_cursor() {
    let server = Server::start(|stream| say_all(&stream, b"554 \x1b[2J\x07gone\r\n"));
    let answer = run(&[&server.url("smtp"), "-o", "json"]);
    assert_eq!(verdict(&answer.records[0]).2, "554 \\u{1b}[2J\\u{7}gone");
}

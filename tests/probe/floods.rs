//! Servers that never stop talking: a hundred megabytes take no memory, one target or two hundred at once.

use std::net::TcpStream;

use super::many::{in_own_network, listener, urls};
use super::servers::{Server, flood, say_all};
use super::{Going, stood_still, verdict};

/// What the prober may take at its peak with one target; it starts with some 5 MiB in a debug build.
const MOST_KIB: u64 = 24 * 1024;

const REPLY: &str = "a reply longer than 64 KiB";
const LINE: &str = "a line longer than 4096 bytes";
const BOUND: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
const ENTRY: &[u8] = b"\x30\x09\x02\x01\x02\x64\x04\x04\x00\x30\x00";

/// A scheme, what was said before, what is said without end, the stage and the words.
type Flood = (&'static str, &'static [&'static [u8]], &'static [u8], &'static str, &'static str);

const FLOODS: [Flood; 15] = [
    ("smtp", &[], b"220-more and more of it\r\n", "greet", REPLY),
    ("smtp", &[], b"2", "greet", LINE),
    ("smtp", &[b"220 x\r\n"], b"250-x\r\n", "ehlo", REPLY),
    ("lmtp", &[b"220 x\r\n"], b"250-x\r\n", "lhlo", REPLY),
    ("smtp", &[b"220 x\r\n", b"250 x\r\n"], b"221-x\r\n", "quit", REPLY),
    ("imap", &[], b"*", "greet", LINE),
    ("imap", &[b"* OK x\r\n"], b"* x\r\n", "capability", REPLY),
    ("imap", &[b"* OK x\r\n"], b"* x {10}\r\n0123456789\r\n", "capability", REPLY),
    ("imap", &[b"* OK x\r\n"], b"* x {60000}\r\n", "capability", REPLY),
    ("imap", &[b"* OK x\r\n", b"* CAPABILITY IMAP4\r\na1 OK\r\n"], b"* BYE\r\n", "logout", REPLY),
    ("pop3", &[], b"+", "greet", LINE),
    ("pop3", &[b"+OK x\r\n"], b"+OK x\r\n", "capability", REPLY),
    ("ldap", &[b"", BOUND], ENTRY, "search", REPLY),
    ("http", &[b""], b"HTTP/1.1 100 Continue\r\n\r\n", "get", REPLY),
    ("http", &[b"", b"HTTP/1.1 200 OK\r\n"], b"X: y\r\n", "get", REPLY),
];

#[test]
fn a_hundred_megabytes_take_no_memory_at_any_stage() {
    for (scheme, said, endless, stage, words) in FLOODS {
        // The client of HTTP does not speak again before its headers are there.
        let (said, head) = if scheme == "http" { said.split_at(1) } else { (said, &[][..]) };
        let server = Server::after(said, move |stream| {
            for piece in head {
                say_all(stream, piece);
            }
            flood(stream, endless);
        });
        let (answer, peak) = (0..6)
            .find_map(|_| {
                let mut going = Going::start(&[&server.url(scheme), "--every", "1h", "--timeout", "30s"]);
                let answer = going.record();
                (!stood_still(&answer)).then(|| (answer, going.peak_kib()))
            })
            .expect("the machine let the prober stand still");
        assert_eq!(verdict(&answer), ("down", stage, words), "{scheme}");
        assert!(peak < MOST_KIB, "{scheme} at {stage}: {peak} KiB");
    }
}

/// A scheme, what its servers do, and the stage.
type Kind = (&'static str, fn(&TcpStream), &'static str);

const KINDS: [Kind; 4] = [
    ("smtp", |stream| flood(stream, b"2"), "greet"),
    ("http", |stream| flood(stream, b"HTTP/1.1 100 x\r\n\r\n"), "get"),
    // A literal, and a message, that are nearly as long as any and never end.
    ("imap", |stream| hold(stream, b"* OK x\r\n* x {65000}\r\n"), "capability"),
    ("ldap", |stream| hold(stream, b"\x30\x82\xff\x00\x02\x01\x01"), "bind"),
];
/// How many of them there are of each kind; all kinds are probed in one run.
const MANY: u16 = 50;
/// What each target may take at the most: a reply of 64 KiB that never comes to its end, and room to grow for it.
const EACH_KIB: u64 = 96;

#[test]
fn two_hundred_hostile_servers_at_once_take_little_memory() {
    in_own_network(|| {
        let mut targets = Vec::new();
        for (scheme, serve, _) in KINDS {
            let server = Server::on(listener(), move |stream| serve(&stream));
            targets.extend(urls(scheme, server.port(), MANY));
        }
        let mut args: Vec<&str> = targets.iter().map(String::as_str).collect();
        args.extend(["--timeout", "5s", "--every", "1h"]);
        let peak = (0..6).find_map(|_| peak(&args, targets.len()));
        let peak = peak.expect("the machine let the prober stand still");
        println!("{} hostile targets: {peak} KiB at the peak", targets.len());
        assert!(peak < MOST_KIB + EACH_KIB * u64::from(MANY) * 4, "{peak} KiB");
    });
}

/// Says something, all but the end of what was begun with it, and keeps the connection.
fn hold(stream: &TcpStream, begun: &[u8]) {
    say_all(stream, begun);
    say_all(stream, &b"x".repeat(64_500));
    super::servers::wait(stream);
}

/// The memory of a run at its peak, in which each is down at its stage; nothing when it stood still itself.
fn peak(args: &[&str], count: usize) -> Option<u64> {
    let mut going = Going::start(args);
    for _ in 0..count {
        let answer = going.record();
        if stood_still(&answer) {
            return None;
        }
        let scheme = answer["endpoint"].as_str().unwrap().split(':').next().unwrap();
        let (_, _, stage) = KINDS.into_iter().find(|(of, ..)| *of == scheme).unwrap();
        assert_eq!((verdict(&answer).0, verdict(&answer).1), ("down", stage), "{answer}");
    }
    Some(going.peak_kib())
}

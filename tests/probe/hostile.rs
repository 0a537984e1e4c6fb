//! Servers that mean no good, at each stage of each protocol: the right stage and reason, on time.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use super::servers::{Server, flood, reset, say_all, wait};
use super::{ims_probe, run_all, verdict};

/// A stage of a protocol, and what was said in turn before it. Whoever is spoken to first says nothing at first.
struct Stage {
    scheme: &'static str,
    name: &'static str,
    said: &'static [&'static [u8]],
    /// How a message begins that goes on for a while.
    begun: &'static [u8],
    /// How one begins that is longer than any.
    endless: &'static [u8],
    too_long: &'static str,
}

const LINE: Stage = Stage {
    scheme: "",
    name: "greet",
    said: &[],
    begun: b"2",
    endless: b"2",
    too_long: "a line longer than 4096 bytes",
};
const SMTP: Stage = Stage { scheme: "smtp", ..LINE };
const LMTP: Stage = Stage { scheme: "lmtp", ..LINE };
const IMAP: Stage = Stage { scheme: "imap", ..LINE };
const POP3: Stage = Stage { scheme: "pop3", ..LINE };
const HTTP: Stage = Stage { scheme: "http", name: "get", said: &[b""], ..LINE };
const LDAP: Stage = Stage {
    scheme: "ldap",
    name: "bind",
    said: &[b""],
    begun: b"\x30\x82\x10\x00",
    endless: b"\x30\x84\x10\x00\x00\x00",
    too_long: "a message longer than 64 KiB",
};

const HELLO: &[u8] = b"220 mail-1\r\n";
const READY: &[u8] = b"* OK ready\r\n";
const CAPABLE: &[u8] = b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n";
const BOUND: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

const STAGES: [Stage; 15] = [
    SMTP,
    Stage { name: "ehlo", said: &[HELLO], ..SMTP },
    Stage { name: "quit", said: &[HELLO, b"250-mail-1\r\n250 HELP\r\n"], ..SMTP },
    LMTP,
    Stage { name: "lhlo", said: &[HELLO], ..LMTP },
    Stage { name: "quit", said: &[HELLO, b"250 mail-1\r\n"], ..LMTP },
    IMAP,
    Stage { name: "capability", said: &[READY], ..IMAP },
    Stage { name: "logout", said: &[READY, CAPABLE], ..IMAP },
    POP3,
    Stage { name: "capability", said: &[b"+OK\r\n"], ..POP3 },
    Stage { name: "quit", said: &[b"+OK\r\n", b"+OK\r\n.\r\n"], ..POP3 },
    LDAP,
    Stage { name: "search", said: &[b"", BOUND], ..LDAP },
    HTTP,
];

/// What goes wrong, and the words that tell it; without words it is too long.
type Ill = (&'static str, fn(&TcpStream, &Stage), &'static str);

const ILLS: [Ill; 8] = [
    ("never answers", |stream, _| wait(stream), "timed out after 1s"),
    ("a byte now and then", drip, "timed out after 1s"),
    ("closes in the middle", |stream, at| say_all(stream, at.begun), "the server closed the connection"),
    ("resets", |stream, _| reset(stream), "connection reset by peer"),
    ("NUL bytes", |stream, _| say_all(stream, b"\0\0\0\r\n"), "not a"),
    ("no UTF-8", |stream, _| say_all(stream, b"\xff\xfe\x80 hello\r\n"), "not a"),
    ("speaks TLS", |stream, _| say_all(stream, b"\x15\x03\x01\x00\x02\x02\x46\n"), "not a"),
    (
        "no end",
        |stream, at| {
            say_all(stream, at.endless);
            flood(stream, b"2");
        },
        "",
    ),
];

/// Each byte is progress, and none is an answer.
fn drip(mut stream: &TcpStream, at: &Stage) {
    say_all(stream, at.begun);
    while stream.write_all(b"2").is_ok() {
        std::thread::sleep(Duration::from_millis(50)); // the slowness itself is what is tested
    }
}

#[test]
fn what_goes_wrong_is_down_at_its_stage_and_on_time() {
    let (mut urls, mut wanted) = (Vec::new(), Vec::new());
    for at in &STAGES {
        for (what, ill, words) in ILLS {
            urls.push(Server::after(at.said, move |stream| ill(stream, at)).url(at.scheme));
            wanted.push((at, what, if words.is_empty() { at.too_long } else { words }));
        }
    }
    let run = run_all(&urls, &["--timeout", "1s"]);
    for (answer, (wanted, what, words)) in run.records.iter().zip(wanted) {
        let (state, at, told) = verdict(answer);
        let row = format!("{} {}: {what}: {told}", wanted.scheme, wanted.name);
        assert_eq!((state, at), ("down", wanted.name), "{row}");
        assert!(told.contains(words), "{row}");
        let took = answer["took_ms"].as_u64().unwrap();
        // A probe's second may begin a little before its first stage does.
        assert_eq!(took >= 900, words.starts_with("timed out"), "{row}: {took} ms");
    }
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    // 30 of them never end by themselves: one after the other they would take that many deadlines.
    assert!(run.took < Duration::from_secs(8), "{:?}", run.took);
}

#[test]
fn a_goodbye_is_the_end_whatever_the_server_does_with_the_connection() {
    let (mut urls, mut ends) = (Vec::new(), Vec::new());
    for (scheme, said) in [
        ("smtp", &[HELLO, b"250 x\r\n"][..]),
        ("lmtp", &[HELLO, b"250 x\r\n"]),
        ("imap", &[READY, CAPABLE]),
        ("pop3", &[b"+OK\r\n", b"-ERR\r\n"]),
        ("http", &[b""]),
    ] {
        for end in [wait, reset] {
            let goodbye: &[u8] = match scheme {
                "imap" => b"* BYE\r\na2 OK\r\n",
                "pop3" => b"+OK\r\n",
                "http" => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
                _ => b"221 bye\r\n",
            };
            let server = Server::after(said, move |stream| {
                say_all(stream, goodbye);
                end(stream);
            });
            urls.push(server.url(scheme));
            ends.push(scheme);
        }
    }
    let run = run_all(&urls, &["--timeout", "10s"]);
    for (answer, scheme) in run.records.iter().zip(ends) {
        assert_eq!(verdict(answer).0, "up", "{scheme}: {answer}");
        assert!(answer["took_ms"].as_u64().unwrap() < 5000, "{scheme}: {answer}");
    }
    assert_eq!(run.code, 0);
}

#[test]
fn a_strangers_words_cannot_move_the_cursor_in_any_form_of_output() {
    let server = Server::start(|stream| {
        say_all(&stream, b"554 \x1b[2J\x07\x9b2J\xc2\x9b2J\xe2\x80\xae\xff\x7f\x08\rgone\r\n");
    });
    let url = server.url("smtp");
    let words = r"554 \u{1b}[2J\u{7}\x9b2J\u{9b}2J\u{202e}\xff\u{7f}\u{8}\rgone";
    for (form, shows) in [
        ("json", serde_json::to_string(words).unwrap()),
        ("table", words.to_owned()),
        ("nagios", words.to_owned()),
        ("junit", words.to_owned()),
        ("prometheus", String::new()),
        ("openmetrics", String::new()),
    ] {
        let text = String::from_utf8(ims_probe(&[&url, "-o", form]).output().unwrap().stdout).unwrap();
        assert!(text.contains(&shows), "{form}: {text}");
        let is_printable = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(text.chars().all(is_printable), "{form}: {text:?}");
    }
}

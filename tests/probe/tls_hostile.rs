//! What calls itself TLS and is none, or is without end: down at exactly that stage, in bounded memory.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};

use super::certificates::{Authority, GOOD};
use super::servers::{Server, say_all, wait};
use super::tls::of;
use super::{Going, run, run_all, verdict};

#[test]
fn what_is_not_tls_is_down_at_tls() {
    type Serve = fn(TcpStream);
    let never: Serve = |stream| wait(&stream);
    let greets: Serve = |stream| say_all(&stream, b"220 mail-1 ESMTP\r\n");
    let alert: Serve = |stream| say_all(&stream, b"\x15\x03\x03\x00\x02\x02\x28");
    let garbage: Serve = |stream| say_all(&stream, b"\x16\x03\x03\x00\x04\xff\xff\xff\xff");
    let shut: Serve = drop;
    let (mut urls, mut wanted) = (Vec::new(), Vec::new());
    for (serve, words) in [
        (never, "timed out after 1s"),
        (greets, "what came is not TLS"),
        (alert, "TLS alert HandshakeFailure"),
        (garbage, ""),
        (shut, ""),
    ] {
        for scheme in ["smtps", "imaps", "pop3s", "ldaps", "https"] {
            urls.push(Server::start(serve).url(scheme));
            wanted.push(words);
        }
    }
    let ran = run_all(&urls, &["--timeout", "1s"]);
    for ((answer, url), words) in ran.records.iter().zip(&urls).zip(wanted) {
        let (state, at, told) = verdict(answer);
        assert_eq!((state, at), ("down", "tls"), "{url}: {told}");
        assert!(told.contains(words), "{url}: {told}");
    }
    // One that speaks only an older TLS than we do is not down: another client may get on with it.
    let old = Server::start(|stream| say_all(&stream, b"\x15\x03\x01\x00\x02\x02\x46"));
    let ran = run(&[&old.url("imaps")]);
    assert_eq!((of(&ran).0, of(&ran).1, ran.code), ("unknown", "tls", 3), "{}", of(&ran).2);
}

#[test]
fn a_flood_of_a_hundred_megabytes_in_tls_takes_no_memory() {
    let authority = Authority::new();
    let config = Arc::new(authority.issue(&GOOD).config());
    let flood = Server::start(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        for _ in 0..100 * 1024 {
            if stream.write_all(&[b'2'; 1024]).is_err() {
                return;
            }
        }
    });
    // A handshake message that says it is as long as any can be, in records as long as any.
    let endless = Server::start(|stream| {
        say_all(&stream, b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff");
        say_all(&stream, &[b'x'; 0x4000 - 4]);
        for _ in 0..100 {
            say_all(&stream, b"\x16\x03\x03\x40\x00");
            say_all(&stream, &[b'x'; 0x4000]);
        }
        wait(&stream);
    });
    for (server, stage) in [(flood, "greet"), (endless, "tls")] {
        let mut going = Going::start(&[&server.url("smtps"), "--every", "1h", "--timeout", "30s"]);
        let answer = going.record();
        assert_eq!((verdict(&answer).0, verdict(&answer).1), ("down", stage), "{answer}");
        let peak = going.peak_kib();
        assert!(peak < 32 * 1024, "{stage}: {peak} KiB");
    }
}

//! HTTP: what counts as an answer, and servers that never come to the end of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::certificates::{Authority, GOOD, NAME};
use super::servers::{Say, Server, flood, say_all, wait};
use super::tls::{Script, of, server};
use super::{Going, run, verdict};
use Say::Bytes;

#[test]
fn http_is_up_with_a_page_a_redirect_or_the_wish_for_a_login() {
    let authority = Authority::new();
    let ca = authority.file();
    for (status, state, code) in [
        ("HTTP/1.1 200 OK", "up", 0),
        ("HTTP/1.0 301 Moved", "up", 0),
        ("HTTP/1.1 401 Unauthorized", "up", 0),
        ("HTTP/1.1 404 Not Found", "down", 1),
        ("HTTP/1.1 503 Service Unavailable", "down", 1),
    ] {
        let said: &'static str = format!("{status}\r\nLocation: http://127.0.0.1:1/\r\n\r\n").leak();
        let script: Script = vec![("GET / HTTP/1.1", said), ("Host: 127.0.0.1:", "")].leak();
        let plain = Server::scripted(&[("GET / HTTP/1.1", Bytes(said.as_bytes()))]);
        let secret = server(&authority, &GOOD, script);
        for (server, scheme) in [(plain, "http"), (secret, "https")] {
            let ran = run(&[&server.url(scheme), "--ca", &ca]);
            let stage = if code == 0 { "-" } else { "get" };
            assert_eq!((verdict(&ran.records[0]), ran.code), ((state, stage, status), code), "{scheme}");
            let ran = run(&[&server.url(scheme), "--ca", &ca, "--level", "greet"]);
            assert_eq!((of(&ran).0, of(&ran).2), ("up", status), "{scheme}");
        }
    }
    for (said, words) in [
        (&b"220 mail-1 ESMTP\r\n"[..], "not a status line: 220 mail-1 ESMTP"),
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n", "timed out after 1s"),
    ] {
        let server = Server::scripted(&[("GET", Bytes(said))]);
        let ran = run(&[&server.url("http"), "--timeout", "1s"]);
        assert_eq!(verdict(&ran.records[0]), ("down", "get", words));
    }
}

#[test]
fn a_name_is_asked_for_in_tls_and_in_the_request() {
    let authority = Authority::new();
    let script: Script = &[("GET / HTTP/1.1", ""), ("Host: mail.example.org:", "HTTP/1.1 200 OK\r\n\r\n")];
    let server = server(&authority, &GOOD, script);
    let ran = run(&[&server.url("https"), "--ca", &authority.file(), "--name", NAME]);
    assert_eq!((of(&ran).0, ran.code), ("up", 0), "{}", of(&ran).2);
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // To itself, over and over.
    let server = Server::after(&[b""], move |stream| {
        count.fetch_add(1, Ordering::Relaxed);
        let port = stream.local_addr().unwrap().port();
        let head = format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\n\r\n");
        say_all(stream, head.as_bytes());
        wait(stream);
    });
    let ran = run(&[&server.url("http"), "--timeout", "5s"]);
    assert_eq!((verdict(&ran.records[0]), ran.code), (("up", "-", "HTTP/1.1 302 Found"), 0));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn what_comes_behind_the_head_of_an_answer_is_not_read() {
    for head in [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
    ] {
        let server = Server::after(&[b""], move |stream| {
            say_all(stream, head);
            flood(stream, b"0");
        });
        let mut going = Going::start(&[&server.url("http"), "--every", "1h", "--timeout", "10s"]);
        let answer = going.record();
        assert_eq!(verdict(&answer), ("up", "-", "HTTP/1.1 200 OK"), "{}", head.escape_ascii());
        let peak = going.peak_kib();
        assert!(peak < 24 * 1024, "{}: {peak} KiB", head.escape_ascii());
    }
}

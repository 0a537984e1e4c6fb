//! HTTP: what counts as an answer, and servers that never come to the end of one.

use super::certificates::{Authority, GOOD};
use super::servers::{Say, Server, say_all, wait};
use super::tls::{Script, of, server};
use super::{run, verdict};
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
    let endless = Server::start(|stream| {
        say_all(&stream, b"HTTP/1.1 200 OK\r\n");
        say_all(&stream, &b"X: y\r\n".repeat(20_000));
        wait(&stream);
    });
    let ran = run(&[&endless.url("http"), "--timeout", "5s"]);
    assert_eq!(verdict(&ran.records[0]), ("down", "get", "a reply longer than 64 KiB"));
}

//! What calls itself TLS and is none, or is without end: down at exactly that stage, in bounded memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};

use super::certificates::{Authority, GOOD};
use super::servers::{Server, flood, reset, say_all, wait};
use super::tls::{IMAP, of};
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
    // One that speaks only an older TLS than we do, or wants better ciphers, is not down: another client may get on
    // with it.
    let old: Serve = |stream| say_all(&stream, b"\x15\x03\x01\x00\x02\x02\x46");
    let better: Serve = |stream| say_all(&stream, b"\x15\x03\x03\x00\x02\x02\x47");
    for serve in [old, better] {
        let server = Server::start(serve);
        let ran = run(&[&server.url("imaps")]);
        assert_eq!((of(&ran).0, of(&ran).1, ran.code), ("unknown", "tls", 3), "{}", of(&ran).2);
        assert!(of(&ran).2.starts_with("ims-probe speaks TLS 1.2 and 1.3 with modern"), "{}", of(&ran).2);
    }
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

/// What a server does once it has begun TLS.
type Then = fn(&mut StreamOwned<ServerConnection, TcpStream>);

fn after_the_handshake(authority: &Authority, then: Then) -> Server {
    let config = Arc::new(authority.issue(&GOOD).config());
    Server::start(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        while stream.conn.is_handshaking() {
            if stream.conn.complete_io(&mut stream.sock).is_err() {
                return;
            }
        }
        then(&mut stream);
    })
}

#[test]
fn what_goes_wrong_behind_the_handshake_is_down_at_the_stage_that_it_hits() {
    let authority = Authority::new();
    let half: Then = |stream| say_all(&stream.sock, b"\x17\x03\x03\x01\x00half of a record");
    let garbage: Then = |stream| {
        say_all(&stream.sock, b"\x17\x03\x03\x00\x20no key of ours makes any of this");
        wait(&stream.sock);
    };
    let plain: Then = |stream| {
        say_all(&stream.sock, b"* OK in the clear\r\n");
        wait(&stream.sock);
    };
    let long: Then = |stream| {
        say_all(&stream.sock, b"\x17\x03\x03\xff\xff");
        flood(&stream.sock, b"x");
    };
    let goodbye: Then = |stream| {
        stream.conn.send_close_notify();
        // The client goes when it hears it.
        let _ = stream.conn.complete_io(&mut stream.sock);
        wait(&stream.sock);
    };
    let keys: Then = |stream| {
        while stream.conn.refresh_traffic_keys().is_ok() && stream.conn.write_tls(&mut stream.sock).is_ok() {}
    };
    let (mut urls, mut wanted) = (Vec::new(), Vec::new());
    for (what, then, words) in [
        ("half a record", half, "the server closed the connection"),
        ("a record of garbage", garbage, "TLS went wrong: "),
        ("plain text", plain, "what came is not TLS"),
        ("a record that is too long", long, "what came is not TLS"),
        ("a goodbye", goodbye, "the server closed the connection"),
        ("a reset", |stream| reset(&stream.sock), "connection reset by peer"),
        ("silence", |stream| wait(&stream.sock), "timed out after 2s"),
        ("new keys and nothing else", keys, ""),
    ] {
        urls.push(after_the_handshake(&authority, then).url("imaps"));
        wanted.push((what, words));
    }
    let ran = run_all(&urls, &["--timeout", "2s", "--ca", &authority.file()]);
    for (answer, (what, words)) in ran.records.iter().zip(wanted) {
        let (state, at, told) = verdict(answer);
        assert_eq!((state, at), ("down", "greet"), "{what}: {told}");
        assert!(told.contains(words), "{what}: {told}");
    }
}

#[test]
fn half_a_record_of_the_handshake_is_down_at_tls() {
    let authority = Authority::new();
    let config = Arc::new(authority.issue(&GOOD).config());
    let torn = Server::start(move |mut stream| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut flight = Vec::new();
        while !connection.wants_write() && connection.read_tls(&mut stream).is_ok_and(|some| some > 0) {
            connection.process_new_packets().unwrap();
        }
        connection.write_tls(&mut flight).unwrap();
        say_all(&stream, &flight[..flight.len() / 2]);
        // What it has said already is not to be lost in a reset.
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        wait(&stream);
    });
    let ran = run(&[&torn.url("imaps"), "--timeout", "5s"]);
    assert_eq!(verdict(&ran.records[0]), ("down", "tls", "the server closed the connection"));
}

#[test]
fn new_keys_between_two_lines_are_no_trouble() {
    let authority = Authority::new();
    let server = after_the_handshake(&authority, |stream| {
        for (_, said) in IMAP {
            // A client that goes early is seen by its answer.
            let _ = stream.conn.refresh_traffic_keys();
            let _ = stream.write_all(said.as_bytes());
            let _ = stream.read(&mut [0; 64]);
        }
    });
    let ran = run(&[&server.url("imaps"), "--ca", &authority.file(), "--timeout", "5s"]);
    assert_eq!((of(&ran).0, ran.code), ("up", 0), "{}", of(&ran).2);
}

#[test]
fn a_server_that_wants_to_negotiate_again_is_told_no_and_ends() {
    let authority = Authority::new();
    let issued = authority.issue(&GOOD);
    let key = authority.write("key.pem", &issued.key.serialize_pem());
    let certificate = authority.write("server.pem", &issued.certificate.pem());
    let mut openssl = Command::new("openssl");
    openssl
        .args(["s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-key"])
        .arg(key)
        .arg("-cert")
        .arg(certificate);
    let mut openssl =
        openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = std::io::BufRead::lines(std::io::BufReader::new(openssl.stdout.take().unwrap()));
    let port = said.by_ref().find_map(|line| line.ok()?.strip_prefix("ACCEPT 127.0.0.1:").map(str::to_owned));
    let url = format!("imaps://127.0.0.1:{}", port.expect("openssl s_server listens"));
    let mut going = Going::start(&[&url, "--every", "1h", "--timeout", "5s"]);
    // It has no greeting; when the handshake is done it hears the wish, which stands in its first column.
    let is_there = said.by_ref().any(|line| line.is_ok_and(|line| line.starts_with("CIPHER is ")));
    assert!(is_there, "no handshake");
    openssl.stdin.as_mut().unwrap().write_all(b"r\n").unwrap();
    let answer = going.record();
    openssl.kill().unwrap();
    openssl.wait().unwrap();
    let (state, at, words) = verdict(&answer);
    assert_eq!((state, at, words), ("down", "greet", "TLS alert HandshakeFailure"));
}

#[test]
fn a_key_that_is_too_short_to_be_read_here_is_not_the_servers_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("certificate.pem"));
    let mut made = Command::new("openssl");
    made.args(["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=mail-1", "-keyout"]).arg(&key);
    assert!(made.arg("-out").arg(&certificate).stderr(Stdio::null()).status().unwrap().success());
    for version in ["-tls1_2", "-tls1_3"] {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_server", "-accept", "127.0.0.1:0", version, "-cipher", "DEFAULT:@SECLEVEL=0"]);
        openssl.arg("-key").arg(&key).arg("-cert").arg(&certificate);
        let mut openssl =
            openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = std::io::BufRead::lines(std::io::BufReader::new(openssl.stdout.take().unwrap()));
        let port = |line: &str| line.strip_prefix("ACCEPT 127.0.0.1:").map(str::to_owned);
        let port = said.by_ref().find_map(|line| port(&line.ok()?)).expect("openssl s_server listens");
        let ran = run(&[&format!("imaps://127.0.0.1:{port}"), "--timeout", "5s"]);
        openssl.kill().unwrap();
        openssl.wait().unwrap();
        let words = "ims-probe cannot use such a certificate: its RSA key has less than 2048 bits";
        assert_eq!(verdict(&ran.records[0]), ("unknown", "tls", words), "{version}");
    }
}

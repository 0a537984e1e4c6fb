//! TLS: what is wrong with a certificate is found, and a server that cannot speak it is down at exactly that stage.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::certificates::{Authority, DAY, GOOD, NAME, Wanted};
use super::servers::{Say, Server, say_all, wait};
use super::{Going, Run, run, run_all, verdict};
use Say::Bytes;

pub(super) type Script = &'static [(&'static str, &'static str)];

pub(super) const IMAP: Script = &[
    ("", "* OK ready\r\n"),
    ("a1 CAPABILITY", "* CAPABILITY IMAP4rev1\r\na1 OK\r\n"),
    ("a2 LOGOUT", "* BYE\r\na2 OK\r\n"),
];

/// Speaks TLS on a connection and then plays a script.
fn play_tls(stream: TcpStream, config: &Arc<ServerConfig>, script: Script) {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    for (heard, say) in script {
        let mut line = String::new();
        if !heard.is_empty() && stream.read_line(&mut line).is_err() {
            return;
        }
        // A client that wants the greeting alone says goodbye before.
        if !line.starts_with(heard) {
            return;
        }
        if stream.get_mut().write_all(say.as_bytes()).is_err() {
            return;
        }
    }
    let mut line = String::new();
    // The client goes in its own way.
    let _ = stream.read_line(&mut line);
}

/// A server that begins with TLS.
pub(super) fn server(authority: &Authority, wanted: &Wanted, script: Script) -> Server {
    let config = Arc::new(authority.issue(wanted).config());
    Server::start(move |stream| play_tls(stream, &config, script))
}

fn of(run: &Run) -> (&str, &str, &str, &Value) {
    let (state, at, words) = verdict(&run.records[0]);
    (state, at, words, &run.records[0]["findings"])
}

#[test]
fn each_thing_that_is_wrong_with_a_certificate_is_found() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let ca = authority.file();
    let rows = [
        ("good", GOOD, &authority, json!([]), json!([true, true, 30])),
        (
            "ends soon",
            Wanted { until: 3 * DAY + 3600, ..GOOD },
            &authority,
            json!([]),
            json!([true, true, 3]),
        ),
        (
            "expired",
            Wanted { until: -3600, ..GOOD },
            &authority,
            json!(["certificate_expired"]),
            json!([true, true, -1]),
        ),
        (
            "not yet valid",
            Wanted { from: DAY, ..GOOD },
            &authority,
            json!(["certificate_not_yet_valid"]),
            json!([true, true, 30]),
        ),
        (
            "another name",
            Wanted { names: &["other.example.org", "192.0.2.99"], ..GOOD },
            &authority,
            json!(["certificate_name"]),
            json!([true, false, 30]),
        ),
        ("a stranger's", GOOD, &stranger, json!(["certificate_not_trusted"]), json!([false, true, 30])),
        (
            "self-signed",
            Wanted { own: true, ..GOOD },
            &authority,
            json!(["certificate_not_trusted"]),
            json!([false, true, 30]),
        ),
        (
            "all of it",
            Wanted { names: &[], until: -3600, own: true, ..GOOD },
            &authority,
            json!(["certificate_expired", "certificate_not_trusted", "certificate_name"]),
            json!([false, false, -1]),
        ),
    ];
    for (what, wanted, issuer, findings, tls) in rows {
        let server = server(issuer, &wanted, IMAP);
        let url = server.url("imaps");
        for options in [&[][..], &["--name", NAME]] {
            let args = [&[&url[..], "--ca", &ca][..], options].concat();
            let ran = run(&args);
            let (state, at, words, found) = of(&ran);
            let is_good = findings == json!([]);
            let wanted = if is_good { ("up", "-", 0) } else { ("partial", "tls", 3) };
            assert_eq!((state, at, ran.code), wanted, "{what}: {words}");
            let told = &ran.records[0]["tls"];
            assert_eq!(found, &findings, "{what}: {words}");
            assert_eq!(json!([told["trusted"], told["name_ok"], told["days_left"]]), tls, "{what}");
            assert_eq!(told["version"], "TLS1.3");
            assert!(told["cipher"].as_str().unwrap().starts_with("TLS_"), "{told}");

            // Whoever is strict hears no more of it.
            let strict = run(&[&args[..], &["--tls", "require"]].concat());
            let wanted = if is_good { ("up", "-", 0) } else { ("down", "tls", 1) };
            assert_eq!((of(&strict).0, of(&strict).1, strict.code), wanted, "{what}");
            let greet = run(&[&args[..], &["--level", "greet"]].concat());
            assert_eq!(of(&greet).3, &findings, "{what}");
        }
        let other = run(&[&server.url("imaps"), "--ca", &ca, "--name", "third.example.org"]);
        assert!(of(&other).3.as_array().unwrap().contains(&json!("certificate_name")), "{what}");
    }
}

#[test]
fn what_is_wrong_is_told_to_people() {
    let authority = Authority::new();
    let server = server(&authority, &Wanted { names: &["other.example.org"], ..GOOD }, IMAP);
    let ran = run(&[&server.url("imaps"), "--name", NAME]);
    let words = "the certificate is not trusted: its issuer is not known here; \
                 the certificate is for other.example.org and not for mail.example.org";
    assert_eq!(verdict(&ran.records[0]), ("partial", "tls", words));
}

#[test]
fn a_request_behind_the_handshake_waits_for_nothing() {
    let authority = Authority::new();
    let page: Script = &[("GET / HTTP/1.1", "HTTP/1.1 204 Nothing\r\n\r\n")];
    let server = server(&authority, &GOOD, page);
    let ran = run(&[&server.url("https"), "--ca", &authority.file(), "--every", "20ms", "--count", "5"]);
    let took = |answer: &Value| {
        let step = answer["steps"].as_array().unwrap().iter().find(|step| step["stage"] == "get").unwrap();
        step["took_us"].as_u64().unwrap()
    };
    // An acknowledgement that is waited for takes 40 ms, every time.
    let fastest = ran.records.iter().map(took).min().unwrap();
    assert!(fastest < 30_000, "{fastest} us");
}

#[test]
fn a_certificate_that_signed_itself_is_trusted_by_its_file() {
    let authority = Authority::new();
    let issued = authority.issue(&Wanted { own: true, ..GOOD });
    let file = authority.write("own.pem", &issued.certificate.pem());
    let config = Arc::new(issued.config());
    let server = Server::start(move |stream| play_tls(stream, &config, IMAP));
    let ran = run(&[&server.url("imaps"), "--ca", file.to_str().unwrap(), "--tls", "require"]);
    assert_eq!((of(&ran).0, ran.code), ("up", 0), "{}", of(&ran).2);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let empty = authority.write("empty.pem", "no certificate here\n");
    let empty = empty.to_str().unwrap();
    for (args, told) in [
        (&["--ca", "/nonexistent/ca.pem"][..], "ims-probe: /nonexistent/ca.pem: no such file\n".to_owned()),
        (
            &["--ca", empty],
            format!("ims-probe: {empty}: no certificate in it (-----BEGIN CERTIFICATE----- begins one)\n"),
        ),
        (
            &["--level", "connect", "--tls", "require"],
            "ims-probe: a connection alone has no TLS (ask with --level greet or deeper)\n".to_owned(),
        ),
    ] {
        let ran = run(&[&["imaps://192.0.2.10"][..], args].concat());
        assert_eq!((ran.code, ran.stderr), (2, told));
    }
}

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

/// A scheme, what its servers say up to STARTTLS, what the client says to have it, and the consent.
type Offer = (&'static str, &'static [(&'static str, Say)], &'static str, &'static str);

const OFFERS: [Offer; 4] = [
    (
        "smtp",
        &[("", Bytes(b"220 x\r\n")), ("EHLO", Bytes(b"250-x\r\n250 STARTTLS\r\n"))],
        "STARTTLS",
        "220 go\r\n",
    ),
    (
        "lmtp",
        &[("", Bytes(b"220 x\r\n")), ("LHLO", Bytes(b"250-x\r\n250-STARTTLS\r\n250 HELP\r\n"))],
        "STARTTLS",
        "220 go\r\n",
    ),
    (
        "imap",
        &[
            ("", Bytes(b"* OK x\r\n")),
            ("a1 CAPABILITY", Bytes(b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n")),
        ],
        "t1 STARTTLS",
        "t1 OK go\r\n",
    ),
    ("pop3", &[("", Bytes(b"+OK x\r\n")), ("CAPA", Bytes(b"+OK\r\nSTLS\r\n.\r\n"))], "STLS", "+OK go\r\n"),
];

#[test]
fn text_in_the_clear_behind_the_consent_to_tls_is_refused() {
    for (scheme, script, ask, consent) in OFFERS {
        let injected: &'static str = match scheme {
            "smtp" => "220 go\r\n250 injected\r\n",
            "lmtp" => "220 go\r\n250-injected\r\n",
            "imap" => "t1 OK go\r\n* CAPABILITY IMAP4rev1\r\n",
            _ => "+OK go\r\n+OK injected\r\n",
        };
        assert!(injected.starts_with(consent));
        let server = Server::scripted(&[script, &[(ask, Bytes(injected.as_bytes()))]].concat());
        let ran = run(&[&server.url(scheme), "--tls", "try"]);
        let words = "plain text behind the beginning of TLS";
        assert_eq!((verdict(&ran.records[0]), ran.code), (("down", "tls", words), 1), "{scheme}");
    }
    let directory = Server::start(|mut stream| {
        let consent = b"\x30\x0c\x02\x01\x06\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
        let bound = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
        if stream.read(&mut [0; 64]).is_ok() {
            say_all(&stream, &[&consent[..], bound].concat());
            wait(&stream);
        }
    });
    let ran = run(&[&directory.url("ldap"), "--tls", "try"]);
    assert_eq!(verdict(&ran.records[0]), ("down", "tls", "plain text behind the beginning of TLS"));
}

#[test]
fn starttls_that_is_not_offered_or_refused_is_told_as_it_was_asked_for() {
    for (scheme, script, ask, _) in OFFERS {
        let refusal: (&[u8], &str) = match scheme {
            "smtp" | "lmtp" => (b"454 no key\r\n", "454 no key"),
            "imap" => (b"t1 NO no key\r\n", "t1 NO no key"),
            _ => (b"-ERR no key\r\n", "-ERR no key"),
        };
        let goodbye: &[(&str, Say)] = match scheme {
            "smtp" | "lmtp" => &[("QUIT", Bytes(b"221 bye\r\n"))],
            "imap" => &[("a2 LOGOUT", Bytes(b"* BYE\r\na2 OK\r\n"))],
            _ => &[("QUIT", Bytes(b"+OK\r\n"))],
        };
        let refused = Server::scripted(&[script, &[(ask, Bytes(refusal.0))], goodbye].concat());
        let ran = run(&[&refused.url(scheme), "--tls", "try"]);
        assert_eq!((verdict(&ran.records[0]), ran.code), (("partial", "tls", refusal.1), 3), "{scheme}");
        assert_eq!(ran.records[0]["findings"], json!(["starttls_refused"]));
        let ran = run(&[&refused.url(scheme), "--tls", "require"]);
        assert_eq!((verdict(&ran.records[0]), ran.code), (("down", "tls", refusal.1), 1), "{scheme}");
        // Without a wish, and against it, nobody asks.
        for options in [&[][..], &["--tls", "off"]] {
            let server = Server::scripted(&[script, goodbye].concat());
            let ran = run(&[&[&server.url(scheme)[..]][..], options].concat());
            assert_eq!((of(&ran).0, &ran.records[0]["tls"]), ("up", &Value::Null), "{scheme}");
        }
    }
    let smtp: &[(&str, Say)] = &[("", Bytes(b"220 x\r\n")), ("EHLO", Bytes(b"250 STARTTLSX\r\n"))];
    let none = Server::scripted(&[smtp, &[("QUIT", Bytes(b"221 bye\r\n"))]].concat());
    let ran = run(&[&none.url("smtp"), "--tls", "require"]);
    assert_eq!(verdict(&ran.records[0]), ("down", "tls", "STARTTLS is not offered"));
    let ran = run(&[&none.url("smtp"), "--tls", "try"]);
    assert_eq!((of(&ran).0, &ran.records[0]["tls"]), ("up", &Value::Null));
}

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

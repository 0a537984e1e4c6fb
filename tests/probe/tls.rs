//! TLS with servers that mean well: what is wrong with a certificate is found, and told as strictly as was asked for.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::certificates::{Authority, DAY, GOOD, NAME, Wanted};
use super::servers::Server;
use super::{Run, run, verdict};

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

/// The state, the stage, the words and the findings of the only answer.
pub(super) fn of(run: &Run) -> (&str, &str, &str, &Value) {
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

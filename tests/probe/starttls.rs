//! STARTTLS: offered, refused, not offered, and abused.

use std::io::Read;

use serde_json::{Value, json};

use super::servers::{Say, Server, say_all, wait};
use super::tls::of;
use super::{run, verdict};
use Say::Bytes;

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

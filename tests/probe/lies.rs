//! Servers that lie: of the length of what comes, and of what they can do.

use super::login::secrets;
use super::servers::{Server, say_all, wait};
use super::{run, run_all, verdict};

const READY: &[u8] = b"* OK ready\r\n";
/// What one that does not know TLS says to it.
const WHAT: &[u8] = b"500 what was that\r\n";
const LONG: &str = "a message longer than 64 KiB";

/// A server that says these in turn, then the lie, and waits to be believed.
fn liar(said: &'static [&'static [u8]], lie: &'static [u8]) -> Server {
    Server::after(said, move |stream| {
        say_all(stream, lie);
        wait(stream);
    })
}

/// A scheme, what was said before, the lie, the stage and the words.
type Lie = (&'static str, &'static [&'static [u8]], &'static [u8], &'static str, &'static str);

const LENGTHS: [Lie; 13] = [
    ("imap", &[READY], b"* X {4294967295}\r\na1 OK\r\n", "capability", LONG),
    ("imap", &[READY], b"* X {999999999999999999999}\r\na1 OK\r\n", "capability", LONG),
    ("imap", &[READY], b"* X {18446744073709551615}\r\na1 OK\r\n", "capability", LONG),
    ("imap", &[READY], b"* X {65537}\r\na1 OK\r\n", "capability", LONG),
    ("imap", &[READY], b"* X {9}\r\na1 OK\r\n", "capability", "timed out after 1s"),
    ("ldap", &[b""], b"\x30\x84\xff\xff\xff\xff\x02\x01\x01", "bind", LONG),
    ("ldap", &[b""], b"\x30\x83\x01\x00\x00\x02\x01\x01", "bind", LONG),
    ("ldap", &[b""], b"\x30\x80\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00", "bind", "not an LDAP message"),
    ("ldap", &[b""], b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", "bind", "not an LDAP message"),
    (
        "ldap",
        &[b""],
        b"\x30\x0c\x02\x01\x01\x61\x84\xff\xff\xff\xff\x0a\x01\x00",
        "bind",
        "not an LDAP message",
    ),
    (
        "ldap",
        &[b""],
        b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x7f\x04\x00",
        "bind",
        "not an LDAP message",
    ),
    (
        "ldap",
        &[b""],
        b"\x30\x0c\x02\x7f\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
        "bind",
        "not an LDAP message",
    ),
    (
        "ldap",
        &[b""],
        b"\x30\x0c\x02\x01\x07\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
        "bind",
        "an answer to message 7",
    ),
];

#[test]
fn a_length_that_lies_is_neither_believed_nor_waited_for() {
    let urls = LENGTHS.map(|(scheme, said, lie, ..)| liar(said, lie).url(scheme));
    let run = run_all(&urls, &["--timeout", "1s"]);
    for (answer, (scheme, _, lie, stage, words)) in run.records.iter().zip(LENGTHS) {
        assert_eq!(verdict(answer), ("down", stage, words), "{scheme} {}", lie.escape_ascii());
    }
}

#[test]
fn what_is_offered_and_not_known_and_what_is_wanted_and_not_offered_are_down_at_their_stage() {
    let (_folder, file) = secrets("[default]\nuser = 'probe'\npassword = 'one'\n");
    let smtp: &[&[u8]] = &[b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN LOGIN\r\n"];
    let imap: &[&[u8]] = &[READY, b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\na1 OK\r\n"];
    let old: &[&[u8]] = &[READY, b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK\r\n"];
    let pop3: &[&[u8]] = &[b"+OK x\r\n", b"+OK\r\nSASL PLAIN\r\n.\r\n"];
    for (scheme, said, lie, words) in [
        ("smtp", smtp, &b"504 5.5.4 what is PLAIN\r\n"[..], "504 5.5.4 what is PLAIN"),
        ("smtp", smtp, b"334 \r\n", "334"),
        ("smtp", smtp, b"250 no code of a login\r\n", "250 no code of a login"),
        ("smtp", &[b"220 x\r\n"], b"250 x\r\n", "the server offers neither AUTH PLAIN nor AUTH LOGIN"),
        ("imap", imap, b"a2 BAD what is PLAIN\r\n", "a2 BAD what is PLAIN"),
        ("imap", imap, b"+ \r\n", "not a response: + "),
        ("imap", old, b"a2 OK you need not say it\r\n", "not a response: a2 OK you need not say it"),
        (
            "imap",
            &[READY],
            b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na1 OK\r\n",
            "the server forbids LOGIN and offers no AUTH=PLAIN",
        ),
        ("pop3", pop3, b"-ERR what is PLAIN\r\n", "-ERR what is PLAIN"),
        ("pop3", pop3, b"+ \r\n", "not a reply: + "),
    ] {
        let run =
            run(&[&liar(said, lie).url(scheme), "--level", "login", "--secrets", &file, "--timeout", "5s"]);
        assert_eq!((verdict(&run.records[0]), run.code), (("down", "auth", words), 1), "{scheme}");
    }
}

#[test]
fn a_consent_to_starttls_behind_which_is_no_tls_is_down_at_tls() {
    let smtp: &[&[u8]] = &[b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n"];
    let imap: &[&[u8]] = &[READY, b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n", b"t1 OK go\r\n"];
    let pop3: &[&[u8]] = &[b"+OK x\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"+OK go\r\n"];
    for (scheme, said) in [("smtp", smtp), ("lmtp", smtp), ("imap", imap), ("pop3", pop3)] {
        let server = liar(said, WHAT);
        for mode in ["try", "require"] {
            let run = run(&[&server.url(scheme), "--tls", mode, "--timeout", "5s"]);
            let wanted = ("down", "tls", "what came is not TLS");
            assert_eq!((verdict(&run.records[0]), run.code), (wanted, 1), "{scheme} {mode}");
        }
    }
}

//! Each level of each protocol: up when all of it works, and down at exactly the stage that does not.

use super::servers::{Say, Server};
use super::{run, run_all, verdict};
use Say::{Bytes, Close, Nothing};

type Script = &'static [(&'static str, Say)];

const SMTP: Script = &[
    ("", Bytes(b"220-mail-1 ESMTP\r\n220 at your service\r\n")),
    ("EHLO [127.0.0.1]", Bytes(b"250-mail-1\r\n250-SIZE 10240000\r\n250 HELP\r\n")),
    ("QUIT", Bytes(b"221 2.0.0 Bye\r\n")),
];
const LMTP: Script = &[
    ("", Bytes(b"220 mail-1 LMTP\r\n")),
    ("LHLO [127.0.0.1]", Bytes(b"250 mail-1\r\n")),
    ("QUIT", Bytes(b"221 2.0.0 Bye\r\n")),
];
const IMAP: Script = &[
    ("", Bytes(b"* OK [CAPABILITY IMAP4rev1] ready.\r\n")),
    ("a1 CAPABILITY", Bytes(b"* CAPABILITY IMAP4rev1 IDLE\r\na1 OK done\r\n")),
    ("a2 LOGOUT", Bytes(b"* BYE Logging out\r\na2 OK done\r\n")),
];
const POP3: Script = &[
    ("", Bytes(b"+OK ready\r\n")),
    ("CAPA", Bytes(b"+OK\r\nUIDL\r\n.\r\n")),
    ("QUIT", Bytes(b"+OK bye\r\n")),
];

/// Anonymous bind, and its answers.
const BOUND: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
const ENTRY: &[u8] =
    b"\x30\x28\x02\x01\x02\x64\x23\x04\x00\x30\x1f\x30\x1d\x04\x0enamingContexts\x31\x0b\x04\x09dc=ims,dc";
const DONE: &[u8] = b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00";

#[test]
fn a_server_that_does_all_of_it_is_up_at_every_level() {
    for (scheme, script, greeting) in [
        ("smtp", SMTP, "220 mail-1 ESMTP at your service"),
        ("submission", SMTP, "220 mail-1 ESMTP at your service"),
        ("lmtp", LMTP, "220 mail-1 LMTP"),
        ("imap", IMAP, "* OK [CAPABILITY IMAP4rev1] ready."),
        ("pop3", POP3, "+OK ready"),
    ] {
        let server = Server::scripted(script);
        let answer = run(&[&server.url(scheme), "--timeout", "5s"]);
        assert_eq!(verdict(&answer.records[0]), ("up", "-", greeting), "{scheme}");
        assert_eq!(answer.code, 0);
        for (level, words) in [("greet", greeting), ("connect", "-")] {
            let server = Server::scripted(&script[..1]);
            let answer = run(&[&server.url(scheme), "--level", level, "--timeout", "5s"]);
            assert_eq!(verdict(&answer.records[0]), ("up", "-", words), "{scheme} {level}");
            assert_eq!((answer.records[0]["level"].as_str(), answer.code), (Some(level), 0));
        }
    }
}

#[test]
fn everything_but_one_stage_is_down_at_that_stage() {
    let (mut urls, mut wanted) = (Vec::new(), Vec::new());
    for (scheme, script, stages) in [
        ("smtp", SMTP, ["greet", "ehlo", "quit"]),
        ("lmtp", LMTP, ["greet", "lhlo", "quit"]),
        ("imap", IMAP, ["greet", "capability", "logout"]),
        ("pop3", POP3, ["greet", "capability", "quit"]),
    ] {
        for (broken, stage) in stages.into_iter().enumerate() {
            for (say, words) in [
                (Close, "the server closed the connection"),
                (Nothing, "timed out after 1s"),
                (Bytes(b"junk\r\n"), "junk"),
            ] {
                let mut script = script[..=broken].to_vec();
                script[broken].1 = say;
                urls.push(Server::scripted(&script).url(scheme));
                wanted.push((format!("{scheme} {say:?}"), stage, words));
            }
        }
    }
    let run = run_all(&urls, &["--timeout", "1s"]);
    for (answer, (what, stage, words)) in run.records.iter().zip(wanted) {
        let (state, at, told) = verdict(answer);
        assert_eq!((state, at), ("down", stage), "{what}: {told}");
        assert!(told.contains(words), "{what} at {stage}: {told}");
    }
    assert_eq!(run.code, 1);
}

#[test]
fn a_no_in_the_words_of_the_protocol_is_down_with_those_words() {
    for (scheme, script, stage, words) in [
        ("smtp", &[("", Bytes(b"554 mail-1 no service\r\n"))][..], "greet", "554 mail-1 no service"),
        ("smtp", &[("", Bytes(b"421-busy\r\n421 come back\r\n"))], "greet", "421 busy come back"),
        ("smtp", &[SMTP[0], ("EHLO", Bytes(b"502 what\r\n"))], "ehlo", "502 what"),
        ("smtp", &[SMTP[0], ("EHLO", Bytes(b"250-a\r\n220 b\r\n"))], "ehlo", "not a reply: 220 b"),
        ("smtp", &[SMTP[0], SMTP[1], ("QUIT", Bytes(b"421 gone\r\n"))], "quit", "421 gone"),
        ("imap", &[("", Bytes(b"* BYE too many\r\n"))], "greet", "* BYE too many"),
        ("imap", &[("", Bytes(b"* OKAY\r\n"))], "greet", "not a greeting: * OKAY"),
        ("imap", &[IMAP[0], ("a1", Bytes(b"a1 NO never\r\n"))], "capability", "a1 NO never"),
        (
            "imap",
            &[IMAP[0], ("a1", Bytes(b"a1 OK\r\n"))],
            "capability",
            "CAPABILITY names no version of IMAP4",
        ),
        (
            "imap",
            &[IMAP[0], ("a1", Bytes(b"* CAPABILITY IMAP4rev11\r\na1 OK\r\n"))],
            "capability",
            "CAPABILITY names no version of IMAP4",
        ),
        (
            "imap",
            &[IMAP[0], IMAP[1], ("a2", Bytes(b"a2 OK\r\n"))],
            "logout",
            "LOGOUT was answered without BYE",
        ),
        ("pop3", &[("", Bytes(b"-ERR down\r\n"))], "greet", "-ERR down"),
        ("pop3", &[POP3[0], POP3[1], ("QUIT", Bytes(b"-ERR no\r\n"))], "quit", "-ERR no"),
    ] {
        let server = Server::scripted(script);
        let answer = run(&[&server.url(scheme), "--timeout", "5s"]);
        assert_eq!(verdict(&answer.records[0]), ("down", stage, words), "{scheme}");
        assert_eq!(answer.code, 1);
    }
}

#[test]
fn a_pop3_server_of_the_old_kind_needs_no_capa() {
    let server = Server::scripted(&[POP3[0], ("CAPA", Bytes(b"-ERR what\r\n")), POP3[2]]);
    assert_eq!(run(&[&server.url("pop3")]).code, 0);
}

#[test]
fn a_directory_is_up_when_it_binds_and_shows_its_root() {
    let server = Server::start(|stream| ldap(&stream, &[BOUND, &[ENTRY, DONE].concat()]));
    let answer = run(&[&server.url("ldap"), "--timeout", "5s"]);
    assert_eq!(verdict(&answer.records[0]), ("up", "-", "namingContexts: dc=ims,dc"));
    let steps: Vec<&str> =
        answer.records[0]["steps"].as_array().unwrap().iter().map(|s| s["stage"].as_str().unwrap()).collect();
    assert_eq!((steps, answer.code), (vec!["connect", "bind", "search"], 0));
    let server = Server::start(|stream| ldap(&stream, &[BOUND]));
    assert_eq!(run(&[&server.url("ldap"), "--level", "greet", "--timeout", "5s"]).code, 0);
}

#[test]
fn a_directory_is_down_at_the_stage_that_fails() {
    let refusal = |msgid: u8, op: u8, code: u8| vec![0x30, 12, 2, 1, msgid, op, 7, 10, 1, code, 4, 0, 4, 0];
    let notice =
        b"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x34\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20036".to_vec();
    let rows = [
        (vec![refusal(1, 0x61, 51)], "bind", "Busy"),
        (vec![refusal(1, 0x61, 48)], "bind", "InappropriateAuthentication"),
        (vec![notice], "bind", "Unavailable"),
        (vec![refusal(9, 0x61, 0)], "bind", "an answer to message 9"),
        (vec![refusal(1, 0x65, 0)], "bind", "an answer to something else"),
        (vec![b"220 not a directory\r\n".to_vec()], "bind", "not an LDAP message"),
        (vec![b"\x30\x84\xff\xff\xff\xff".to_vec()], "bind", "a message longer than 64 KiB"),
        (vec![vec![0x30, 5, 2, 1, 1, 0x42, 0]], "bind", "not an LDAP message"),
        (vec![vec![0x30, 6, 2, 1, 1, 0x7f, 1, 0]], "bind", "not an LDAP message"),
        (vec![BOUND.to_vec(), refusal(2, 0x65, 50)], "search", "InsufficentAccessRights"),
        (vec![BOUND.to_vec(), DONE.to_vec()], "search", "the root DSE is not shown to anonymous clients"),
        (vec![BOUND.to_vec(), ENTRY.to_vec()], "search", "timed out after 1s"),
    ];
    let urls: Vec<String> = rows.iter().map(|(said, ..)| directory(said.clone()).url("ldap")).collect();
    let run = run_all(&urls, &["--timeout", "1s"]);
    for (answer, (_, stage, words)) in run.records.iter().zip(&rows) {
        assert_eq!(verdict(answer), ("down", *stage, *words));
    }
    assert_eq!(run.code, 1);
}

fn directory(said: Vec<Vec<u8>>) -> Server {
    Server::start(move |stream| ldap(&stream, &said.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// Answers each request by the next of `said`, then waits for the client to go.
fn ldap(mut stream: &std::net::TcpStream, said: &[&[u8]]) {
    use std::io::Read;
    for answer in said {
        let mut request = [0; 512];
        if stream.read(&mut request).is_ok_and(|some| some > 0) {
            super::servers::say_all(stream, answer);
        }
    }
    super::servers::wait(stream);
}

//! Logins of servers that lack just one thing, and who may know the password.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::login::secrets;
use super::servers::{Say, Server};
use super::{Run, finish, ims_probe, run, verdict};
use Say::{Bytes, Close};

type Script<'a> = &'a [(&'static str, Say)];

/// `probe` with the password `one`, as PLAIN says it.
const PLAIN: &str = "AHByb2JlAG9uZQ==";
const SECRETS: &str = "[default]\nuser = 'probe'\npassword = 'one'\n";

const SMTP: Script<'static> = &[
    ("", Bytes(b"220 mail-1 ESMTP\r\n")),
    ("EHLO", Bytes(b"250-mail-1\r\n250-AUTH LOGIN PLAIN\r\n250 HELP\r\n")),
    ("AUTH PLAIN AHByb2JlAG9uZQ==", Bytes(b"235 2.7.0 ok\r\n")),
    ("QUIT", Bytes(b"221 2.0.0 Bye\r\n")),
];
const IMAP: Script<'static> = &[
    ("", Bytes(b"* OK ready.\r\n")),
    ("a1 CAPABILITY", Bytes(b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\na1 OK done\r\n")),
    ("a2 AUTHENTICATE PLAIN AHByb2JlAG9uZQ==", Bytes(b"* CAPABILITY IMAP4rev1\r\na2 OK Logged in\r\n")),
    ("a3 LOGOUT", Bytes(b"* BYE Logging out\r\na3 OK done\r\n")),
];
const POP3: Script<'static> = &[
    ("", Bytes(b"+OK ready\r\n")),
    ("CAPA", Bytes(b"+OK\r\nSASL PLAIN\r\n.\r\n")),
    ("AUTH PLAIN AHByb2JlAG9uZQ==", Bytes(b"+OK Logged in.\r\n")),
    ("QUIT", Bytes(b"+OK bye\r\n")),
];

fn login(url: &str, text: &str) -> Run {
    let (_folder, file) = secrets(text);
    run(&[url, "--level", "login", "--secrets", &file, "--timeout", "5s"])
}

#[test]
fn each_way_to_log_in_is_gone_as_the_server_offers_it() {
    let rows: &[(&str, Script)] = &[
        ("smtp", SMTP),
        (
            "submission",
            &[
                SMTP[0],
                ("EHLO", Bytes(b"250-mail-1\r\n250 AUTH=LOGIN\r\n")),
                ("AUTH LOGIN", Bytes(b"334 VXNlcm5hbWU6\r\n")),
                ("cHJvYmU=", Bytes(b"334 UGFzc3dvcmQ6\r\n")),
                ("b25l", Bytes(b"235 ok\r\n")),
                SMTP[3],
            ],
        ),
        ("imap", IMAP),
        (
            "imap",
            &[
                IMAP[0],
                ("a1", Bytes(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED\r\na1 OK\r\n")),
                ("a2 AUTHENTICATE PLAIN", Bytes(b"+ \r\n")),
                (PLAIN, Bytes(b"a2 OK\r\n")),
                IMAP[3],
            ],
        ),
        (
            "imap",
            &[
                IMAP[0],
                ("a1", Bytes(b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n")),
                ("a2 LOGIN \"probe\" \"one\"", Bytes(b"a2 OK\r\n")),
                IMAP[3],
            ],
        ),
        ("pop3", POP3),
        (
            "pop3",
            &[
                POP3[0],
                ("CAPA", Bytes(b"-ERR what\r\n")),
                ("USER probe", Bytes(b"+OK\r\n")),
                ("PASS one", Bytes(b"+OK\r\n")),
                POP3[3],
            ],
        ),
    ];
    for (scheme, script) in rows {
        let run = login(&Server::scripted(script).url(scheme), SECRETS);
        let answer = &run.records[0];
        assert_eq!((verdict(answer).0, run.code), ("up", 0), "{scheme}: {answer}");
        assert_eq!(answer["level"], "login");
        let steps: Vec<&str> =
            answer["steps"].as_array().unwrap().iter().map(|step| step["stage"].as_str().unwrap()).collect();
        assert_eq!(steps[steps.len() - 2], "auth", "{steps:?}");
    }
    let odd = "[default]\nuser = 'pröbe'\npassword = 'o\"\\n\u{e4}'\n";
    let script: Script = &[
        IMAP[0],
        ("a1", Bytes(b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n")),
        ("a2 LOGIN {6}", Bytes(b"+ go on\r\n")),
        ("pröbe {6}", Bytes(b"+ go on\r\n")),
        ("o\"\\nä", Bytes(b"a2 OK\r\n")),
        IMAP[3],
    ];
    assert_eq!(login(&Server::scripted(script).url("imap"), odd).code, 0);
}

#[test]
fn everything_but_the_login_or_what_follows_it_is_down_at_that_stage_and_quotes_no_password() {
    for (scheme, script, goodbye) in
        [("smtp", SMTP, "quit"), ("imap", IMAP, "logout"), ("pop3", POP3, "quit")]
    {
        for (broken, stage) in [(2, "auth"), (3, goodbye)] {
            for (say, words) in [
                (Close, "the server closed the connection"),
                (Bytes(b"what is AHByb2JlAG9uZQ==, one or b25l?\r\n"), "what is ***, *** or ***?"),
            ] {
                let mut script = script[..=broken].to_vec();
                script[broken].1 = say;
                let run = login(&Server::scripted(&script).url(scheme), SECRETS);
                let (state, at, told) = verdict(&run.records[0]);
                assert_eq!((state, at, run.code), ("down", stage, 1), "{scheme} {say:?}: {told}");
                assert!(told.contains(words), "{scheme}: {told}");
            }
        }
    }
    let rows: &[(&str, Script, &str, &str)] = &[
        ("smtp", &[SMTP[0], SMTP[1], ("AUTH", Bytes(b"535 5.7.8 no\r\n"))], "down", "535 5.7.8 no"),
        (
            "smtp",
            &[SMTP[0], ("EHLO", Bytes(b"250 HELP\r\n"))],
            "down",
            "the server offers neither AUTH PLAIN nor AUTH LOGIN",
        ),
        (
            "smtp",
            &[SMTP[0], ("EHLO", Bytes(b"250 AUTH CRAM-MD5\r\n"))],
            "unknown",
            "the server offers neither AUTH PLAIN nor AUTH LOGIN, and the others are not spoken here",
        ),
        (
            "imap",
            &[IMAP[0], ("a1", Bytes(b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI\r\na1 OK\r\n"))],
            "unknown",
            "the server forbids LOGIN and offers no AUTH=PLAIN, and the others are not spoken here",
        ),
        ("imap", &[IMAP[0], IMAP[1], ("a2", Bytes(b"a2 NO failed\r\n"))], "down", "a2 NO failed"),
        (
            "imap",
            &[IMAP[0], ("a1", Bytes(b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na1 OK\r\n"))],
            "down",
            "the server forbids LOGIN and offers no AUTH=PLAIN",
        ),
        (
            "imap",
            &[("", Bytes(b"* PREAUTH hello\r\n")), IMAP[1]],
            "unknown",
            "the server wants no login (PREAUTH), so none was tried",
        ),
        ("pop3", &[POP3[0], POP3[1], ("AUTH", Bytes(b"-ERR no\r\n"))], "down", "-ERR no"),
        (
            "pop3",
            &[POP3[0], POP3[1], ("AUTH", Bytes(b"-ERR [LOGIN-DELAY] AHByb2JlAG9uZQ== is early\r\n"))],
            "unknown",
            "-ERR [LOGIN-DELAY] *** is early",
        ),
    ];
    for (scheme, script, state, words) in rows {
        let run = login(&Server::scripted(script).url(scheme), SECRETS);
        assert_eq!(verdict(&run.records[0]), (*state, "auth", *words), "{scheme}");
    }
    // A server that is going down says so at the first command, whichever it is.
    let run = login(
        &Server::scripted(&[POP3[0], ("CAPA", Bytes(b"-ERR [SYS/TEMP] closed\r\n"))]).url("pop3"),
        SECRETS,
    );
    assert_eq!(verdict(&run.records[0]), ("down", "capability", "-ERR [SYS/TEMP] closed"));
}

#[test]
fn who_logs_in_is_said_by_the_secrets_alone() {
    let run = login(&Server::scripted(&IMAP[..2]).url("imap"), "[pop3]\nuser = 'u'\npassword = 'p'\n");
    assert_eq!(verdict(&run.records[0]), ("unknown", "auth", "the secrets name nobody who logs in here"));
    assert_eq!(run.code, 3);

    // A service of strangers has no login, and says so.
    let session: Script = &[SMTP[0], SMTP[1], SMTP[3]];
    let run = login(&Server::scripted(session).url("smtp"), &format!("{SECRETS}[smtp]\nlogin = false\n"));
    assert_eq!(
        (verdict(&run.records[0]).0, &run.records[0]["level"], run.code),
        ("up", &"session".into(), 0)
    );

    let run = super::run(&["imap://127.0.0.1:9", "--level", "login"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr
            .contains("--level login needs a login (name a file of users and passwords with --secrets)")
    );

    let (_folder, file) = secrets(SECRETS);
    fs_err::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let run = super::run(&["imap://127.0.0.1:9", "--level", "login", "--secrets", &file]);
    assert_eq!(run.code, 4);
    assert!(run.stderr.contains(&format!("(chmod 600 {file})")), "{}", run.stderr);
}

#[test]
fn secrets_come_by_a_descriptor_and_stand_in_no_argument_or_variable() {
    let server = Server::scripted(IMAP);
    let text = "printf \"[default]\\nuser = 'probe'\\npassword = 'one'\\n\"";
    let probe = format!("exec \"$0\" {} --level login --timeout 5s --secrets", server.url("imap"));
    for shell in [format!("{text} | {{ exec 3<&0; {probe} fd:3; }}"), format!("{probe} <({text})")] {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &shell]).arg(ims_probe(&[]).get_program());
        let run = finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        assert_eq!((verdict(&run.records[0]).0, run.code), ("up", 0), "{shell}: {}", run.stderr);
    }
}

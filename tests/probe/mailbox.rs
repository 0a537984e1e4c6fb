//! The end of a delivery, where the mailbox does what servers do seldom: no news are lost, nothing is left, and
//! nothing that came is called lost.

use serde_json::{Value, json};

use super::office::{Office, USUAL, Ways, When};
use super::verdict;

/// A header that another probe of a node left behind, with the time at which it was over.
fn probe_of(host: &str, until: u64) -> String {
    format!("Subject: x\r\nX-IMS-Probe: {host} {until} 0123456789abcdef\r\n\r\nText\r\n")
}

fn host() -> String {
    rustix::system::uname().nodename().to_str().unwrap().to_owned()
}

const LATER: u64 = 9_999_999_999;
const OTHER: &str = "Subject: hello\r\n\r\nA letter.\r\n";

/// What an answer tells besides its words.
fn told(answer: &Value) -> Value {
    json!([verdict(answer).0, verdict(answer).1, answer["findings"]])
}

#[test]
fn a_message_is_seen_whenever_and_however_the_server_tells_of_it() {
    let up = || json!(["up", "-", []]);
    for (what, ways) in [
        ("at once", USUAL),
        ("between the search and IDLE", Ways { comes: &[When::Idle], ..USUAL }),
        ("IDLE tells nothing", Ways { comes: &[When::Idle], tells: false, ..USUAL }),
        ("IDLE is refused", Ways { comes: &[When::Looks(3)], idle: Some("b8 NO never\r\n"), ..USUAL }),
        ("IDLE is not known", Ways { comes: &[When::Looks(3)], idle: Some("b8 BAD what\r\n"), ..USUAL }),
        ("IDLE ends by itself", Ways { comes: &[When::Looks(3)], idle: Some("+ x\r\nb8 OK\r\n"), ..USUAL }),
        ("no IDLE", Ways { comes: &[When::Looks(4)], idle: None, ..USUAL }),
        ("within a search", Ways { comes: &[When::Search], ..USUAL }),
        ("within a search, unsaid", Ways { comes: &[When::Search], idle: None, tells: false, ..USUAL }),
        ("an alert everywhere", Ways { aside: "* OK [ALERT] 9 EXISTS on fire\r\n", ..USUAL }),
    ] {
        let office = Office::open(ways);
        office.put(OTHER);
        let run = office.probe("imap", "10s");
        assert_eq!((told(&run.records[0]), run.code), (up(), 0), "{what}: {}", run.records[0]);
        assert!(run.records[0]["took_ms"].as_u64().unwrap() < 5000, "{what}: {}", run.records[0]);
        assert_eq!(office.messages(), [OTHER], "{what}");
    }
    for comes in [&[When::Looks(2)][..], &[When::Looks(3)], &[When::Looks(4)]] {
        for mailbox in ["imap", "pop3"] {
            let office = Office::open(Ways { comes, idle: None, loses: true, ..USUAL });
            office.put(OTHER);
            let run = office.probe(mailbox, "10s");
            assert_eq!((told(&run.records[0]), run.code), (up(), 0), "another one goes: {}", run.records[0]);
            assert_eq!(office.messages(), Vec::<String>::new());
        }
    }
    let office = Office::open(Ways { comes: &[], idle: Some("+ x\r\n* BYE going down\r\n"), ..USUAL });
    office.put(OTHER);
    let run = office.probe("imap", "10s");
    assert_eq!((verdict(&run.records[0]), run.code), (("down", "fetch", "* BYE going down"), 1));
}

#[test]
fn a_mailbox_of_pop3_is_looked_into_again_until_the_message_is_there() {
    for (what, ways) in [
        ("at once", USUAL),
        ("in the third session", Ways { comes: &[When::Looks(3)], ..USUAL }),
        ("somebody else is in it", Ways { odd: &[("PASS", "-ERR [IN-USE] locked\r\n", 2)], ..USUAL }),
        ("too soon", Ways { odd: &[("PASS", "-ERR [LOGIN-DELAY] wait\r\n", 1)], ..USUAL }),
        (
            "a server of the old kind",
            Ways {
                odd: &[("CAPA", "-ERR\r\n", 99), ("UIDL", "-ERR\r\n", 99), ("TOP", "-ERR\r\n", 99)],
                ..USUAL
            },
        ),
    ] {
        let office = Office::open(ways);
        office.put(OTHER);
        let run = office.probe("pop3", "10s");
        assert_eq!(
            (told(&run.records[0]), run.code),
            (json!(["up", "-", []]), 0),
            "{what}: {}",
            run.records[0]
        );
        assert_eq!(office.messages(), [OTHER], "{what}");
    }
    for (what, ways, stage, words) in [
        ("it never comes", Ways { comes: &[], ..USUAL }, "fetch", "timed out after 2s"),
        (
            "always in use",
            Ways { odd: &[("PASS", "-ERR [IN-USE] locked\r\n", 99)], ..USUAL },
            "fetch",
            "-ERR [IN-USE] locked",
        ),
        ("no login", Ways { odd: &[("PASS", "-ERR [AUTH] no\r\n", 1)], ..USUAL }, "fetch", "-ERR [AUTH] no"),
        ("no list", Ways { odd: &[("LIST", "-ERR no\r\n", 1)], ..USUAL }, "fetch", "-ERR no"),
        ("DELE fails", Ways { odd: &[("DELE", "-ERR no\r\n", 1)], ..USUAL }, "delete", "-ERR no"),
        ("QUIT fails", Ways { odd: &[("QUIT", "-ERR kept\r\n", 1)], ..USUAL }, "delete", "-ERR kept"),
        (
            "it stays",
            Ways { keeps: true, ..USUAL },
            "delete",
            "the message is still there after it was deleted",
        ),
    ] {
        let run = Office::open(ways).probe("pop3", "2s");
        assert_eq!((verdict(&run.records[0]), run.code), (("down", stage, words), 1), "{what}");
    }
    // Whether it is there, nobody may look so soon.
    let run = Office::open(Ways { odd: &[("PASS", "-ERR [LOGIN-DELAY] wait\r\n", 99)], ..USUAL })
        .probe("pop3", "2s");
    assert_eq!((verdict(&run.records[0]), run.code), (("unknown", "fetch", "-ERR [LOGIN-DELAY] wait"), 3));
}

#[test]
fn a_message_that_comes_twice_is_a_finding_and_all_of_it_is_deleted() {
    for (what, comes) in [
        ("at once", &[When::Taken, When::Taken][..]),
        ("while the first one is deleted", &[When::Taken, When::Delete]),
    ] {
        for mailbox in ["imap", "pop3"] {
            let office = Office::open(Ways { comes, ..USUAL });
            let run = office.probe(mailbox, "10s");
            let answer = &run.records[0];
            let partial = json!(["partial", "fetch", ["delivered_twice"]]);
            assert_eq!((told(answer), run.code), (partial, 3), "{what} {mailbox}: {answer}");
            assert_eq!(verdict(answer).2, "the message came 2 times");
            assert_eq!(office.messages(), Vec::<String>::new(), "{what} {mailbox}");
        }
    }
}

#[test]
fn what_broken_probes_left_behind_is_deleted_and_nothing_else() {
    for mailbox in ["imap", "pop3"] {
        let office = Office::open(USUAL);
        // So many that no line could name them all.
        for _ in 0..2000 {
            office.put(&probe_of(&host(), 1000));
        }
        let kept = [
            probe_of(&host(), LATER),
            probe_of("another-node", 1000),
            OTHER.to_owned(),
            format!("Subject: {}\r\n\r\nA long line.\r\n", "x".repeat(9000)),
            format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(200_000)),
        ];
        for message in &kept {
            office.put(message);
        }
        let is_ours = |message: &String| !kept.contains(message);
        let mut left = 2000;
        for _ in 0..2 {
            let run = office.probe(mailbox, "10s");
            assert_eq!((told(&run.records[0]), run.code), (json!(["up", "-", []]), 0), "{}", run.records[0]);
            let now = office.messages().into_iter().filter(is_ours).count();
            // The newest hundred are looked at; among them are those that stay.
            assert!((90..100).contains(&(left - now)), "{mailbox}: {left} {now}");
            left = now;
        }
        assert!(kept.iter().all(|message| office.messages().contains(message)), "{mailbox}");
    }
}

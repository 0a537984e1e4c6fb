//! What holds for every dialogue of a probe, whatever a server says: it ends; it says yes to no more than it heard,
//! and never before the last words that the level wants; and nothing of a stranger's words can move a cursor or flood
//! a record.
//!
//! The fuzz targets and the tests of the collection in tests/probe/speeches run the same functions.

use ims_probe::dialogue::Dialogue;
use ims_probe::dialogue::mailbox::pop3::Look;
use ims_probe::feed;
use ims_probe::level::Level;
use ims_probe::stage::Stage;
use ims_probe::trouble::Trouble;

/// A dialogue: the name of its folder in tests/probe/speeches and of its fuzz target, and what holds for it.
pub struct Speech {
    /// The name.
    pub name: &'static str,
    /// Panics when something does not hold; says whether the bytes are all that a session wants to hear.
    pub holds: fn(&[u8]) -> bool,
}

/// Every dialogue.
pub const SPEECHES: [Speech; 8] = [
    Speech { name: "smtp", holds: smtp },
    Speech { name: "lmtp", holds: lmtp },
    Speech { name: "imap", holds: imap },
    Speech { name: "pop3", holds: pop3 },
    Speech { name: "ldap", holds: ldap },
    Speech { name: "http", holds: http },
    Speech { name: "imap-mailbox", holds: imap_mailbox },
    Speech { name: "pop3-mailbox", holds: pop3_mailbox },
];

/// SMTP and submission.
pub fn smtp(bytes: &[u8]) -> bool {
    holds(Dialogue::Smtp, bytes)
}

/// LMTP.
pub fn lmtp(bytes: &[u8]) -> bool {
    holds(Dialogue::Lmtp, bytes)
}

/// IMAP.
pub fn imap(bytes: &[u8]) -> bool {
    holds(Dialogue::Imap, bytes)
}

/// POP3.
pub fn pop3(bytes: &[u8]) -> bool {
    holds(Dialogue::Pop3, bytes)
}

/// LDAP.
pub fn ldap(bytes: &[u8]) -> bool {
    holds(Dialogue::Ldap, bytes)
}

/// HTTP.
pub fn http(bytes: &[u8]) -> bool {
    holds(Dialogue::Http, bytes)
}

/// IMAP, by which a message is fetched and deleted.
pub fn imap_mailbox(bytes: &[u8]) -> bool {
    fetches(bytes, b"b9 OK", |bytes| said(feed::fetch_by_imap(bytes)).is_some())
}

/// POP3, by which a message is fetched and deleted.
pub fn pop3_mailbox(bytes: &[u8]) -> bool {
    fetches(bytes, b"+OK", |bytes| said(feed::fetch_by_pop3(bytes)) == Some(Look::Deleted))
}

/// A yes needs the message's own mark, and ends with the server's word that it is done.
fn fetches(bytes: &[u8], last: &[u8], is_yes: impl Fn(&[u8]) -> bool) -> bool {
    if !is_yes(bytes) {
        return false;
    }
    let heard = fewest(bytes, is_yes);
    let has = |wanted: &[u8]| heard.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted));
    assert!(has(b"x-ims-probe") && has(b"mail-1"), "{:?}", heard.escape_ascii().to_string());
    let line = heard.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default();
    let start = line.get(..last.len()).unwrap_or_default();
    assert!(start.eq_ignore_ascii_case(last), "{:?}", heard.escape_ascii().to_string());
    true
}

fn holds(dialogue: Dialogue, bytes: &[u8]) -> bool {
    assert_eq!(told(dialogue, bytes, Level::Connect), (true, Stage::Connect), "a connection needs no words");
    let (greet, _) = told(dialogue, bytes, Level::Greet);
    for level in [Level::Greet, Level::Session, Level::Login, Level::Deliver] {
        if !told(dialogue, bytes, level).0 {
            continue;
        }
        assert!(greet, "{level} without a greeting");
        let heard = needed(dialogue, bytes, level);
        assert!(told(dialogue, heard, level).0, "{level}: more words turn a yes into a no");
        assert!(ends_as_wanted(dialogue, heard, level), "{level}: {:?}", heard.escape_ascii().to_string());
    }
    told(dialogue, bytes, Level::Session).0
}

/// The fewest of the words with which the answer is yes, found by halves.
fn needed(dialogue: Dialogue, bytes: &[u8], level: Level) -> &[u8] {
    fewest(bytes, |bytes| told(dialogue, bytes, level).0)
}

fn fewest(bytes: &[u8], is_yes: impl Fn(&[u8]) -> bool) -> &[u8] {
    let (mut no, mut yes) = (0, bytes.len());
    while no < yes {
        let half = usize::midpoint(no, yes);
        if is_yes(&bytes[..half]) {
            yes = half;
        } else {
            no = half + 1;
        }
    }
    &bytes[..yes]
}

/// Whether the last of the words are those that the level waits for.
fn ends_as_wanted(dialogue: Dialogue, heard: &[u8], level: Level) -> bool {
    let lines: Vec<&[u8]> = heard.split_inclusive(|byte| *byte == b'\n').collect();
    let last = lines.last().copied().unwrap_or_default();
    let begins =
        |words: &[u8]| last.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words));
    let fewest = |session, login, deliver| match level {
        Level::Connect => 0,
        Level::Greet => 1,
        Level::Session => session,
        Level::Login => login,
        Level::Deliver => deliver,
    };
    match dialogue {
        Dialogue::None => true,
        Dialogue::Smtp | Dialogue::Lmtp => {
            begins(if level == Level::Greet { b"220" } else { b"221" }) && lines.len() >= fewest(3, 4, 8)
        }
        Dialogue::Imap if level == Level::Greet => begins(b"* OK") || begins(b"* PREAUTH"),
        Dialogue::Imap => {
            begins(if level == Level::Session { b"a2 OK" } else { b"a3 OK" })
                && lines.len() >= fewest(5, 6, 6)
        }
        Dialogue::Pop3 => begins(b"+OK") && lines.len() >= fewest(3, 4, 4),
        // A bind is answered, or a search is over: both end with the text of a result.
        Dialogue::Ldap => heard.len() >= 14 * fewest(2, 3, 3),
        Dialogue::Http => matches!(last, b"\n" | b"\r\n") && lines.len() >= 2,
    }
}

/// Whether the answer is yes, and the stage; what is told of it is fit for a record.
fn told(dialogue: Dialogue, bytes: &[u8], level: Level) -> (bool, Stage) {
    let (end, stage) = feed::hold(dialogue, bytes, level);
    let unknown = matches!(end, Err(Trouble::Unknown(_)));
    assert!(!unknown || level >= Level::Login, "{end:?}");
    let words = said(end);
    fit(words.as_ref().and_then(Option::as_deref).unwrap_or_default());
    (words.is_some(), stage)
}

/// What is told when the answer is yes; when it is no, its words are fit for a record.
fn said<T>(end: Result<T, Trouble>) -> Option<T> {
    match end {
        Ok(told) => return Some(told),
        Err(Trouble::SaidNo(words) | Trouble::Garbled(words) | Trouble::Unknown(words)) => fit(&words),
        Err(Trouble::Closed | Trouble::TooLong(_)) => {}
        Err(trouble) => panic!("{trouble:?} without a network"),
    }
    None
}

fn fit(words: &str) {
    assert!(words.chars().count() < 3000, "{} characters", words.len());
    assert!(!words.chars().any(char::is_control), "{words:?}");
}

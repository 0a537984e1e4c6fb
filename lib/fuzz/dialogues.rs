//! What holds for every dialogue of a probe, whatever a server says: it ends; it says yes to no more than it heard;
//! and nothing of a stranger's words can move a cursor or flood a record.
//!
//! The fuzz targets and the tests of the collection in tests/probe/speeches run the same functions.

use ims_probe::dialogue::Dialogue;
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
pub const SPEECHES: [Speech; 6] = [
    Speech { name: "smtp", holds: smtp },
    Speech { name: "lmtp", holds: lmtp },
    Speech { name: "imap", holds: imap },
    Speech { name: "pop3", holds: pop3 },
    Speech { name: "ldap", holds: ldap },
    Speech { name: "http", holds: http },
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

fn holds(dialogue: Dialogue, bytes: &[u8]) -> bool {
    let (session, _) = told(dialogue, bytes, Level::Session);
    let (greet, _) = told(dialogue, bytes, Level::Greet);
    assert!(!session || greet, "a session without a greeting");
    let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
    assert!(!told(dialogue, half, Level::Session).0 || session, "more words turn a yes into a no");
    assert_eq!(told(dialogue, bytes, Level::Connect), (true, Stage::Connect), "a connection needs no words");
    session
}

/// Whether the answer is yes, and the stage; what is told of it is fit for a record.
fn told(dialogue: Dialogue, bytes: &[u8], level: Level) -> (bool, Stage) {
    let (end, stage) = feed::hold(dialogue, bytes, level);
    let is_yes = end.is_ok();
    let words = match end {
        Ok(words) => words.unwrap_or_default(),
        Err(Trouble::SaidNo(words) | Trouble::Garbled(words)) => words,
        Err(Trouble::Closed | Trouble::TooLong(_)) => String::new(),
        Err(trouble) => panic!("{trouble:?} without a network"),
    };
    assert!(words.chars().count() < 3000, "{} characters", words.len());
    assert!(!words.chars().any(char::is_control), "{words:?}");
    (is_yes, stage)
}

//! The mailbox that a message comes to: it is waited for, seen, deleted and seen to be gone, and what earlier probes
//! left behind goes with it.

pub mod imap;
pub mod pop3;

use std::time::Duration;

use jiff::Timestamp;

use crate::finding::{Finding, Found};
use crate::parcel::Mark;
use crate::stage::{Stage, Way};

/// So many messages are looked at in one go.
const MOST: usize = 100;

/// Waits that grow, each twice the one before, up to a longest one.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    next: Duration,
    longest: Duration,
}

impl Waits {
    /// From the first wait to the longest, in milliseconds.
    pub const fn of(first: u64, longest: u64) -> Self {
        Self { next: Duration::from_millis(first), longest: Duration::from_millis(longest) }
    }

    /// How long to wait now; longer the next time.
    pub fn longer(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        now
    }
}

/// What of the messages found is the prober's to delete: the one that was sent, however often it came, and left-overs.
fn ours<'a, N: Copy>(found: &'a [(N, Mark)], mark: &'a Mark) -> impl Iterator<Item = N> + 'a {
    let now = Timestamp::now().as_second();
    let is_ours = move |seen: &Mark| seen.token == mark.token || seen.is_left_over(mark, now);
    found.iter().filter(move |(_, seen)| is_ours(seen)).map(|(number, _)| *number)
}

/// The messages that are the one that was sent.
fn copies<'a, N: Copy>(found: &'a [(N, Mark)], mark: &'a Mark) -> impl Iterator<Item = N> + 'a {
    found.iter().filter(|(_, seen)| seen.token == mark.token).map(|(number, _)| *number)
}

/// Notes how often the message came.
fn count(copies: usize, way: &mut Way) {
    if copies > 1 {
        let words = format!("the message came {copies} times");
        way.found(Found { what: Finding::DeliveredTwice, stage: Stage::Fetch, words });
    }
}

/// Goes back to a stage, if another one came between.
fn back(way: &mut Way, stage: Stage) {
    if way.stage() != stage {
        way.enter(stage);
    }
}

#[cfg(test)]
mod tests {
    use super::pop3::Look;
    use super::*;
    use crate::feed::{fetch_by_imap, fetch_by_pop3};
    use proptest::prelude::*;

    const MARK: &str = "X-IMS-Probe: mail-1 0 x\r\n";

    /// A session of POP3 up to the header of its one message.
    const SESSION: &str = "+OK\r\n-ERR\r\n+OK\r\n+OK\r\n+OK\r\n1 120\r\n.\r\n+OK\r\n1 5\r\n.\r\n+OK\r\n";

    /// Lines that are nearly what a server of mailboxes says, so that some dialogues come far.
    fn speech() -> impl Strategy<Value = Vec<u8>> {
        let fetched = format!("* 1 FETCH (UID 7 BODY[] {{{}}}\r\n{MARK})\r\n", MARK.len());
        let said = [
            "* PREAUTH x\r\n",
            "* CAPABILITY IMAP4rev1 IDLE UIDPLUS\r\n",
            "a1 OK\r\nb2 OK\r\n",
            "b3 OK\r\nb4 OK\r\nb5 OK\r\n",
            "b6 OK\r\nb7 OK\r\n",
            "+ idling\r\n",
            "b8 OK\r\n",
            "* 1 EXISTS\r\n",
            "* 1 EXPUNGE\r\n",
            "* SEARCH 7\r\n",
            &fetched,
            "* BYE\r\nb9 OK\r\n",
            "+OK\r\n",
            "+OK\r\n1 120\r\n.\r\n",
            "-ERR [IN-USE]\r\n",
            "1 5\r\n.\r\n",
            MARK,
            "\r\n.\r\n",
        ];
        let line = prop_oneof![
            9 => proptest::sample::select(said.map(|text| text.as_bytes().to_vec()).to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..20),
        ];
        proptest::collection::vec(line, 0..30).prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_a_look_ends_and_less_is_never_more(speech in speech(), cut in 0..200_usize) {
            let short = &speech[..cut.min(speech.len())];
            prop_assert!(fetch_by_imap(short).is_err() || fetch_by_imap(&speech).is_ok());
            prop_assert!(fetch_by_imap(&speech).is_err() || String::from_utf8_lossy(&speech).contains("* BYE"));
            let whole = fetch_by_pop3(&speech);
            if let Ok(look) = fetch_by_pop3(short) {
                prop_assert_eq!(Some(look), whole.ok());
            }
        }
    }

    #[test]
    fn only_the_whole_of_a_dialogue_is_a_yes() {
        let fetched = format!("* 1 FETCH (UID 7 BODY[] {{{}}}\r\n{MARK})\r\n", MARK.len());
        let whole = format!(
            "* PREAUTH x\r\n* CAPABILITY IMAP4rev1 IDLE\r\na1 OK\r\n* 1 EXISTS\r\nb2 OK\r\nb3 OK\r\n* SEARCH\r\nb4 OK\r\n\
             * 2 EXISTS\r\n+ idling\r\nb8 OK\r\nb3 OK\r\n* SEARCH 7\r\nb4 OK\r\n{fetched}b5 OK\r\nb6 OK\r\n\
             * 1 EXPUNGE\r\nb7 OK\r\nb3 OK\r\n* SEARCH\r\nb4 OK\r\n* BYE\r\nb9 OK\r\n"
        );
        fetch_by_imap(whole.as_bytes()).unwrap();
        assert!((0..whole.len()).all(|cut| fetch_by_imap(&whole.as_bytes()[..cut]).is_err()));
        let whole = format!("{SESSION}{MARK}\r\n.\r\n+OK\r\n+OK\r\n");
        assert_eq!(fetch_by_pop3(whole.as_bytes()).unwrap(), Look::Deleted);
        assert!((0..whole.len()).all(|cut| fetch_by_pop3(&whole.as_bytes()[..cut]).is_err()));
    }

    #[test]
    fn waits_grow_to_the_longest() {
        let mut waits = Waits::of(20, 100);
        let all: Vec<u128> = (0..5).map(|_| waits.longer().as_millis()).collect();
        assert_eq!(all, [20, 40, 80, 100, 100]);
    }

    #[test]
    fn a_mark_is_found_in_a_header_alone_and_over_several_lines() {
        for (message, look) in [
            (format!("{MARK}\r\n.\r\n+OK\r\n+OK\r\n"), Look::Deleted),
            ("A: b\r\nX-IMS-Probe: mail-1\r\n 0 x\r\n.\r\n+OK\r\n+OK\r\n".to_owned(), Look::Deleted),
            (format!("A: {}\r\n{MARK}\r\n.\r\n+OK\r\n+OK\r\n", "x".repeat(9000)), Look::Deleted),
            (format!("A: b\r\n\r\n{MARK}.\r\n+OK\r\n"), Look::NotYet),
            (format!("A: {MARK}\r\n.\r\n+OK\r\n"), Look::NotYet),
            (format!("A: {}{MARK}\r\n.\r\n+OK\r\n", "x".repeat(4093)), Look::NotYet),
            ("X-IMS-Probe: mail-2 0 x\r\n\r\n.\r\n+OK\r\n".to_owned(), Look::NotYet),
        ] {
            let told = fetch_by_pop3(format!("{SESSION}{message}").as_bytes());
            assert_eq!(told.unwrap(), look, "{message}");
        }
    }
}

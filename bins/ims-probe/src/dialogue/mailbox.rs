//! A mailbox by IMAP: the message is waited for, seen, deleted and seen to be gone, and what earlier probes left
//! behind goes with it.

use std::time::Duration;

use jiff::Timestamp;

use super::begins;
use super::imap::{Offers, auth, capability, finish, greeting, invitation, logout, starttls};
use crate::ask::Ask;
use crate::parcel::{FIELD, Mark};
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// The first wait where the server does not tell of new messages by itself, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// So many messages are looked at in one go.
const MOST: usize = 100;

/// Holds the dialogue; `nap` waits.
pub async fn hold<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
    mark: &Mark,
    nap: impl AsyncFn(Duration),
) -> Result<(), Trouble> {
    ask.secure_first(wire, way).await?;
    fetch_again(way);
    let (_, is_logged_in) = greeting(wire).await?;
    let mut offers = capability(wire, "a1").await?;
    if !is_logged_in {
        offers = starttls(wire, ask, way, offers).await?;
    }
    fetch_again(way);
    if !is_logged_in {
        auth(wire, offers, ask.login_over(wire)?).await?;
        // Some servers tell what they can do only to those whom they know.
        offers = capability(wire, "b1").await?;
    }
    say(wire, "b2", "SELECT INBOX", |_, _| ()).await?;
    let mut wait = WAITS.0;
    let found = loop {
        let sight = scan(wire, mark).await?;
        if sight.messages.iter().any(|(_, seen)| seen.token == mark.token) {
            break sight.messages;
        }
        if sight.has_grown {
            continue;
        }
        if offers.idle {
            idle(wire).await?;
        } else {
            nap(wait).await;
            wait = (wait * 2).min(WAITS.1);
        }
    };
    way.enter(Stage::Delete);
    delete(wire, offers, mark, &found).await?;
    if scan(wire, mark).await?.messages.iter().any(|(_, seen)| seen.token == mark.token) {
        return Err(Trouble::SaidNo("the message is still there after it was deleted".to_owned()));
    }
    way.enter(Stage::Logout);
    logout(wire, "b9").await
}

/// Goes back to what TLS is for here, if that came between.
fn fetch_again(way: &mut Way) {
    if way.stage() != Stage::Fetch {
        way.enter(Stage::Fetch);
    }
}

/// What was seen of the mailbox.
struct Sight {
    /// The messages of this prober, by their UIDs.
    messages: Vec<(u32, Mark)>,
    /// Whether the server told of a new message meanwhile.
    has_grown: bool,
}

async fn scan<S: Stream>(wire: &mut Wire<S>, mark: &Mark) -> Result<Sight, Trouble> {
    let mut sight = Sight { messages: Vec::new(), has_grown: false };
    let mut uids: Vec<u32> = Vec::new();
    // A server may hold news back until it is asked.
    say(wire, "b3", "NOOP", |_, _| ()).await?;
    say(wire, "b3", &format!("UID SEARCH HEADER {FIELD} \"{}\"", mark.host), |text, _| {
        sight.has_grown |= tells_growth(text);
        if begins(text, "* SEARCH") {
            let words = text.split(|byte| *byte == b' ').filter_map(|word| std::str::from_utf8(word).ok());
            uids.extend(words.filter_map(|word| word.parse::<u32>().ok()));
        }
    })
    .await?;
    // The newest are the likely ones.
    uids.sort_unstable();
    let newest = uids.get(uids.len().saturating_sub(MOST)..).unwrap_or_default();
    if newest.is_empty() {
        return Ok(sight);
    }
    let fetch = format!("UID FETCH {} (UID BODY.PEEK[HEADER.FIELDS ({FIELD})])", set(newest.iter().copied()));
    say(wire, "b4", &fetch, |text, literal| {
        sight.has_grown |= tells_growth(text);
        if let (Some(uid), Some(seen)) = (uid(text), Mark::read(literal))
            && seen.host == mark.host
        {
            sight.messages.push((uid, seen));
        }
    })
    .await?;
    Ok(sight)
}

/// Deletes the message, however often it came, and left-overs.
async fn delete<S: Stream>(
    wire: &mut Wire<S>,
    offers: Offers,
    mark: &Mark,
    found: &[(u32, Mark)],
) -> Result<(), Trouble> {
    let now = Timestamp::now().as_second();
    let ours = found.iter().filter(|(_, seen)| seen.token == mark.token || seen.is_left_over(mark, now));
    let ours = set(ours.map(|(uid, _)| *uid));
    say(wire, "b5", &format!("UID STORE {ours} +FLAGS.SILENT (\\Deleted)"), |_, _| ()).await?;
    // Without RFC 4315 whatever else is marked as deleted goes too.
    let expunge = if offers.uid_expunge { format!("UID EXPUNGE {ours}") } else { "EXPUNGE".to_owned() };
    say(wire, "b6", &expunge, |_, _| ()).await
}

/// Waits until the server tells of a new message (RFC 2177).
async fn idle<S: Stream>(wire: &mut Wire<S>) -> Result<(), Trouble> {
    wire.send(b"b7 IDLE\r\n").await?;
    invitation(wire, "b7").await?;
    loop {
        let line = wire.line().await?;
        if tells_growth(line) {
            break;
        }
        if begins(line, "* BYE") || !begins(line, "*") {
            return Err(Trouble::SaidNo(printable(line)));
        }
    }
    wire.send(b"DONE\r\n").await?;
    finish(wire, "b7", |_, _| ()).await
}

async fn say<S: Stream>(
    wire: &mut Wire<S>,
    tag: &str,
    command: &str,
    each: impl FnMut(&[u8], &[u8]),
) -> Result<(), Trouble> {
    wire.send(format!("{tag} {command}\r\n").as_bytes()).await?;
    finish(wire, tag, each).await
}

/// Whether a response is `* N EXISTS`.
fn tells_growth(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').nth(2).is_some_and(|word| word.eq_ignore_ascii_case(b"EXISTS"))
}

/// The UID that a FETCH response names.
fn uid(text: &[u8]) -> Option<u32> {
    let words: Vec<&str> = std::str::from_utf8(text).ok()?.split([' ', '(', ')']).collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("UID"))?;
    words.get(at + 1)?.parse().ok()
}

/// UIDs as a command names them.
fn set(uids: impl Iterator<Item = u32>) -> String {
    uids.map(|uid| uid.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uid_of_a_response_is_found_wherever_it_stands() {
        assert_eq!(uid(b"* 1 FETCH (UID 5 BODY[HEADER.FIELDS (X-IMS-PROBE)] {30})"), Some(5));
        assert_eq!(uid(b"* 1 FETCH (BODY[HEADER.FIELDS (X-IMS-PROBE)] {30} UID 7)"), Some(7));
        assert_eq!(uid(b"* 1 FETCH (FLAGS ())"), None);
    }

    #[test]
    fn only_a_new_message_is_news() {
        for (line, is) in [(&b"* 4 EXISTS"[..], true), (b"* 4 RECENT", false), (b"* OK Still here", false)] {
            assert_eq!(tells_growth(line), is, "{line:?}");
        }
    }
}

//! A mailbox by IMAP: one session, in which the server tells of new messages by IDLE, or is asked again and again.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{MOST, Waits, back, copies, count, ours};
use crate::ask::Ask;
use crate::dialogue::begins;
use crate::dialogue::imap::{
    Offers, Response, auth, capability, finish, garbled, greeting, logout, response, starttls,
};
use crate::parcel::{FIELD, Mark};
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// How long to wait between looks.
const WAITS: Waits = Waits::of(20, 1000);
/// How long to wait for a server that tells by itself, before the next look: it may tell nothing.
const IDLE: Waits = Waits::of(500, 4000);

/// Holds the dialogue; `nap` waits.
pub async fn hold<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
    mark: &Mark,
    nap: impl AsyncFn(Duration),
) -> Result<(), Trouble> {
    let mut inbox = Inbox::open(wire, ask, way).await?;
    let (mut waits, mut idle) = (WAITS, IDLE);
    let mut found = loop {
        let found = inbox.look(mark).await?;
        if copies(&found, mark).next().is_some() {
            break found;
        }
        if inbox.news.has_grown {
            continue;
        }
        if inbox.offers.idle {
            inbox.idle(nap(idle.longer())).await?;
        } else {
            nap(waits.longer()).await;
        }
    };
    way.enter(Stage::Delete);
    let mut deleted = Vec::new();
    while copies(&found, mark).next().is_some() {
        if copies(&found, mark).any(|uid| deleted.contains(&uid)) {
            return Err(Trouble::SaidNo("the message is still there after it was deleted".to_owned()));
        }
        inbox.delete(&ours(&found, mark).collect::<Vec<_>>()).await?;
        deleted.extend(copies(&found, mark));
        found = inbox.look(mark).await?;
    }
    count(deleted.len(), way);
    way.enter(Stage::Logout);
    logout(wire, "b9").await
}

/// A mailbox that is open.
struct Inbox<'w, S> {
    wire: &'w mut Wire<S>,
    offers: Offers,
    news: News,
}

/// What the server has told of the mailbox, in whichever response.
#[derive(Default)]
struct News {
    /// How many messages are in it.
    exists: usize,
    /// Whether there are new ones since that was last set to no.
    has_grown: bool,
}

impl News {
    fn hear(&mut self, line: &[u8]) {
        let mut words = line.split(|byte| *byte == b' ').skip(1);
        let (Some(number), Some(what)) = (words.next(), words.next()) else { return };
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        if let (Some(number), true) = (number, what.eq_ignore_ascii_case(b"EXISTS")) {
            self.exists = number;
            self.has_grown = true;
        } else if number.is_some() && what.eq_ignore_ascii_case(b"EXPUNGE") {
            self.exists = self.exists.saturating_sub(1);
        }
    }
}

impl<'w, S: Stream> Inbox<'w, S> {
    /// Logs in, unless that is done already, and opens the mailbox.
    async fn open(wire: &'w mut Wire<S>, ask: Ask<'_>, way: &mut Way) -> Result<Self, Trouble> {
        ask.secure_first(wire, way).await?;
        back(way, Stage::Fetch);
        let (_, is_logged_in) = greeting(wire).await?;
        let mut offers = capability(wire, "a1").await?;
        if !is_logged_in {
            let is_secured = starttls(wire, ask, way, offers).await?;
            back(way, Stage::Fetch);
            if is_secured {
                offers = capability(wire, "t2").await?;
            }
            auth(wire, offers, ask.login_over(wire)?).await?;
            // Some servers tell what they can do only to those whom they know.
            offers = capability(wire, "b1").await?;
        }
        let mut inbox = Self { wire, offers, news: News::default() };
        inbox.say("b2", "SELECT INBOX", |_, _| ()).await?;
        Ok(inbox)
    }

    async fn say(
        &mut self,
        tag: &str,
        command: &str,
        mut each: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Trouble> {
        self.wire.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        let news = &mut self.news;
        finish(self.wire, tag, |text, literal| {
            news.hear(text);
            each(text, literal);
        })
        .await
    }

    /// The message by its UIDs, if it is there, and what else of this prober is among the newest messages.
    async fn look(&mut self, mark: &Mark) -> Result<Vec<(u32, Mark)>, Trouble> {
        // A server may hold news back until it is asked.
        self.say("b3", "NOOP", |_, _| ()).await?;
        self.news.has_grown = false;
        let last = self.news.exists;
        if last == 0 {
            return Ok(Vec::new());
        }
        let first = last.saturating_sub(MOST - 1).max(1);
        let Mark { host, token, .. } = mark;
        // However many messages were left behind, the answer is not longer than a line may be.
        let search =
            format!("UID SEARCH OR HEADER {FIELD} \"{token}\" ({first}:{last} HEADER {FIELD} \"{host}\")");
        let mut uids: Vec<u32> = Vec::new();
        self.say("b4", &search, |text, _| {
            if begins(text, "* SEARCH") {
                let words = text.split(|byte| *byte == b' ');
                let words = words.filter_map(|word| std::str::from_utf8(word).ok());
                uids.extend(words.filter_map(|word| word.parse::<u32>().ok()));
            }
        })
        .await?;
        uids.sort_unstable();
        // The newest are the likely ones.
        let newest = uids.get(uids.len().saturating_sub(MOST)..).unwrap_or_default();
        let mut found = Vec::new();
        if newest.is_empty() {
            return Ok(found);
        }
        let fetch = format!("UID FETCH {} (UID BODY.PEEK[HEADER.FIELDS ({FIELD})])", set(newest));
        self.say("b5", &fetch, |text, literal| {
            if let (Some(uid), Some(seen)) = (uid(text), Mark::read(literal))
                && seen.host == mark.host
            {
                found.push((uid, seen));
            }
        })
        .await?;
        Ok(found)
    }

    async fn delete(&mut self, uids: &[u32]) -> Result<(), Trouble> {
        let uids = set(uids);
        self.say("b6", &format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)"), |_, _| ()).await?;
        // Without RFC 4315 whatever else is marked as deleted goes too.
        let expunge =
            if self.offers.uid_expunge { format!("UID EXPUNGE {uids}") } else { "EXPUNGE".to_owned() };
        self.say("b7", &expunge, |_, _| ()).await
    }

    /// Waits until the server tells of a new message (RFC 2177), or until a nap is over. News may come before the
    /// server lets us wait. One that ends the wait by itself, or that does not know it, is not asked for it again.
    async fn idle(&mut self, nap: impl Future<Output = ()>) -> Result<(), Trouble> {
        let mut nap = pin!(nap);
        self.wire.send(b"b8 IDLE\r\n").await?;
        let mut may_wait = false;
        while !(may_wait && self.news.has_grown) {
            let line = {
                let mut line = pin!(self.wire.line());
                poll_fn(|context| match line.as_mut().poll(context) {
                    Poll::Ready(line) => Poll::Ready(Some(line)),
                    Poll::Pending if may_wait => nap.as_mut().poll(context).map(|()| None),
                    Poll::Pending => Poll::Pending,
                })
                .await
            };
            let Some(line) = line.transpose()? else { break };
            match response(line, "b8") {
                Response::Untagged => self.news.hear(line),
                Response::Invitation => may_wait = true,
                Response::Ok | Response::No => {
                    self.offers.idle = false;
                    return Ok(());
                }
                Response::Bye => return Err(Trouble::SaidNo(printable(line))),
                Response::Other => return Err(garbled(line)),
            }
        }
        self.wire.send(b"DONE\r\n").await?;
        let news = &mut self.news;
        finish(self.wire, "b8", |text, _| news.hear(text)).await
    }
}

/// The UID that a FETCH response names.
fn uid(text: &[u8]) -> Option<u32> {
    let words: Vec<&str> = std::str::from_utf8(text).ok()?.split([' ', '(', ')']).collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("UID"))?;
    words.get(at + 1)?.parse().ok()
}

/// UIDs as a command names them.
fn set(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
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
    fn the_server_tells_how_many_messages_there_are() {
        let mut news = News::default();
        for (line, exists, has_grown) in [
            (&b"* 4 RECENT"[..], 0, false),
            (b"* OK Still here", 0, false),
            (b"* OK [ALERT] the disk is 4 EXISTS full", 0, false),
            (b"* 4 exists", 4, true),
            (b"* 2 EXPUNGE", 3, false),
            (b"* 99999999999999999999 EXISTS", 3, false),
        ] {
            news.has_grown = false;
            news.hear(line);
            assert_eq!((news.exists, news.has_grown), (exists, has_grown), "{line:?}");
        }
    }
}

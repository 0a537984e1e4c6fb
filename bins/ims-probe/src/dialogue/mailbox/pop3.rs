//! A mailbox by POP3. For a session it stays as it was at the login, so each look is a session of its own; and what is
//! deleted goes when the session ends in order.

use std::collections::{HashMap, VecDeque};

use super::{MOST, back, copies, count, ours};
use crate::ask::Ask;
use crate::dialogue::pop3::{Said, auth, capa, code, garbled, ok, said, starttls};
use crate::parcel::Mark;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{LONGEST_REPLY, Stream, Wire};

/// The most that a list of all messages may hold, of which the last [`MOST`] are kept.
const LONGEST_LIST: usize = 1024 * 1024;

/// What a session has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The message was deleted, and is gone.
    Over,
    /// It was deleted; whether it is gone, the next session shows.
    Deleted,
    /// It is not there yet.
    NotYet,
    /// Nobody may look now, in the server's words.
    Busy(String),
}

/// What is known of a mailbox from one session to the next.
#[derive(Debug, Default)]
pub struct Maildrop {
    /// The messages that were looked at, by their unique identifiers: which of them are a prober's.
    known: HashMap<Vec<u8>, Option<Mark>>,
    /// The copies that were deleted; nothing stands for the identifier of one that has none.
    deleted: Vec<Vec<u8>>,
}

/// A message of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Message {
    number: u32,
    size: usize,
    /// What it is called in every session (RFC 1939 §7); nothing, where the server does not tell.
    id: Vec<u8>,
}

impl Maildrop {
    /// Holds one session: looks for the message and deletes it when it is there.
    pub async fn look<S: Stream>(
        &mut self,
        wire: &mut Wire<S>,
        ask: Ask<'_>,
        way: &mut Way,
        mark: &Mark,
    ) -> Result<Look, Trouble> {
        let stage = self.stage();
        ask.secure_first(wire, way).await?;
        back(way, stage);
        ok(wire).await?;
        let mut offers = capa(wire).await?;
        if starttls(wire, ask, way, offers).await? {
            back(way, stage);
            offers = capa(wire).await?;
        }
        back(way, stage);
        match auth(wire, offers, ask.login_over(wire)?).await {
            Err(Trouble::SaidNo(words)) if is_for_now(&words) => return Ok(Look::Busy(words)),
            told => told?,
        }
        let messages = list(wire).await?;
        let mut found = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            if let Some(seen) = self.read(wire, message).await?
                && seen.host == mark.host
            {
                found.push((index, seen));
            }
        }
        let id = |index: usize| messages.get(index).map(|message| message.id.clone()).unwrap_or_default();
        let came: Vec<Vec<u8>> = copies(&found, mark).map(id).collect();
        if came.iter().any(|id| self.deleted.contains(id)) {
            return Err(Trouble::SaidNo("the message is still there after it was deleted".to_owned()));
        }
        if came.is_empty() {
            let is_gone = !self.deleted.is_empty();
            if is_gone {
                count(self.deleted.len(), way);
                way.enter(Stage::Quit);
            }
            quit(wire).await?;
            return Ok(if is_gone { Look::Over } else { Look::NotYet });
        }
        back(way, Stage::Delete);
        for message in ours(&found, mark).filter_map(|index| messages.get(index)) {
            wire.send(format!("DELE {}\r\n", message.number).as_bytes()).await?;
            ok(wire).await?;
        }
        quit(wire).await?;
        self.deleted.extend(came);
        Ok(Look::Deleted)
    }

    /// What a session is for.
    pub const fn stage(&self) -> Stage {
        if self.deleted.is_empty() { Stage::Fetch } else { Stage::Delete }
    }

    /// Whose a message is, when it is a prober's. One that is known is not read again.
    async fn read<S: Stream>(
        &mut self,
        wire: &mut Wire<S>,
        message: &Message,
    ) -> Result<Option<Mark>, Trouble> {
        if let Some(known) = self.known.get(&message.id) {
            return Ok(known.clone());
        }
        // Ours is a small one, and a server without TOP would send the whole.
        let seen = if message.size <= LONGEST_REPLY / 2 { mark(wire, message.number).await? } else { None };
        if !message.id.is_empty() {
            self.known.insert(message.id.clone(), seen.clone());
        }
        Ok(seen)
    }
}

/// Whether somebody else has the mailbox now, or too little time has passed since the last login (RFC 2449 §8.1).
fn is_for_now(words: &str) -> bool {
    ["[IN-USE]", "[LOGIN-DELAY]"].contains(&code(words).as_str())
}

async fn quit<S: Stream>(wire: &mut Wire<S>) -> Result<(), Trouble> {
    wire.send(b"QUIT\r\n").await?;
    ok(wire).await.map(drop)
}

/// The newest messages.
async fn list<S: Stream>(wire: &mut Wire<S>) -> Result<Vec<Message>, Trouble> {
    let mut messages = VecDeque::with_capacity(MOST);
    let sizes = |number, size: &[u8]| {
        if messages.len() == MOST {
            messages.pop_front();
        }
        let size = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
        messages.push_back(Message { number, size, id: Vec::new() });
    };
    if let Said::Err(words) = lines(wire, "LIST", sizes).await? {
        return Err(Trouble::SaidNo(words));
    }
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    // A server that does not know it says so.
    lines(wire, "UIDL", |number, id| {
        if let Some(message) = messages.iter_mut().find(|message| message.number == number) {
            message.id = id.to_vec();
        }
    })
    .await?;
    Ok(messages.into())
}

/// Has the server list its messages: of each, its number and the word behind it.
async fn lines<S: Stream>(
    wire: &mut Wire<S>,
    command: &str,
    mut each: impl FnMut(u32, &[u8]),
) -> Result<Said, Trouble> {
    wire.send(format!("{command}\r\n").as_bytes()).await?;
    let told = said(wire.line().await?)?;
    if let Said::Err(_) = told {
        return Ok(told);
    }
    wire.allow(LONGEST_LIST);
    loop {
        let line = wire.line().await?;
        if line == b"." {
            return Ok(told);
        }
        let mut words = line.split(|byte| *byte == b' ');
        let number = words.next().and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
        match (number, words.next()) {
            (Some(number), Some(word)) => each(number, word),
            (Some(_) | None, _) => return Err(garbled(line)),
        }
    }
}

/// Reads the header of a message, by RETR where the server has no TOP. One that it does not show is nobody's.
async fn mark<S: Stream>(wire: &mut Wire<S>, number: u32) -> Result<Option<Mark>, Trouble> {
    for command in [format!("TOP {number} 0\r\n"), format!("RETR {number}\r\n")] {
        wire.send(command.as_bytes()).await?;
        if let Said::Ok(_) = said(wire.line().await?)? {
            return header(wire).await;
        }
    }
    Ok(None)
}

/// Reads a message to its end, and finds the mark in its header.
async fn header<S: Stream>(wire: &mut Wire<S>) -> Result<Option<Mark>, Trouble> {
    let (mut field, mut found) = (Vec::new(), None);
    let (mut is_header, mut begins_line) = (true, true);
    loop {
        let (piece, is_end) = wire.piece().await?;
        let is_rest = !std::mem::replace(&mut begins_line, is_end);
        if is_rest {
            continue;
        }
        if piece == b"." && is_end {
            return Ok(found.or_else(|| Mark::read(&field)));
        }
        // A long field goes on in the next line.
        if is_header && !piece.starts_with(b" ") && !piece.starts_with(b"\t") {
            found = found.or_else(|| Mark::read(&field));
            field.clear();
            is_header = !piece.is_empty();
        }
        if is_header {
            field.extend(piece);
        }
    }
}

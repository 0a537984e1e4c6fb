//! POP3 (RFC 1939): greeting, CAPA (RFC 2449, which an old server may not know), login (AUTH: RFC 5034), QUIT.

use super::auth::plain;
use super::{begins, upgrade};
use crate::ask::Ask;
use crate::level::Level;
use crate::secrets::Login;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(wire: &mut Wire<S>, ask: Ask<'_>, way: &mut Way) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let greeting = ok(wire).await?;
    let mut offers = Offers::default();
    if !ask.is_greeting_alone() {
        way.enter(Stage::Capability);
        offers = capa(wire).await?;
        if starttls(wire, ask, way, offers).await? && ask.level >= Level::Session {
            way.enter(Stage::Capability);
            offers = capa(wire).await?;
        }
    }
    if ask.level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
    }
    if ask.level >= Level::Login {
        way.enter(Stage::Auth);
        auth(wire, offers, ask.login_over(wire)?).await.map_err(hasty)?;
    }
    way.enter(Stage::Quit);
    wire.send(b"QUIT\r\n").await?;
    ok(wire).await?;
    Ok(greeting)
}

/// What a server says it can do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offers {
    stls: bool,
    plain: bool,
}

pub(super) async fn capa<S: Stream>(wire: &mut Wire<S>) -> Result<Offers, Trouble> {
    wire.send(b"CAPA\r\n").await?;
    let mut offers = Offers::default();
    match said(wire.line().await?)? {
        Said::Ok(_) => {}
        // It is not that the command is not known: RFC 3206.
        Said::Err(words) if code(&words).starts_with("[SYS/") => return Err(Trouble::SaidNo(words)),
        Said::Err(_) => return Ok(offers),
    }
    loop {
        let line = wire.line().await?;
        if line == b"." {
            return Ok(offers);
        }
        offers.stls |= begins(line, "STLS");
        offers.plain |= begins(line, "SASL") && line.split(|byte| *byte == b' ').any(is_plain);
    }
}

/// Begins TLS where that is wanted and offered (RFC 2595); says whether it has.
pub(super) async fn starttls<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
    offers: Offers,
) -> Result<bool, Trouble> {
    let consent = async |wire: &mut Wire<S>| ok(wire).await.map(drop);
    upgrade(wire, ask, way, offers.stls, b"STLS\r\n", consent).await
}

fn is_plain(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"PLAIN")
}

/// The longest line of a command, with its end (RFC 2449 §4).
const LONGEST_COMMAND: usize = 255;

/// Logs in: by PLAIN where that is known and fits in a line, else in the old way, which every server knows.
pub(super) async fn auth<S: Stream>(
    wire: &mut Wire<S>,
    offers: Offers,
    login: &Login,
) -> Result<(), Trouble> {
    let message = plain(login);
    if offers.plain && "AUTH PLAIN \r\n".len() + message.len() <= LONGEST_COMMAND {
        wire.send_all(&["AUTH PLAIN ", &message, "\r\n"]).await?;
    } else {
        wire.send_all(&["USER ", &login.user, "\r\n"]).await?;
        ok(wire).await?;
        wire.send_all(&["PASS ", login.password.reveal(), "\r\n"]).await?;
    }
    ok(wire).await.map(drop)
}

/// The response code that stands behind a no, or its first word (RFC 2449 §8).
pub(super) fn code(words: &str) -> String {
    words.split_whitespace().nth(1).unwrap_or_default().to_ascii_uppercase()
}

/// Tells a no for which the time since the last login is the only reason from others.
pub fn hasty(trouble: Trouble) -> Trouble {
    if let Trouble::SaidNo(words) = &trouble
        && code(words) == "[LOGIN-DELAY]"
    {
        return Trouble::TooSoon(words.clone());
    }
    trouble
}

/// A status line.
pub(super) enum Said {
    /// The server has done it.
    Ok(String),
    /// It has not.
    Err(String),
}

/// Reads a status line, which must be a yes, and gives its words.
pub(super) async fn ok<S: Stream>(wire: &mut Wire<S>) -> Result<String, Trouble> {
    match said(wire.line().await?)? {
        Said::Ok(words) => Ok(words),
        Said::Err(words) => Err(Trouble::SaidNo(words)),
    }
}

/// What a line says, if it is a status line.
pub(super) fn said(line: &[u8]) -> Result<Said, Trouble> {
    if line.contains(&0) {
        Err(garbled(line))
    } else if begins(line, "+OK") {
        Ok(Said::Ok(printable(line)))
    } else if begins(line, "-ERR") {
        Ok(Said::Err(printable(line)))
    } else {
        Err(garbled(line))
    }
}

pub(super) fn garbled(line: &[u8]) -> Trouble {
    Trouble::Garbled(format!("not a reply: {}", printable(line)))
}

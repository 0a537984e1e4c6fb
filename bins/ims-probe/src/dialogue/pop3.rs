//! POP3 (RFC 1939): greeting, CAPA (RFC 2449, which an old server may not know), login (AUTH: RFC 5034), QUIT.

use super::auth::plain;
use super::begins;
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
    let greeting = said(wire.line().await?)?.into_ok()?;
    if ask.level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
    }
    way.enter(Stage::Capability);
    wire.send(b"CAPA\r\n").await?;
    let mut knows_plain = false;
    if let Said::Ok(_) = said(wire.line().await?)? {
        loop {
            let line = wire.line().await?;
            if line == b"." {
                break;
            }
            knows_plain |= begins(line, "SASL") && line.split(|byte| *byte == b' ').any(is_plain);
        }
    }
    if ask.level >= Level::Login {
        way.enter(Stage::Auth);
        auth(wire, knows_plain, ask.in_the_clear()?).await?;
    }
    way.enter(Stage::Quit);
    wire.send(b"QUIT\r\n").await?;
    said(wire.line().await?)?.into_ok()?;
    Ok(greeting)
}

fn is_plain(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"PLAIN")
}

/// The longest line of a command, with its end (RFC 2449 §4).
const LONGEST_COMMAND: usize = 255;

/// Logs in: by PLAIN where that is known and fits in a line, else in the old way, which every server knows.
async fn auth<S: Stream>(wire: &mut Wire<S>, knows_plain: bool, login: &Login) -> Result<(), Trouble> {
    let message = plain(login);
    if knows_plain && "AUTH PLAIN \r\n".len() + message.len() <= LONGEST_COMMAND {
        wire.send_all(&["AUTH PLAIN ", &message, "\r\n"]).await?;
    } else {
        wire.send_all(&["USER ", &login.user, "\r\n"]).await?;
        said(wire.line().await?)?.into_ok()?;
        wire.send_all(&["PASS ", login.password.reveal(), "\r\n"]).await?;
    }
    said(wire.line().await?)?.into_ok()?;
    Ok(())
}

/// A status line.
enum Said {
    Ok(String),
    Err(String),
}

impl Said {
    fn into_ok(self) -> Result<String, Trouble> {
        match self {
            Self::Ok(words) => Ok(words),
            Self::Err(words) => Err(Trouble::SaidNo(words)),
        }
    }
}

fn said(line: &[u8]) -> Result<Said, Trouble> {
    let words = printable(line);
    if line.contains(&0) {
        Err(Trouble::Garbled(format!("not a reply: {words}")))
    } else if begins(line, "+OK") {
        Ok(Said::Ok(words))
    } else if begins(line, "-ERR") {
        Ok(Said::Err(words))
    } else {
        Err(Trouble::Garbled(format!("not a reply: {words}")))
    }
}

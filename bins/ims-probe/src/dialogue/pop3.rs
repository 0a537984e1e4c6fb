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
    let mut offers = Offers::default();
    if !ask.is_greeting_alone() {
        offers = capa(wire, way).await?;
        offers = starttls(wire, ask, way, offers).await?;
    }
    if ask.level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
    }
    if ask.level >= Level::Login {
        way.enter(Stage::Auth);
        auth(wire, offers.plain, ask.login_over(wire)?).await?;
    }
    way.enter(Stage::Quit);
    wire.send(b"QUIT\r\n").await?;
    said(wire.line().await?)?.into_ok()?;
    Ok(greeting)
}

/// What a server says it can do.
#[derive(Debug, Clone, Copy, Default)]
struct Offers {
    stls: bool,
    plain: bool,
}

async fn capa<S: Stream>(wire: &mut Wire<S>, way: &mut Way) -> Result<Offers, Trouble> {
    way.enter(Stage::Capability);
    wire.send(b"CAPA\r\n").await?;
    let mut offers = Offers::default();
    if let Said::Ok(_) = said(wire.line().await?)? {
        loop {
            let line = wire.line().await?;
            if line == b"." {
                break;
            }
            offers.stls |= begins(line, "STLS");
            offers.plain |= begins(line, "SASL") && line.split(|byte| *byte == b' ').any(is_plain);
        }
    }
    Ok(offers)
}

/// Begins TLS where that is wanted and offered (RFC 2595), and gives what is offered then.
async fn starttls<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
    offers: Offers,
) -> Result<Offers, Trouble> {
    let Some(tls) = ask.starttls() else { return Ok(offers) };
    if !tls.asks(offers.stls, way)? {
        return Ok(offers);
    }
    way.enter(Stage::Tls);
    wire.send(b"STLS\r\n").await?;
    match said(wire.line().await?)? {
        Said::Ok(_) => tls.begin(wire, way).await?,
        Said::Err(words) => return tls.refused(words, way).map(|()| offers),
    }
    if ask.level < Level::Session {
        return Ok(offers);
    }
    capa(wire, way).await
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

//! POP3 (RFC 1939): greeting, CAPA (RFC 2449, which an old server may not know), QUIT.

use super::{Terms, begins};
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(
    wire: &mut Wire<S>,
    way: &mut Way,
    terms: &Terms<'_>,
) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let greeting = said(wire.line().await?)?.into_ok()?;
    if !terms.is_greeting_alone() {
        let offers = capa(wire, way).await?;
        starttls(wire, way, terms, offers).await?;
    }
    if terms.level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
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
        }
    }
    Ok(offers)
}

/// Begins TLS where that is wanted and offered (RFC 2595), and asks for the abilities again.
async fn starttls<S: Stream>(
    wire: &mut Wire<S>,
    way: &mut Way,
    terms: &Terms<'_>,
    offers: Offers,
) -> Result<(), Trouble> {
    let Some(tls) = terms.starttls() else { return Ok(()) };
    if !tls.asks(offers.stls, way)? {
        return Ok(());
    }
    way.enter(Stage::Tls);
    wire.send(b"STLS\r\n").await?;
    match said(wire.line().await?)? {
        Said::Ok(_) => tls.begin(wire, way).await?,
        Said::Err(words) => return tls.refused(words, way),
    }
    if terms.level < Level::Session {
        return Ok(());
    }
    capa(wire, way).await.map(|_| ())
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

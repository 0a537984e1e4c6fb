//! POP3 (RFC 1939): greeting, CAPA (RFC 2449, which an old server may not know), QUIT.

use super::begins;
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(wire: &mut Wire<S>, level: Level, way: &mut Way) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let greeting = said(wire.line().await?)?.into_ok()?;
    if level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
    }
    way.enter(Stage::Capability);
    wire.send(b"CAPA\r\n").await?;
    if let Said::Ok(_) = said(wire.line().await?)? {
        while wire.line().await? != b"." {}
    }
    way.enter(Stage::Quit);
    wire.send(b"QUIT\r\n").await?;
    said(wire.line().await?)?.into_ok()?;
    Ok(greeting)
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

//! IMAP (RFC 3501, RFC 9051): greeting, CAPABILITY, LOGOUT.

use super::begins;
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(wire: &mut Wire<S>, level: Level, way: &mut Way) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let line = wire.line().await?;
    let greeting = printable(line);
    if begins(line, "* BYE") {
        return Err(Trouble::SaidNo(greeting));
    }
    if !(begins(line, "* OK") || begins(line, "* PREAUTH")) || line.contains(&0) {
        return Err(Trouble::Garbled(format!("not a greeting: {greeting}")));
    }
    if level < Level::Session {
        wire.farewell(b"a1 LOGOUT\r\n");
        return Ok(greeting);
    }
    way.enter(Stage::Capability);
    capability(wire).await?;
    way.enter(Stage::Logout);
    logout(wire).await?;
    Ok(greeting)
}

async fn capability<S: Stream>(wire: &mut Wire<S>) -> Result<(), Trouble> {
    wire.send(b"a1 CAPABILITY\r\n").await?;
    let mut speaks_imap = false;
    loop {
        let line = wire.line().await?;
        if begins(line, "a1 OK") {
            break;
        }
        if begins(line, "a1 NO") || begins(line, "a1 BAD") || begins(line, "* BYE") {
            return Err(Trouble::SaidNo(printable(line)));
        }
        if begins(line, "* CAPABILITY") {
            speaks_imap |= line.split(|byte| *byte == b' ').any(|word| {
                ["IMAP4rev1", "IMAP4rev2", "IMAP4"]
                    .iter()
                    .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
            });
        } else if !begins(line, "*") {
            return Err(Trouble::Garbled(format!("not a response: {}", printable(line))));
        }
    }
    if speaks_imap {
        Ok(())
    } else {
        Err(Trouble::Garbled("CAPABILITY names no version of IMAP4".to_owned()))
    }
}

async fn logout<S: Stream>(wire: &mut Wire<S>) -> Result<(), Trouble> {
    wire.send(b"a2 LOGOUT\r\n").await?;
    let mut bye = false;
    loop {
        let line = wire.line().await?;
        if begins(line, "a2 OK") {
            break;
        }
        if begins(line, "a2 NO") || begins(line, "a2 BAD") {
            return Err(Trouble::SaidNo(printable(line)));
        }
        bye |= begins(line, "* BYE");
        if !begins(line, "*") {
            return Err(Trouble::Garbled(format!("not a response: {}", printable(line))));
        }
    }
    if bye { Ok(()) } else { Err(Trouble::Garbled("LOGOUT was answered without BYE".to_owned())) }
}

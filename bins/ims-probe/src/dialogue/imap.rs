//! IMAP (RFC 3501, RFC 9051): greeting, CAPABILITY, LOGOUT.

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
    let line = wire.line().await?;
    let greeting = printable(line);
    if begins(line, "* BYE") {
        return Err(Trouble::SaidNo(greeting));
    }
    let is_known = begins(line, "* PREAUTH");
    if !(begins(line, "* OK") || is_known) || line.contains(&0) {
        return Err(Trouble::Garbled(format!("not a greeting: {greeting}")));
    }
    if !terms.is_greeting_alone() {
        let mut offers = capability(wire, way, "a1").await?;
        // Who is logged in already may not begin TLS any more (RFC 9051 §6.2.1).
        offers.starttls &= !is_known;
        starttls(wire, way, terms, offers).await?;
    }
    if terms.level < Level::Session {
        wire.farewell(b"a2 LOGOUT\r\n");
        return Ok(greeting);
    }
    way.enter(Stage::Logout);
    logout(wire).await?;
    Ok(greeting)
}

/// What a server says it can do.
#[derive(Debug, Clone, Copy, Default)]
struct Offers {
    starttls: bool,
}

async fn capability<S: Stream>(wire: &mut Wire<S>, way: &mut Way, tag: &str) -> Result<Offers, Trouble> {
    way.enter(Stage::Capability);
    wire.send(format!("{tag} CAPABILITY\r\n").as_bytes()).await?;
    let (mut speaks_imap, mut offers) = (false, Offers::default());
    loop {
        let line = wire.line().await?;
        if ends(line, tag, "OK") {
            break;
        }
        if ends(line, tag, "NO") || ends(line, tag, "BAD") || begins(line, "* BYE") {
            return Err(Trouble::SaidNo(printable(line)));
        }
        if begins(line, "* CAPABILITY") {
            let has = |names: &[&str]| {
                line.split(|byte| *byte == b' ')
                    .any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())))
            };
            speaks_imap |= has(&["IMAP4rev1", "IMAP4rev2", "IMAP4"]);
            offers.starttls |= has(&["STARTTLS"]);
        } else if !begins(line, "*") {
            return Err(Trouble::Garbled(format!("not a response: {}", printable(line))));
        }
    }
    if speaks_imap {
        Ok(offers)
    } else {
        Err(Trouble::Garbled("CAPABILITY names no version of IMAP4".to_owned()))
    }
}

/// Begins TLS where that is wanted and offered, and asks for the abilities again.
async fn starttls<S: Stream>(
    wire: &mut Wire<S>,
    way: &mut Way,
    terms: &Terms<'_>,
    offers: Offers,
) -> Result<(), Trouble> {
    let Some(tls) = terms.starttls() else { return Ok(()) };
    if !tls.asks(offers.starttls, way)? {
        return Ok(());
    }
    way.enter(Stage::Tls);
    wire.send(b"a3 STARTTLS\r\n").await?;
    loop {
        let line = wire.line().await?;
        if ends(line, "a3", "OK") {
            break;
        }
        if ends(line, "a3", "NO") || ends(line, "a3", "BAD") {
            return tls.refused(printable(line), way);
        }
        if begins(line, "* BYE") {
            return Err(Trouble::SaidNo(printable(line)));
        }
        if !begins(line, "*") {
            return Err(Trouble::Garbled(format!("not a response: {}", printable(line))));
        }
    }
    tls.begin(wire, way).await?;
    if terms.level < Level::Session {
        return Ok(());
    }
    capability(wire, way, "a4").await.map(|_| ())
}

/// Whether a line ends the command with this tag in this way.
fn ends(line: &[u8], tag: &str, word: &str) -> bool {
    let rest = line.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
    rest.is_some_and(|rest| begins(rest, word))
}

async fn logout<S: Stream>(wire: &mut Wire<S>) -> Result<(), Trouble> {
    wire.send(b"a2 LOGOUT\r\n").await?;
    let mut bye = false;
    loop {
        let line = wire.line().await?;
        if ends(line, "a2", "OK") {
            break;
        }
        if ends(line, "a2", "NO") || ends(line, "a2", "BAD") {
            return Err(Trouble::SaidNo(printable(line)));
        }
        bye |= begins(line, "* BYE");
        if !begins(line, "*") {
            return Err(Trouble::Garbled(format!("not a response: {}", printable(line))));
        }
    }
    if bye { Ok(()) } else { Err(Trouble::Garbled("LOGOUT was answered without BYE".to_owned())) }
}

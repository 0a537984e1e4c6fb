//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033): greeting, hello, goodbye.

use std::net::IpAddr;

use super::{Terms, begins};
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// How much of a reply is kept for its words.
const KEPT: usize = 512;

/// Which of the two says hello.
#[derive(Debug, Clone, Copy)]
pub enum Hello {
    /// SMTP.
    Ehlo,
    /// LMTP.
    Lhlo,
}

/// What a server says it can do.
#[derive(Debug, Clone, Copy, Default)]
struct Offers {
    starttls: bool,
}

impl Hello {
    async fn say<S: Stream>(self, wire: &mut Wire<S>, way: &mut Way, me: IpAddr) -> Result<Offers, Trouble> {
        let (verb, stage) = match self {
            Self::Ehlo => ("EHLO", Stage::Ehlo),
            Self::Lhlo => ("LHLO", Stage::Lhlo),
        };
        way.enter(stage);
        wire.send(format!("{verb} {}\r\n", literal(me)).as_bytes()).await?;
        let mut offers = Offers::default();
        let (code, words) = told(wire, |text| offers.starttls |= begins(text, "STARTTLS")).await?;
        if code == *b"250" { Ok(offers) } else { Err(Trouble::SaidNo(words)) }
    }
}

/// Begins TLS where that is wanted and offered (RFC 3207), and says hello again.
async fn starttls<S: Stream>(
    hello: Hello,
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
    wire.send(b"STARTTLS\r\n").await?;
    match told(wire, |_| ()).await? {
        ([b'2', ..], _) => tls.begin(wire, way).await?,
        (_, words) => return tls.refused(words, way),
    }
    if terms.level < Level::Session {
        return Ok(());
    }
    hello.say(wire, way, terms.me).await.map(|_| ())
}

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(
    hello: Hello,
    wire: &mut Wire<S>,
    way: &mut Way,
    terms: &Terms<'_>,
) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let greeting = reply(wire, *b"220").await?;
    if !terms.is_greeting_alone() {
        let offers = hello.say(wire, way, terms.me).await?;
        starttls(hello, wire, way, terms, offers).await?;
    }
    if terms.level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
    }
    way.enter(Stage::Quit);
    wire.send(b"QUIT\r\n").await?;
    reply(wire, *b"221").await?;
    Ok(greeting)
}

/// The prober's name in the dialogue: its address, as RFC 5321 §4.1.3 writes one.
fn literal(me: IpAddr) -> String {
    match me.to_canonical() {
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
    }
}

/// Reads a reply to its last line and gives its words when it has the wanted code.
async fn reply<S: Stream>(wire: &mut Wire<S>, wanted: [u8; 3]) -> Result<String, Trouble> {
    match told(wire, |_| ()).await? {
        (code, words) if code == wanted => Ok(words),
        (_, words) => Err(Trouble::SaidNo(words)),
    }
}

/// Reads a reply to its last line and gives its code and its words; `each` sees the text of every line.
async fn told<S: Stream>(
    wire: &mut Wire<S>,
    mut each: impl FnMut(&[u8]),
) -> Result<([u8; 3], String), Trouble> {
    let mut words = Vec::new();
    let mut code: Option<[u8; 3]> = None;
    loop {
        let line = wire.line().await?;
        let (this, last, text) = cut(line).ok_or_else(|| garbled(line))?;
        if code.is_some_and(|first| first != this) {
            return Err(garbled(line));
        }
        code = Some(this);
        each(text);
        if words.is_empty() {
            words.extend(this);
        }
        if words.len() < KEPT && !text.is_empty() {
            words.push(b' ');
            words.extend(text.iter().take(KEPT));
        }
        if last {
            return Ok((this, printable(&words)));
        }
    }
}

fn garbled(line: &[u8]) -> Trouble {
    Trouble::Garbled(format!("not a reply: {}", printable(line)))
}

/// A line's code, whether it is the last of its reply, and its text. A NUL has no place in a reply.
fn cut(line: &[u8]) -> Option<([u8; 3], bool, &[u8])> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    if !matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) || line.contains(&0) {
        return None;
    }
    match rest.split_first() {
        None => Some((*code, true, rest)),
        Some((b' ', text)) => Some((*code, true, text)),
        Some((b'-', text)) => Some((*code, false, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_line_has_a_code_and_a_sign_whether_more_follows() {
        assert_eq!(cut(b"220 mail-1 ESMTP"), Some((*b"220", true, &b"mail-1 ESMTP"[..])));
        assert_eq!(cut(b"250-SIZE"), Some((*b"250", false, &b"SIZE"[..])));
        assert_eq!(cut(b"250"), Some((*b"250", true, &b""[..])));
        for wrong in
            [&b"22"[..], b"2200 x", b"120 x", b"620 x", b"abc x", b"* OK", b"220 a\0b", b"", b"220\tx"]
        {
            assert_eq!(cut(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_prober_introduces_itself_by_its_address() {
        assert_eq!(literal("192.0.2.1".parse().unwrap()), "[192.0.2.1]");
        assert_eq!(literal("::ffff:192.0.2.1".parse().unwrap()), "[192.0.2.1]");
        assert_eq!(literal("2001:db8::1".parse().unwrap()), "[IPv6:2001:db8::1]");
    }
}

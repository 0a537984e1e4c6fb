//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033): greeting, hello, login (RFC 4954), goodbye.

mod reply;

use std::net::IpAddr;

use super::auth::{Mechanisms, encoded, plain};
use super::{begins, upgrade};
use crate::ask::Ask;
use crate::level::Level;
use crate::parcel::{Mark, Route};
use crate::secrets::Login;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use reply::{reply, reply_of};

/// Which of the two says hello.
#[derive(Debug, Clone, Copy)]
pub enum Hello {
    /// SMTP.
    Ehlo,
    /// LMTP.
    Lhlo,
}

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(
    hello: Hello,
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let greeting = reply(wire, *b"220").await?;
    let mut offers = Offers::default();
    if !ask.is_greeting_alone() {
        offers = hello.say(wire, way, ask.me).await?;
        let consent = async |wire: &mut Wire<S>| reply(wire, *b"220").await.map(drop);
        let is_secured = upgrade(wire, ask, way, offers.starttls, b"STARTTLS\r\n", consent).await?;
        // RFC 3207 §4.2: what was offered before counts no more.
        if is_secured && ask.level >= Level::Session {
            offers = hello.say(wire, way, ask.me).await?;
        }
    }
    if ask.level < Level::Session {
        wire.farewell(b"QUIT\r\n");
        return Ok(greeting);
    }
    if ask.wants_login() {
        way.enter(Stage::Auth);
        auth(wire, offers, ask.login_over(wire)?).await?;
    }
    if ask.level >= Level::Deliver {
        way.enter(Stage::Mail);
        let (route, mark) = ask.parcel()?;
        deliver(wire, way, route, mark).await?;
    }
    way.enter(Stage::Quit);
    wire.send(b"QUIT\r\n").await?;
    reply(wire, *b"221").await?;
    Ok(greeting)
}

/// What a server says after hello that it can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Offers {
    starttls: bool,
    auth: Mechanisms,
}

impl Offers {
    /// Notes a line of the reply. Before there was a standard, some servers wrote `AUTH=`.
    fn note(&mut self, line: &[u8]) {
        self.starttls |= begins(line, "STARTTLS");
        let mut words = line.split(|byte| matches!(byte, b' ' | b'='));
        if words.next().is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH")) {
            words.for_each(|name| self.auth.note(name));
        }
    }
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
        reply_of(wire, &[*b"250"], |line| offers.note(line)).await?;
        Ok(offers)
    }
}

/// The longest line of a command, with its end (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 512;

/// Logs in.
async fn auth<S: Stream>(wire: &mut Wire<S>, offers: Offers, login: &Login) -> Result<(), Trouble> {
    if offers.auth.plain {
        let message = plain(login);
        if "AUTH PLAIN \r\n".len() + message.len() <= LONGEST_COMMAND {
            wire.send_all(&["AUTH PLAIN ", &message, "\r\n"]).await?;
        } else {
            wire.send(b"AUTH PLAIN\r\n").await?;
            reply(wire, *b"334").await?;
            wire.send_all(&[&message, "\r\n"]).await?;
        }
    } else if offers.auth.login {
        wire.send(b"AUTH LOGIN\r\n").await?;
        reply(wire, *b"334").await?;
        wire.send_all(&[&encoded(&login.user), "\r\n"]).await?;
        reply(wire, *b"334").await?;
        wire.send_all(&[&encoded(login.password.reveal()), "\r\n"]).await?;
    } else {
        return Err(offers.auth.none_of_ours("the server offers neither AUTH PLAIN nor AUTH LOGIN"));
    }
    reply(wire, *b"235").await?;
    Ok(())
}

/// Gives the server a message.
async fn deliver<S: Stream>(
    wire: &mut Wire<S>,
    way: &mut Way,
    route: &Route,
    mark: &Mark,
) -> Result<(), Trouble> {
    wire.send(format!("MAIL FROM:<{}>\r\n", route.from).as_bytes()).await?;
    reply(wire, *b"250").await?;
    way.enter(Stage::Rcpt);
    wire.send(format!("RCPT TO:<{}>\r\n", route.to).as_bytes()).await?;
    // It is taken too by a server that sends it on to where the user is now (RFC 5321 §3.4).
    reply_of(wire, &[*b"250", *b"251"], |_| ()).await?;
    way.enter(Stage::Data);
    wire.send(b"DATA\r\n").await?;
    reply(wire, *b"354").await?;
    // No line of it begins with a dot.
    wire.send(mark.message(route).as_bytes()).await?;
    wire.send(b".\r\n").await?;
    // LMTP answers for each recipient, and there is one.
    reply(wire, *b"250").await?;
    Ok(())
}

/// The prober's name in the dialogue: its address, as RFC 5321 §4.1.3 writes one.
fn literal(me: IpAddr) -> String {
    match me.to_canonical() {
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::Dialogue;
    use crate::feed;

    #[test]
    fn a_recipient_is_taken_here_or_sent_on() {
        for (code, is_taken) in [("250", true), ("251", true), ("252", false), ("551", false)] {
            let speech = format!(
                "220 x\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n{code} x\r\n354 go on\r\n250 ok\r\n221 bye\r\n"
            );
            let (told, stage) = feed::hold(Dialogue::Smtp, speech.as_bytes(), Level::Deliver);
            assert_eq!((told.is_ok(), stage == Stage::Rcpt), (is_taken, !is_taken), "{code}: {told:?}");
        }
    }

    #[test]
    fn what_a_server_offers_is_read_in_every_spelling() {
        for (line, plain, login, others) in [
            (&b"AUTH PLAIN LOGIN"[..], true, true, false),
            (b"auth cram-md5 plain", true, false, true),
            (b"AUTH=LOGIN", false, true, false),
            (b"AUTH", false, false, false),
            (b"AUTHPLAIN PLAIN", false, false, false),
            (b"SIZE PLAIN", false, false, false),
        ] {
            let mut offers = Offers::default();
            offers.note(line);
            let auth = Mechanisms { plain, login, others };
            assert_eq!(offers, Offers { starttls: false, auth }, "{line:?}");
        }
    }

    #[test]
    fn the_prober_introduces_itself_by_its_address() {
        assert_eq!(literal("192.0.2.1".parse().unwrap()), "[192.0.2.1]");
        assert_eq!(literal("::ffff:192.0.2.1".parse().unwrap()), "[192.0.2.1]");
        assert_eq!(literal("2001:db8::1".parse().unwrap()), "[IPv6:2001:db8::1]");
    }
}

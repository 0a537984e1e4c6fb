//! IMAP (RFC 3501, RFC 9051): greeting, CAPABILITY, login, LOGOUT.

mod response;

use super::auth::{Mechanisms, plain, quoted};
use super::{begins, upgrade};
use crate::ask::Ask;
use crate::level::Level;
use crate::secrets::Login;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;
use response::invitation;
pub(super) use response::{Response, finish, garbled, response};

/// Holds the dialogue and gives the greeting.
pub async fn hold<S: Stream>(wire: &mut Wire<S>, ask: Ask<'_>, way: &mut Way) -> Result<String, Trouble> {
    way.enter(Stage::Greet);
    let (greeting, is_logged_in) = greeting(wire).await?;
    let mut offers = Offers::default();
    if !ask.is_greeting_alone() {
        way.enter(Stage::Capability);
        offers = capability(wire, "a1").await?;
        // Who is logged in already may not begin TLS any more (RFC 9051 §6.2.1).
        offers.starttls &= !is_logged_in;
        if starttls(wire, ask, way, offers).await? && ask.level >= Level::Session {
            way.enter(Stage::Capability);
            offers = capability(wire, "t2").await?;
        }
    }
    if ask.level < Level::Session {
        wire.farewell(b"a9 LOGOUT\r\n");
        return Ok(greeting);
    }
    let mut last = "a2";
    if ask.level >= Level::Login {
        way.enter(Stage::Auth);
        if is_logged_in {
            return Err(Trouble::Unknown(
                "the server wants no login (PREAUTH), so none was tried".to_owned(),
            ));
        }
        auth(wire, offers, ask.login_over(wire)?).await?;
        last = "a3";
    }
    way.enter(Stage::Logout);
    logout(wire, last).await?;
    Ok(greeting)
}

/// Reads the greeting; says with it whether the server has logged us in already.
pub(super) async fn greeting<S: Stream>(wire: &mut Wire<S>) -> Result<(String, bool), Trouble> {
    let line = wire.line().await?;
    let greeting = printable(line);
    let is_logged_in = begins(line, "* PREAUTH");
    if begins(line, "* BYE") {
        return Err(Trouble::SaidNo(greeting));
    }
    if !(begins(line, "* OK") || is_logged_in) || line.contains(&0) {
        return Err(Trouble::Garbled(format!("not a greeting: {greeting}")));
    }
    Ok((greeting, is_logged_in))
}

/// What a server says that it can do.
#[allow(clippy::struct_excessive_bools)] // a capability is there or not, each by itself
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offers {
    starttls: bool,
    auth: Mechanisms,
    initial_response: bool,
    no_login: bool,
    pub idle: bool,
    pub uid_expunge: bool,
}

impl Offers {
    fn note(&mut self, line: &[u8]) {
        for word in line.split(|byte| *byte == b' ') {
            self.starttls |= word.eq_ignore_ascii_case(b"STARTTLS");
            if let Some((b"AUTH=", name)) = word.to_ascii_uppercase().split_at_checked(5) {
                self.auth.note(name);
            }
            self.initial_response |= word.eq_ignore_ascii_case(b"SASL-IR");
            self.no_login |= word.eq_ignore_ascii_case(b"LOGINDISABLED");
            self.idle |= word.eq_ignore_ascii_case(b"IDLE");
            self.uid_expunge |= word.eq_ignore_ascii_case(b"UIDPLUS");
        }
    }
}

pub(super) async fn capability<S: Stream>(wire: &mut Wire<S>, tag: &str) -> Result<Offers, Trouble> {
    wire.send(format!("{tag} CAPABILITY\r\n").as_bytes()).await?;
    let (mut offers, mut speaks_imap) = (Offers::default(), false);
    finish(wire, tag, |line, _| {
        if begins(line, "* CAPABILITY") {
            offers.note(line);
            speaks_imap |= line.split(|byte| *byte == b' ').any(|word| {
                ["IMAP4rev1", "IMAP4rev2", "IMAP4"]
                    .iter()
                    .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
            });
        }
    })
    .await?;
    if speaks_imap {
        Ok(offers)
    } else {
        Err(Trouble::Garbled("CAPABILITY names no version of IMAP4".to_owned()))
    }
}

/// Begins TLS where that is wanted and offered; says whether it has.
pub(super) async fn starttls<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
    offers: Offers,
) -> Result<bool, Trouble> {
    let consent = async |wire: &mut Wire<S>| finish(wire, "t1", |_, _| ()).await;
    upgrade(wire, ask, way, offers.starttls, b"t1 STARTTLS\r\n", consent).await
}

/// Logs in: by PLAIN (with its message at once where RFC 4959 is known), else by LOGIN unless that is forbidden.
pub(super) async fn auth<S: Stream>(
    wire: &mut Wire<S>,
    offers: Offers,
    login: &Login,
) -> Result<(), Trouble> {
    if offers.auth.plain {
        let message = plain(login);
        if offers.initial_response {
            wire.send_all(&["a2 AUTHENTICATE PLAIN ", &message, "\r\n"]).await?;
        } else {
            wire.send(b"a2 AUTHENTICATE PLAIN\r\n").await?;
            invitation(wire, "a2").await?;
            wire.send_all(&[&message, "\r\n"]).await?;
        }
    } else if offers.no_login {
        return Err(offers.auth.none_of_ours("the server forbids LOGIN and offers no AUTH=PLAIN"));
    } else if login.user.is_ascii() && login.password.reveal().is_ascii() {
        let (user, password) = (quoted(&login.user), quoted(login.password.reveal()));
        wire.send_all(&["a2 LOGIN ", &user, " ", &password, "\r\n"]).await?;
    } else {
        // What is not ASCII goes as literals, whose length is told before (RFC 3501 §4.3).
        wire.send_all(&["a2 LOGIN {", &login.user.len().to_string(), "}\r\n"]).await?;
        invitation(wire, "a2").await?;
        let length = login.password.reveal().len().to_string();
        wire.send_all(&[&login.user, " {", &length, "}\r\n"]).await?;
        invitation(wire, "a2").await?;
        wire.send_all(&[login.password.reveal(), "\r\n"]).await?;
    }
    finish(wire, "a2", |_, _| ()).await
}

pub(super) async fn logout<S: Stream>(wire: &mut Wire<S>, tag: &str) -> Result<(), Trouble> {
    wire.send(format!("{tag} LOGOUT\r\n").as_bytes()).await?;
    let mut bye = None;
    loop {
        let line = match wire.line().await {
            // It has said why.
            Err(Trouble::Closed) => return Err(bye.map_or(Trouble::Closed, Trouble::SaidNo)),
            line => line?,
        };
        match response(line, tag) {
            Response::Ok => break,
            Response::No => return Err(Trouble::SaidNo(printable(line))),
            Response::Bye => bye = Some(printable(line)),
            Response::Untagged => {}
            Response::Invitation | Response::Other => return Err(garbled(line)),
        }
    }
    if bye.is_some() { Ok(()) } else { Err(Trouble::Garbled("LOGOUT was answered without BYE".to_owned())) }
}

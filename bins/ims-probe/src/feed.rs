//! A server whose whole speech is known before: a dialogue is held with it without a network, for tests of what is
//! read and for fuzzing.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::ask::{Ask, Who};
use crate::dialogue::mailbox::pop3::{Look, Maildrop};
use crate::dialogue::{Dialogue, mailbox};
use crate::level::Level;
use crate::parcel::{Mark, Route};
use crate::secrets::{Login, Secret};
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};

/// Says these bytes, a few at a time and with a pause before each, and then closes; hears everything and heeds
/// nothing.
#[derive(Debug)]
pub struct Feed<'a> {
    speech: &'a [u8],
    pause: bool,
}

/// As many bytes come at once.
const PIECE: usize = 7;

impl<'a> Feed<'a> {
    /// A server with this speech.
    pub const fn of(speech: &'a [u8]) -> Self {
        Self { speech, pause: false }
    }
}

impl Stream for Feed<'_> {
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.pause = !self.pause;
        if self.pause {
            return Err(ErrorKind::WouldBlock.into());
        }
        let (some, rest) = self.speech.split_at_checked(PIECE).unwrap_or((self.speech, &[]));
        into.extend(some);
        self.speech = rest;
        Ok(some.len())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len().min(PIECE))
    }
}

/// Polls something to its end that waits for nothing but a [`Feed`].
pub fn play<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(end) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return end;
        }
    }
}

/// Holds a dialogue with a server that says this, and gives its end and the stage that it was in.
pub fn hold(dialogue: Dialogue, speech: &[u8], level: Level) -> (Result<Option<String>, Trouble>, Stage) {
    let mut way = Way::from(Stage::Connect);
    let mut wire = Wire::over(Feed::of(speech));
    let (login, mark) = (login(), mark());
    let route = Route { to: "probe@example.org".to_owned(), from: String::new(), fetch: None };
    let ask = Ask { level, parcel: Some((&route, &mark)), ..ask(&login) };
    let end = play(dialogue.hold(&mut wire, ask, &mut way));
    (end, way.stage())
}

/// Fetches a message by IMAP from a server that says this.
pub fn fetch_by_imap(speech: &[u8]) -> Result<(), Trouble> {
    let (login, mut way) = (login(), Way::from(Stage::Fetch));
    let mut wire = Wire::over(Feed::of(speech));
    play(mailbox::imap::hold(&mut wire, ask(&login), &mut way, &mark(), async |_| ()))
}

/// Looks for a message by POP3 at a server that says this, for one session.
pub fn fetch_by_pop3(speech: &[u8]) -> Result<Look, Trouble> {
    let (login, mut way) = (login(), Way::from(Stage::Fetch));
    let mut wire = Wire::over(Feed::of(speech));
    play(Maildrop::default().look(&mut wire, ask(&login), &mut way, &mark()))
}

/// The message that is sent and fetched.
fn mark() -> Mark {
    Mark { host: "mail-1".to_owned(), until: 0, token: "x".to_owned() }
}

/// Who logs in there.
pub fn login() -> Login {
    let (user, password) = ("uid=probe".to_owned(), Secret::new("secret".to_owned()));
    Login { user, password, base: None, filter: None }
}

/// What is asked there: a login.
pub const fn ask(login: &Login) -> Ask<'_> {
    let me = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let who = Who::Login(login);
    Ask { level: Level::Login, me, who, is_at_home: true, tls: None, parcel: None }
}

//! Why a probe got no further.

use std::io;

use rustix::io::Errno;

use crate::dialogue::auth::hidden;
use crate::secrets::Login;

/// What stopped a probe at its stage.
#[derive(Debug)]
pub enum Trouble {
    /// The kernel said so.
    Io(io::Error),
    /// The server closed the connection, maybe in the middle of a line.
    Closed,
    /// The server answered, in the words of its protocol, that it will not serve.
    SaidNo(String),
    /// The server will not serve so soon after the last time, in its words: not a word about how it serves.
    TooSoon(String),
    /// What came is not the protocol.
    Garbled(String),
    /// The server never stopped talking.
    TooLong(&'static str),
    /// The connection met itself: nothing listens on the port.
    Itself,
    /// It could not be found out, in these words.
    Unknown(String),
    /// We would not go on, in these words.
    Refused(String),
    /// The time was over.
    Late,
}

impl Trouble {
    /// Takes out of a server's words what it was told in confidence.
    pub fn conceal(&mut self, login: &Login) {
        match self {
            Self::SaidNo(words) | Self::TooSoon(words) | Self::Garbled(words) => {
                *words = hidden(std::mem::take(words), login);
            }
            Self::Io(_)
            | Self::Closed
            | Self::TooLong(_)
            | Self::Itself
            | Self::Unknown(_)
            | Self::Refused(_)
            | Self::Late => {}
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => crate::tls::trouble(error),
            None => Self::Io(error),
        }
    }
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

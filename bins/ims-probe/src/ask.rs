//! What is asked of a server: how deeply, from where, and as whom.

use std::net::IpAddr;

use crate::level::Level;
use crate::parcel::{Mark, Route};
use crate::secrets::Login;
use crate::trouble::Trouble;

/// What is asked in one dialogue.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// How deeply.
    pub level: Level,
    /// The prober's own address.
    pub me: IpAddr,
    /// Who logs in.
    pub who: Who<'a>,
    /// Whether a password would stay on this node, so that it may be said in the clear.
    pub is_at_home: bool,
    /// The message to be delivered, and where it goes.
    pub parcel: Option<(&'a Route, &'a Mark)>,
}

/// Who logs in to a service.
#[derive(Debug, Clone, Copy)]
pub enum Who<'a> {
    /// Somebody who is known.
    Login(&'a Login),
    /// Nobody, for it serves strangers.
    Nobody,
    /// It was not said.
    NotKnown,
}

impl<'a> Who<'a> {
    /// Somebody who is known, if it is so.
    pub const fn login(self) -> Option<&'a Login> {
        match self {
            Self::Login(login) => Some(login),
            Self::Nobody | Self::NotKnown => None,
        }
    }

    /// Who logs in, when it is known and its password would stay on this node.
    pub fn in_the_clear(self, is_at_home: bool) -> Result<&'a Login, Trouble> {
        let login = self
            .login()
            .ok_or_else(|| Trouble::Unknown("the secrets name nobody who logs in here".to_owned()))?;
        if is_at_home {
            return Ok(login);
        }
        Err(Trouble::Refused("a password is not sent unencrypted to another node".to_owned()))
    }
}

impl<'a> Ask<'a> {
    /// Whether somebody has to log in.
    pub fn wants_login(&self) -> bool {
        match self.who {
            Who::Login(_) | Who::NotKnown => self.level >= Level::Login,
            Who::Nobody => false,
        }
    }

    /// Who logs in, when it is known and its password may be said over a wire that is not encrypted.
    pub fn in_the_clear(&self) -> Result<&'a Login, Trouble> {
        self.who.in_the_clear(self.is_at_home)
    }

    /// The message, when it is said where it goes.
    pub fn parcel(&self) -> Result<(&'a Route, &'a Mark), Trouble> {
        self.parcel.ok_or_else(|| Trouble::Unknown("the secrets do not say where a message goes".to_owned()))
    }
}

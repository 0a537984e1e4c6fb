//! What is asked of a server: how deeply, from where, as whom, and how secretly.

use std::net::IpAddr;

use crate::level::Level;
use crate::parcel::{Mark, Route};
use crate::secrets::Login;
use crate::stage::{Stage, Way};
use crate::tls::Tls;
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};

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
    /// TLS as the service or the user wants it; nothing where it is out of the question.
    pub tls: Option<&'a Tls<'a>>,
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

    /// Who logs in, when it is known and its password would be heard by nobody else, or by whomever the user lets.
    pub fn safely(self, is_safe: bool) -> Result<&'a Login, Trouble> {
        let login = self
            .login()
            .ok_or_else(|| Trouble::Unknown("the secrets name nobody who logs in here".to_owned()))?;
        if is_safe {
            return Ok(login);
        }
        Err(Trouble::Refused(
            "a password is not sent unencrypted to another node (ask for TLS with --tls require, or say --tls off)".to_owned(),
        ))
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

    /// Who logs in, when it is known and its password may be said over a wire: one that is encrypted, one that does not
    /// leave this node, or any when that was asked for.
    pub fn login_over<S: Stream>(&self, wire: &Wire<S>) -> Result<&'a Login, Trouble> {
        let is_off = self.tls.is_some_and(Tls::is_off);
        self.who.safely(self.is_at_home || is_off || wire.tls().is_some())
    }

    /// Begins TLS where it comes first.
    pub async fn secure_first<S: Stream>(&self, wire: &mut Wire<S>, way: &mut Way) -> Result<(), Trouble> {
        match self.tls.filter(|tls| tls.is_from_first_byte()) {
            Some(tls) => {
                way.enter(Stage::Tls);
                tls.begin(wire, way).await
            }
            None => Ok(()),
        }
    }

    /// TLS, when it is to begin in the middle of the conversation. Then the server is asked even when a greeting alone
    /// is wanted.
    pub fn starttls(&self) -> Option<&'a Tls<'a>> {
        self.tls.filter(|tls| tls.wants_starttls())
    }

    /// Whether a greeting is all that is wanted.
    pub fn is_greeting_alone(&self) -> bool {
        self.level < Level::Session && self.starttls().is_none()
    }

    /// The message, when it is said where it goes.
    pub fn parcel(&self) -> Result<(&'a Route, &'a Mark), Trouble> {
        self.parcel.ok_or_else(|| Trouble::Unknown("the secrets do not say where a message goes".to_owned()))
    }
}

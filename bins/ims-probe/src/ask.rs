//! What is asked of a server: how deeply, from where, as whom, and how secretly.

use std::net::IpAddr;

use crate::level::Level;
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
    /// Who logs in, when it is known.
    pub login: Option<&'a Login>,
    /// Whether a password would stay on this node, so that it may be said in the clear.
    pub is_at_home: bool,
    /// TLS as the service or the user wants it; nothing where it is out of the question.
    pub tls: Option<&'a Tls<'a>>,
}

impl<'a> Ask<'a> {
    /// Who logs in, when it is known and its password may be said over a wire: one that is encrypted, one that does not
    /// leave this node, or any when that was asked for.
    pub fn login_over<S: Stream>(&self, wire: &Wire<S>) -> Result<&'a Login, Trouble> {
        let login = self.login.ok_or_else(|| Trouble::Unknown(UNKNOWN.to_owned()))?;
        let may_be_heard = self.is_at_home || self.tls.is_some_and(Tls::is_off);
        if may_be_heard || wire.tls().is_some() { Ok(login) } else { Err(Trouble::Refused(OPEN.to_owned())) }
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
}

const UNKNOWN: &str = "the secrets name nobody who logs in here";
const OPEN: &str = "a password is not sent unencrypted to another node";

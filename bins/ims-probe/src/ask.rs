//! What is asked of a server: how deeply, from where, and as whom.

use std::net::IpAddr;

use crate::level::Level;
use crate::secrets::Login;
use crate::trouble::Trouble;

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
}

impl<'a> Ask<'a> {
    /// Who logs in, when it is known and its password may be said over a wire that is not encrypted.
    pub fn in_the_clear(&self) -> Result<&'a Login, Trouble> {
        let login = self.login.ok_or_else(|| Trouble::Unknown(UNKNOWN.to_owned()))?;
        if self.is_at_home { Ok(login) } else { Err(Trouble::Refused(OPEN.to_owned())) }
    }
}

const UNKNOWN: &str = "the secrets name nobody who logs in here";
const OPEN: &str = "a password is not sent unencrypted to another node";

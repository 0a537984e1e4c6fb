//! How deeply a service is asked.

use std::fmt;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A depth of asking; each holds the ones before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The port takes a connection.
    Connect,
    /// The server greets as its protocol says; LDAP, which has no greeting, answers an anonymous bind.
    Greet,
    /// The server tells what it can do and says goodbye in order.
    Session,
    /// Somebody logs in, and a directory finds what it is asked for.
    Login,
    /// A message goes in, is seen in the mailbox and is deleted.
    Deliver,
}

impl Level {
    /// The word for people, tables and records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greet => "greet",
            Self::Session => "session",
            Self::Login => "login",
            Self::Deliver => "deliver",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

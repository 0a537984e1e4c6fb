//! What a client says and hears in the least dialogue of each level, as data: the bare loop holds it, and nothing
//! less is a dialogue of that level.

/// A move of the client.
#[derive(Debug, Clone, Copy)]
pub enum Move {
    /// Sends this.
    Say(&'static [u8]),
    /// Reads until this has come.
    Hear(&'static [u8]),
}

use Move::{Hear, Say};

/// A dialogue, by the word that the bare loop is started with.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    pub word: &'static str,
    pub moves: &'static [Move],
}

/// Connects, reads and closes.
pub const GREET: Talk = Talk { word: "greet", moves: &[Hear(b"\r\n")] };

/// SMTP at the level `session`.
pub const SMTP: Talk = Talk {
    word: "smtp",
    moves: &[Hear(b"220 "), Say(b"EHLO [192.0.2.100]\r\n"), Hear(b"250 "), Say(b"QUIT\r\n"), Hear(b"221 ")],
};

/// IMAP at the level `greet`, with a goodbye that nothing is waited for.
pub const IMAP_GREET: Talk = Talk { word: "imap-greet", moves: &[Hear(b"* OK"), Say(b"a9 LOGOUT\r\n")] };

/// IMAP at the level `session`.
pub const IMAP: Talk = Talk {
    word: "imap",
    moves: &[Hear(b"* OK"), Say(b"a1 CAPABILITY\r\n"), Hear(b"a1 OK"), Say(b"a2 LOGOUT\r\n"), Hear(b"a2 OK")],
};

/// LDAP at the level `session`: a bind as nobody, a search of the root DSE for its naming contexts, an unbind
/// (RFC 4511).
pub const LDAP: Talk = Talk {
    word: "ldap",
    moves: &[
        Say(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        Hear(b"\x61\x07\x0a\x01\x00"),
        Say(b"\x30\x35\x02\x01\x02\x63\x30\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x01\x02\x01\x00\x01\x01\x00\
              \x87\x0bobjectClass\x30\x10\x04\x0enamingContexts"),
        Hear(b"\x65\x07\x0a\x01\x00"),
        Say(b"\x30\x05\x02\x01\x03\x42\x00"),
    ],
};

/// All of them.
pub const ALL: [Talk; 5] = [GREET, SMTP, IMAP_GREET, IMAP, LDAP];

//! The first words of each protocol, one file each, over one [`Wire`]. A dialogue names the stage it is in before
//! it waits, and ends at the first thing that is not as the protocol says.

pub mod auth;
pub mod http;
pub mod imap;
pub mod ldap;
pub mod mailbox;
pub mod pop3;
pub mod smtp;

use ims::layout::Service;

use crate::ask::Ask;
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};

/// What can be spoken with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialogue {
    /// Nothing: a protocol that is not published.
    None,
    /// SMTP and submission.
    Smtp,
    /// LMTP.
    Lmtp,
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// LDAP.
    Ldap,
    /// HTTP.
    Http,
}

impl Dialogue {
    /// The dialogue of a service.
    pub const fn with(service: Service) -> Self {
        match service {
            Service::Smtp | Service::Submission | Service::Smtps => Self::Smtp,
            Service::Lmtp => Self::Lmtp,
            Service::Imap | Service::Imaps => Self::Imap,
            Service::Pop3 | Service::Pop3s => Self::Pop3,
            Service::Ldap | Service::Ldaps => Self::Ldap,
            Service::Http | Service::Https => Self::Http,
            Service::JobController | Service::Other => Self::None,
        }
    }

    /// How deeply it can ask, of what is wanted. LMTP has no login of its own.
    pub const fn depth(self, wanted: Level) -> Level {
        match (self, wanted) {
            (Self::None, _) | (_, Level::Connect) => Level::Connect,
            (_, Level::Greet) => Level::Greet,
            (Self::Lmtp, Level::Login) | (Self::Http, _) | (_, Level::Session) => Level::Session,
            (Self::Smtp | Self::Lmtp, Level::Deliver) => Level::Deliver,
            (Self::Smtp, Level::Login) | (Self::Imap | Self::Pop3 | Self::Ldap, _) => Level::Login,
        }
    }

    /// Speaks with a server that has just been connected to.
    ///
    /// Gives the words in which the server introduced itself, if it did.
    pub async fn hold<S: Stream>(
        self,
        wire: &mut Wire<S>,
        ask: Ask<'_>,
        way: &mut Way,
    ) -> Result<Option<String>, Trouble> {
        if ask.level == Level::Connect {
            return Ok(None);
        }
        ask.secure_first(wire, way).await?;
        match self {
            Self::None => Ok(None),
            Self::Smtp => smtp::hold(smtp::Hello::Ehlo, wire, ask, way).await.map(Some),
            Self::Lmtp => smtp::hold(smtp::Hello::Lhlo, wire, ask, way).await.map(Some),
            Self::Imap => imap::hold(wire, ask, way).await.map(Some),
            Self::Pop3 => pop3::hold(wire, ask, way).await.map(Some),
            Self::Ldap => ldap::hold(wire, ask, way).await,
            Self::Http => http::hold(wire, ask, way).await.map(Some),
        }
    }
}

/// Begins TLS in the middle of a conversation, where that is wanted and offered: by a command, and the server's consent
/// to it. Says whether it has begun; what the server offers is to be asked anew then.
async fn upgrade<S: Stream>(
    wire: &mut Wire<S>,
    ask: Ask<'_>,
    way: &mut Way,
    is_offered: bool,
    command: &[u8],
    consent: impl AsyncFnOnce(&mut Wire<S>) -> Result<(), Trouble>,
) -> Result<bool, Trouble> {
    let Some(tls) = ask.starttls() else { return Ok(false) };
    if !tls.asks(is_offered, way)? {
        return Ok(false);
    }
    way.enter(Stage::Tls);
    wire.send(command).await?;
    match consent(wire).await {
        Ok(()) => tls.begin(wire, way).await.map(|()| true),
        Err(Trouble::SaidNo(words)) => tls.refused(words, way).map(|()| false),
        Err(trouble) => Err(trouble),
    }
}

/// Whether a line begins with a word, in any case, that ends there or before a space.
fn begins(line: &[u8], word: &str) -> bool {
    line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        && line.get(word.len()).is_none_or(|next| *next == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed;
    use proptest::prelude::*;

    const ALL: [Dialogue; 6] =
        [Dialogue::Smtp, Dialogue::Lmtp, Dialogue::Imap, Dialogue::Pop3, Dialogue::Ldap, Dialogue::Http];

    /// Lines that are nearly what a server says, so that some dialogues come far.
    fn speech() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just(b"220 x\r\n".to_vec()),
            Just(b"250-x\r\n".to_vec()),
            Just(b"250 x\r\n".to_vec()),
            Just(b"* OK x\r\n".to_vec()),
            Just(b"* CAPABILITY IMAP4rev1\r\n".to_vec()),
            Just(b"a1 OK\r\n".to_vec()),
            Just(b"a2 OK\r\n".to_vec()),
            Just(b"250 AUTH PLAIN\r\n".to_vec()),
            Just(b"235 ok\r\n".to_vec()),
            Just(b"* BYE\r\n".to_vec()),
            Just(b"+OK\r\n".to_vec()),
            Just(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
            Just(b".\r\n".to_vec()),
            Just(b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..20),
        ];
        proptest::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
    }

    fn hold(dialogue: Dialogue, speech: &[u8], level: Level) -> Result<Option<String>, Trouble> {
        feed::hold(dialogue, speech, level).0
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_a_dialogue_ends_and_a_session_holds_a_greeting(speech in speech()) {
            for dialogue in ALL {
                let session = hold(dialogue, &speech, Level::Session);
                let login = hold(dialogue, &speech, Level::Login);
                let greet = hold(dialogue, &speech, Level::Greet);
                prop_assert!((session.is_err() && login.is_err()) || greet.is_ok(), "{dialogue:?}");
            }
        }

        #[test]
        fn a_speech_cut_short_never_turns_a_no_into_a_yes(speech in speech(), cut in 0..100_usize) {
            let short = &speech[..cut.min(speech.len())];
            for dialogue in ALL {
                for level in [Level::Session, Level::Login] {
                    let yes = hold(dialogue, short, level).is_ok();
                    prop_assert!(!yes || hold(dialogue, &speech, level).is_ok(), "{dialogue:?} {level}");
                }
            }
        }
    }
}

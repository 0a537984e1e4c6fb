//! What a server may say to us in LDAP, and how that is told.

use bytes::BytesMut;
use ldap3_lber::write::encode_into;
use ldap3_proto::proto::{LdapBindResponse, LdapMsg, LdapOp, LdapResult, LdapSearchResultEntry};

use super::frame;
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// What a server may say to us.
pub enum Heard {
    /// The answer to a bind.
    Bound(LdapResult),
    /// An entry that was found.
    Entry(LdapSearchResultEntry),
    /// The end of a search.
    Done(LdapResult),
    /// A referral or an intermediate response, which ends nothing.
    Aside,
    /// A server that is going away says so unasked (RFC 4511 §4.4.1).
    Notice(LdapResult),
    /// What nobody asked for.
    Unasked,
}

#[allow(clippy::wildcard_enum_match_arm)] // the codec's enum: most of it is what clients say
fn sort(op: LdapOp) -> Heard {
    match op {
        LdapOp::BindResponse(LdapBindResponse { res, .. }) => Heard::Bound(res),
        LdapOp::SearchResultEntry(entry) => Heard::Entry(entry),
        LdapOp::SearchResultDone(result) => Heard::Done(result),
        LdapOp::SearchResultReference(_) | LdapOp::IntermediateResponse(_) => Heard::Aside,
        LdapOp::ExtendedResponse(notice) => Heard::Notice(notice.res),
        _ => Heard::Unasked,
    }
}

/// A message as it is sent.
pub fn encoded(msgid: i32, op: LdapOp) -> Result<BytesMut, Trouble> {
    let mut bytes = BytesMut::new();
    encode_into(&mut bytes, LdapMsg::new(msgid, op).into())?;
    Ok(bytes)
}

/// Reads one message that answers `msgid`, or the server's own notice.
pub async fn heard<S: Stream>(wire: &mut Wire<S>, msgid: i32) -> Result<Heard, Trouble> {
    let message = frame::message(wire).await?;
    let (number, heard) = (message.msgid, sort(message.op));
    if number == msgid || (number == 0 && matches!(heard, Heard::Notice(_))) {
        return Ok(heard);
    }
    Err(Trouble::Garbled(format!("an answer to message {number}")))
}

/// The server's no.
pub fn said_no(result: &LdapResult) -> Trouble {
    Trouble::SaidNo(no_words(result))
}

/// The words of a result.
pub fn no_words(result: &LdapResult) -> String {
    let code = result.code.clone();
    let message = printable(result.message.as_bytes());
    let colon = if message.is_empty() { "" } else { ": " };
    format!("{code:?}{colon}{message}")
}

/// What a server that says something else has come to.
pub fn unasked() -> Trouble {
    Trouble::Garbled("an answer to something else".to_owned())
}

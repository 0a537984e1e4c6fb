//! LDAP (RFC 4511): an anonymous bind stands for the greeting it does not have, then a base search of the root DSE
//! and an unbind, which has no answer.

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapBindResponse, LdapDerefAliases, LdapFilter, LdapMsg, LdapOp,
    LdapResult, LdapResultCode, LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope,
};
use tokio_util::codec::{Decoder, Encoder};

use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{LONGEST_REPLY, Stream, Wire};
use crate::words::printable;

const BIND: i32 = 1;
const SEARCH: i32 = 2;
const UNBIND: i32 = 3;

/// Holds the dialogue; gives what the directory says it holds.
pub async fn hold<S: Stream>(
    wire: &mut Wire<S>,
    level: Level,
    way: &mut Way,
) -> Result<Option<String>, Trouble> {
    way.enter(Stage::Bind);
    bind(wire, level).await?;
    if level < Level::Session {
        wire.farewell(&encoded(UNBIND, LdapOp::UnbindRequest)?).await;
        return Ok(None);
    }
    way.enter(Stage::Search);
    let holds = root_dse(wire).await?;
    wire.farewell(&encoded(UNBIND, LdapOp::UnbindRequest)?).await;
    Ok(holds)
}

async fn bind<S: Stream>(wire: &mut Wire<S>, level: Level) -> Result<(), Trouble> {
    let cred = LdapBindCred::Simple(String::new());
    let request = LdapOp::BindRequest(LdapBindRequest { version: 3, dn: String::new(), cred });
    wire.send(&encoded(BIND, request)?).await?;
    match heard(wire, BIND).await? {
        Heard::Bound(result) if is_greeting(&result, level) => Ok(()),
        Heard::Bound(result) | Heard::Notice(result) => Err(said_no(&result)),
        Heard::Entry(_) | Heard::Done(_) | Heard::Aside | Heard::Unasked => Err(unasked()),
    }
}

/// Whether the answer to the bind says that the server is at work. One that wants to know who asks is, but a
/// session with it begins with a login.
fn is_greeting(result: &LdapResult, level: Level) -> bool {
    use LdapResultCode as Code;
    let wants_a_login = matches!(
        result.code,
        Code::AuthMethodNotSupported
            | Code::StrongerAuthRequired
            | Code::ConfidentialityRequired
            | Code::InappropriateAuthentication
            | Code::InvalidCredentials
            | Code::InsufficentAccessRights
            | Code::UnwillingToPerform
    );
    result.code == Code::Success || (wants_a_login && level < Level::Session)
}

/// Searches the root DSE, which must be found, and gives the first naming context.
async fn root_dse<S: Stream>(wire: &mut Wire<S>) -> Result<Option<String>, Trouble> {
    let request = LdapOp::SearchRequest(LdapSearchRequest {
        base: String::new(),
        scope: LdapSearchScope::Base,
        aliases: LdapDerefAliases::Never,
        sizelimit: 0,
        timelimit: 0,
        typesonly: false,
        filter: LdapFilter::Present("objectClass".to_owned()),
        attrs: vec!["namingContexts".to_owned()],
    });
    wire.send(&encoded(SEARCH, request)?).await?;
    let mut found = None;
    loop {
        match heard(wire, SEARCH).await? {
            Heard::Entry(entry) => found = Some(naming_context(&entry)),
            Heard::Aside => {}
            Heard::Done(result) if result.code == LdapResultCode::Success => {
                return found.ok_or_else(|| {
                    Trouble::SaidNo("the root DSE is not shown to anonymous clients".to_owned())
                });
            }
            Heard::Done(result) | Heard::Notice(result) => return Err(said_no(&result)),
            Heard::Bound(_) | Heard::Unasked => return Err(unasked()),
        }
    }
}

fn naming_context(entry: &LdapSearchResultEntry) -> Option<String> {
    let contexts =
        entry.attributes.iter().find(|attribute| attribute.atype.eq_ignore_ascii_case("namingContexts"))?;
    contexts.vals.first().map(|first| format!("namingContexts: {}", printable(first)))
}

fn said_no(result: &LdapResult) -> Trouble {
    let code = result.code.clone();
    let message = printable(result.message.as_bytes());
    let colon = if message.is_empty() { "" } else { ": " };
    Trouble::SaidNo(format!("{code:?}{colon}{message}"))
}

fn unasked() -> Trouble {
    Trouble::Garbled("an answer to something else".to_owned())
}

/// What a server may say to us.
enum Heard {
    Bound(LdapResult),
    Entry(LdapSearchResultEntry),
    Done(LdapResult),
    /// A referral or an intermediate response, which ends nothing.
    Aside,
    /// A server that is going away says so unasked (RFC 4511 §4.4.1).
    Notice(LdapResult),
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

fn encoded(msgid: i32, op: LdapOp) -> Result<BytesMut, Trouble> {
    let mut bytes = BytesMut::new();
    LdapCodec::default().encode(LdapMsg::new(msgid, op), &mut bytes)?;
    Ok(bytes)
}

/// Reads one message that answers `msgid`, or the server's own notice.
async fn heard<S: Stream>(wire: &mut Wire<S>, msgid: i32) -> Result<Heard, Trouble> {
    let length = frame(wire).await?;
    let message = decoded(wire.take(length).await?)?;
    let (number, heard) = (message.msgid, sort(message.op));
    if number == msgid || (number == 0 && matches!(heard, Heard::Notice(_))) {
        return Ok(heard);
    }
    Err(Trouble::Garbled(format!("an answer to message {number}")))
}

/// The length of the next message with its header, from the fewest bytes that tell it.
async fn frame<S: Stream>(wire: &mut Wire<S>) -> Result<usize, Trouble> {
    if wire.ahead(1).await?.first() != Some(&SEQUENCE) {
        return Err(not_ldap());
    }
    let mut seen = 2;
    loop {
        match header(wire.ahead(seen).await?) {
            Header::Whole { body, length } => {
                return body.checked_add(length).filter(|all| *all <= LONGEST_REPLY).ok_or(TOO_LONG);
            }
            Header::More => seen += 1,
            Header::Wrong => return Err(not_ldap()),
        }
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const TOO_LONG: Trouble = Trouble::TooLong("a message longer than 64 KiB");

fn not_ldap() -> Trouble {
    Trouble::Garbled("not an LDAP message".to_owned())
}

/// A BER tag and length.
enum Header {
    Whole { body: usize, length: usize },
    More,
    Wrong,
}

/// Reads the length after a one-byte tag (X.690 §8.1.3; RFC 4511 §5.1 forbids the indefinite form).
fn header(bytes: &[u8]) -> Header {
    let Some((first, rest)) = bytes.get(1..).and_then(<[u8]>::split_first) else {
        return Header::More;
    };
    let octets = usize::from(first & 0x7f);
    match (first & 0x80, octets) {
        (0, length) => Header::Whole { body: 2, length },
        (_, 1..=4) => match rest.get(..octets) {
            None => Header::More,
            Some(octets) => {
                let length = octets.iter().fold(0, |all, octet| (all << 8) | usize::from(*octet));
                Header::Whole { body: 2 + octets.len(), length }
            }
        },
        _ => Header::Wrong,
    }
}

/// Decodes a whole message, if it is one that a server sends.
///
/// The codec prints operations that it does not know to stdout, where only records may stand; so none reaches it.
fn decoded(frame: &[u8]) -> Result<LdapMsg, Trouble> {
    if !operation(frame).is_some_and(|tag| matches!(tag, 0x61 | 0x64 | 0x65 | 0x73 | 0x78 | 0x79)) {
        return Err(not_ldap());
    }
    let mut codec = LdapCodec::new(Some(LONGEST_REPLY), None);
    codec.decode(&mut BytesMut::from(frame)).ok().flatten().ok_or_else(not_ldap)
}

/// The tag of a message's operation, which follows its number.
fn operation(frame: &[u8]) -> Option<u8> {
    let Header::Whole { body, .. } = header(frame) else { return None };
    let number = frame.get(body..)?;
    if number.first() != Some(&INTEGER) {
        return None;
    }
    let Header::Whole { body, length } = header(number) else { return None };
    number.get(body.checked_add(length)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(code: LdapResultCode) -> LdapResult {
        LdapResult { code, matcheddn: String::new(), message: String::new(), referral: Vec::new() }
    }

    #[test]
    fn a_whole_message_is_decoded_and_a_clients_is_not() {
        let done = encoded(2, LdapOp::SearchResultDone(answer(LdapResultCode::Success))).unwrap();
        assert!(matches!(decoded(&done), Ok(LdapMsg { msgid: 2, op: LdapOp::SearchResultDone(_), .. })));
        let unbind = encoded(3, LdapOp::UnbindRequest).unwrap();
        assert!(matches!(decoded(&unbind), Err(Trouble::Garbled(_))));
    }

    #[test]
    fn a_length_is_read_from_as_few_bytes_as_tell_it() {
        let whole = |bytes: &[u8]| match header(bytes) {
            Header::Whole { body, length } => Some((body, length)),
            Header::More | Header::Wrong => None,
        };
        assert_eq!(whole(&[0x30, 0x0c]), Some((2, 12)));
        assert_eq!(whole(&[0x30, 0x84, 0, 0, 1, 0]), Some((6, 256)));
        assert_eq!(whole(&[0x30, 0x82, 1]), None);
        assert!(matches!(header(&[0x30]), Header::More));
        for wrong in [0x80, 0x85, 0xff] {
            assert!(matches!(header(&[0x30, wrong, 0, 0, 0, 0, 0, 0]), Header::Wrong), "{wrong:x}");
        }
    }

    #[test]
    fn a_server_that_wants_a_login_greets_but_holds_no_session() {
        let refusal = answer(LdapResultCode::InappropriateAuthentication);
        assert!(is_greeting(&refusal, Level::Greet));
        assert!(!is_greeting(&refusal, Level::Session));
        for code in [LdapResultCode::Busy, LdapResultCode::Unavailable, LdapResultCode::ProtocolError] {
            assert!(!is_greeting(&answer(code), Level::Greet));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_stranger_stop_the_prober(bytes in proptest::collection::vec(any::<u8>(), 0..200), tag in any::<u8>()) {
            let mut framed = vec![0x30, 0x81, u8::try_from(bytes.len() + 5).unwrap(), 2, 1, 1, tag, 0x81];
            framed.push(u8::try_from(bytes.len()).unwrap());
            framed.extend(&bytes);
            prop_assert!(decoded(&framed).is_ok_and(|message| message.msgid == 1) || decoded(&framed).is_err());
            prop_assert!(decoded(&bytes).is_ok() || decoded(&bytes).is_err());
        }
    }
}

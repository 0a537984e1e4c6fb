//! One LDAP message out of a stream: its length is read here, bounded and before its end is there, and only what a
//! server may say is given to the codec.

use ldap3_lber::parse::{DEFAULT_MAX_BER_DEPTH, Parser};
use ldap3_proto::proto::LdapMsg;

use crate::trouble::Trouble;
use crate::wire::{LONGEST_REPLY, Stream, Wire};

/// Reads the next message.
pub async fn message<S: Stream>(wire: &mut Wire<S>) -> Result<LdapMsg, Trouble> {
    let length = length(wire).await?;
    decoded(wire.take(length).await?)
}

/// The length of the next message with its header, from the fewest bytes that tell it.
async fn length<S: Stream>(wire: &mut Wire<S>) -> Result<usize, Trouble> {
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
    let (_, message) = Parser::new(DEFAULT_MAX_BER_DEPTH).parse(frame).map_err(|_| not_ldap())?;
    LdapMsg::try_from(message).map_err(|_| not_ldap())
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

    #[test]
    fn a_whole_message_is_decoded_and_a_clients_is_not() {
        let done = b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
        assert!(matches!(decoded(done), Ok(LdapMsg { msgid: 2, .. })));
        let unbind = b"\x30\x05\x02\x01\x03\x42\x00";
        assert!(matches!(decoded(unbind), Err(Trouble::Garbled(_))));
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

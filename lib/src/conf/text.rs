//! Configuration of any encoding as text: files of the nineties have Latin-1 in their comments, and what is not
//! changed must stay byte for byte.
//!
//! A file that is not UTF-8 is read as Latin-1, each byte one character, so that it goes back to the same bytes.

use std::borrow::Cow;
use std::path::Path;

use super::bad;
use crate::Fail;

/// The Latin-1 bytes that are blank space to Unicode and none to a server: NEL and the no-break space. They stand in
/// a private area meanwhile.
const NO_SPACE: [u8; 2] = [0x85, 0xa0];

/// Where that area begins.
const PRIVATE: u32 = 0xf700;

/// The text of a file's bytes. A NUL byte, which UTF-16 and files that are no text have, is an error with its line.
pub fn decoded<'a>(bytes: &'a [u8], file: &Path) -> Result<Cow<'a, str>, Fail> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        return Err(bad(file, line, "a NUL byte: this is no text").hint("convert the file with iconv"));
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| character(*byte)).collect()),
    })
}

/// The bytes of a text in the encoding of those it was made of.
///
/// A character that their encoding has not is an error; what is put into files is ASCII.
pub fn encoded(text: &str, like: &[u8], file: &Path) -> Result<Vec<u8>, Fail> {
    if std::str::from_utf8(like).is_ok() {
        return Ok(text.as_bytes().to_vec());
    }
    let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
    bytes.ok_or_else(|| Fail::usage(format!("{} cannot hold what is to be written", file.display())))
}

fn character(byte: u8) -> char {
    let area = if NO_SPACE.contains(&byte) { PRIVATE } else { 0 };
    char::from_u32(area + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn byte(character: char) -> Option<u8> {
    let code = u32::from(character);
    let own = code.checked_sub(PRIVATE).and_then(|code| u8::try_from(code).ok());
    own.filter(|byte| NO_SPACE.contains(byte)).or_else(|| u8::try_from(code).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_without_nul_go_back_to_themselves(bytes in proptest::collection::vec(1u8..=255, 0..100)) {
            let text = decoded(&bytes, Path::new("x")).unwrap();
            prop_assert_eq!(encoded(&text, &bytes, Path::new("x")).unwrap(), bytes);
        }
    }

    #[test]
    fn what_is_no_blank_to_a_server_is_none_here() {
        let text = decoded(b"\xa0x\x85 \xe9", Path::new("x")).unwrap();
        assert_eq!(text.trim(), text);
        assert!(text.ends_with(" \u{e9}"));
        let fail = decoded(b"a\nb\0", Path::new("main.cf")).unwrap_err().to_string();
        assert!(fail.starts_with("main.cf:2: a NUL byte"), "{fail}");
    }
}

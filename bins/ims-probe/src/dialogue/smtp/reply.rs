//! Replies of SMTP (RFC 5321 §4.2): a code, and as many lines as the server likes.

use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// How much of a reply is kept for its words.
const KEPT: usize = 512;

/// Reads a reply to its last line and gives its words when it has the wanted code.
pub async fn reply<S: Stream>(wire: &mut Wire<S>, wanted: [u8; 3]) -> Result<String, Trouble> {
    reply_of(wire, &[wanted], |_| ()).await
}

/// The same for any of some codes, with a look at the text of each line.
pub async fn reply_of<S: Stream>(
    wire: &mut Wire<S>,
    wanted: &[[u8; 3]],
    mut each: impl FnMut(&[u8]),
) -> Result<String, Trouble> {
    let mut words = Vec::new();
    let mut code: Option<[u8; 3]> = None;
    loop {
        let line = wire.line().await?;
        let (this, last, text) = cut(line).ok_or_else(|| garbled(line))?;
        if code.is_some_and(|first| first != this) {
            return Err(garbled(line));
        }
        code = Some(this);
        each(text);
        if words.is_empty() {
            words.extend(this);
        }
        if words.len() < KEPT && !text.is_empty() {
            words.push(b' ');
            words.extend(text.iter().take(KEPT));
        }
        if last {
            let words = printable(&words);
            return if wanted.contains(&this) { Ok(words) } else { Err(Trouble::SaidNo(words)) };
        }
    }
}

fn garbled(line: &[u8]) -> Trouble {
    Trouble::Garbled(format!("not a reply: {}", printable(line)))
}

/// A line's code, whether it is the last of its reply, and its text. A NUL has no place in a reply.
fn cut(line: &[u8]) -> Option<([u8; 3], bool, &[u8])> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    if !matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) || line.contains(&0) {
        return None;
    }
    match rest.split_first() {
        None => Some((*code, true, rest)),
        Some((b' ', text)) => Some((*code, true, text)),
        Some((b'-', text)) => Some((*code, false, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_line_has_a_code_and_a_sign_whether_more_follows() {
        assert_eq!(cut(b"220 mail-1 ESMTP"), Some((*b"220", true, &b"mail-1 ESMTP"[..])));
        assert_eq!(cut(b"250-SIZE"), Some((*b"250", false, &b"SIZE"[..])));
        assert_eq!(cut(b"250"), Some((*b"250", true, &b""[..])));
        for wrong in
            [&b"22"[..], b"2200 x", b"120 x", b"620 x", b"abc x", b"* OK", b"220 a\0b", b"", b"220\tx"]
        {
            assert_eq!(cut(wrong), None, "{wrong:?}");
        }
    }
}

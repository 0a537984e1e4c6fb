//! What a server said, made fit for a record and a terminal: escaped and cut.

use std::fmt::Write;

/// The most that is kept of a server's words, in characters before escaping.
const LONGEST: usize = 200;

/// Makes bytes of a stranger printable: control characters, direction marks and what is no UTF-8 are escaped, and
/// after 200 characters it ends with `…`.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().min(LONGEST));
    let mut room = LONGEST;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if spend(&mut room, &mut text) {
                return text;
            }
            push(&mut text, c);
        }
        for byte in chunk.invalid() {
            if spend(&mut room, &mut text) {
                return text;
            }
            // Writing into a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A text as it stands in printable words, uncut.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut escaped, c));
    escaped
}

fn push(text: &mut String, c: char) {
    match c {
        // All that is printable in ASCII but the backslash, which escapes the rest.
        ' '..='[' | ']'..='~' => text.push(c),
        _ => text.extend(c.escape_debug()),
    }
}

/// Takes one character's room; says whether there was none left, after marking the cut.
fn spend(room: &mut usize, text: &mut String) -> bool {
    if let Some(left) = room.checked_sub(1) {
        *room = left;
        return false;
    }
    text.push('…');
    true
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_strangers_bytes_cannot_move_the_cursor_or_flood_a_record() {
        for (bytes, shown) in [
            (&b"220 mail-1 ESMTP 'Postfix' \"x\""[..], "220 mail-1 ESMTP 'Postfix' \"x\""),
            (b"\x1b[2Jgone\0\r", "\\u{1b}[2Jgone\\0\\r"),
            ("grüß \u{202e}dich".as_bytes(), "grüß \\u{202e}dich"),
            (b"a\xffb\xc3", "a\\xffb\\xc3"),
            (b"back\\slash", "back\\\\slash"),
        ] {
            assert_eq!(printable(bytes), shown);
        }
        assert_eq!(printable(&[b'x'; 200]), "x".repeat(200));
        assert_eq!(printable(&[b'x'; 201]), format!("{}…", "x".repeat(200)));
        assert_eq!(printable(&[0xff; 300]), format!("{}…", "\\xff".repeat(200)));
    }
}

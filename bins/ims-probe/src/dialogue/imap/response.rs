//! Responses of IMAP (RFC 3501 §7): those of a command by its tag, and what a server tells besides.

use super::begins;
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// Reads responses up to the end of a command, which must be OK, with a look at each untagged one: its text, and
/// the literals within it (RFC 3501 §4.3).
pub async fn finish<S: Stream>(
    wire: &mut Wire<S>,
    tag: &str,
    mut each: impl FnMut(&[u8], &[u8]),
) -> Result<(), Trouble> {
    loop {
        let line = wire.line().await?;
        match response(line, tag) {
            Response::Ok => return Ok(()),
            Response::No | Response::Bye => return Err(Trouble::SaidNo(printable(line))),
            Response::Untagged => {
                let (mut text, mut literals) = (line.to_vec(), Vec::new());
                let mut length = literal(&text);
                while let Some(bytes) = length {
                    literals.extend(wire.take(bytes).await?);
                    let rest = wire.line().await?;
                    length = literal(rest);
                    text.extend(rest);
                }
                each(&text, &literals);
            }
            Response::Invitation | Response::Other => return Err(garbled(line)),
        }
    }
}

/// The length of the literal that follows a line, if one does; one that no number here can hold is longer than any.
fn literal(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let digits = inner.rsplit(|byte| *byte == b'{').next()?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(digits).ok()?.parse();
    is_number.then(|| length.unwrap_or(usize::MAX))
}

/// Reads responses until the server wants the rest of a command.
pub async fn invitation<S: Stream>(wire: &mut Wire<S>, tag: &str) -> Result<(), Trouble> {
    loop {
        let line = wire.line().await?;
        match response(line, tag) {
            Response::Invitation => return Ok(()),
            Response::No | Response::Bye => return Err(Trouble::SaidNo(printable(line))),
            Response::Untagged => {}
            Response::Ok | Response::Other => return Err(garbled(line)),
        }
    }
}

/// The kinds of a line.
pub enum Response {
    /// The command has succeeded.
    Ok,
    /// The command has failed.
    No,
    /// The server ends the connection.
    Bye,
    /// It tells something.
    Untagged,
    /// It wants more of the command.
    Invitation,
    /// None of IMAP's.
    Other,
}

/// Which kind a line is, while the command of a tag is under way.
pub fn response(line: &[u8], tag: &str) -> Response {
    let rest = line.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
    match rest {
        Some(rest) if begins(rest, "OK") => Response::Ok,
        Some(rest) if begins(rest, "NO") || begins(rest, "BAD") => Response::No,
        None if begins(line, "* BYE") => Response::Bye,
        None if begins(line, "*") => Response::Untagged,
        None if begins(line, "+") => Response::Invitation,
        Some(_) | None => Response::Other,
    }
}

pub fn garbled(line: &[u8]) -> Trouble {
    Trouble::Garbled(format!("not a response: {}", printable(line)))
}

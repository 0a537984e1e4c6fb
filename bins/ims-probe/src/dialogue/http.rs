//! HTTP (RFC 9112): one GET of `/`, and the head of the answer. A redirect is an answer and is not followed.

use crate::ask::Ask;
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::tls::Tls;
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};
use crate::words::printable;

/// Holds the dialogue and gives the status line. Any status is a greeting; a session needs a page, a redirect or the
/// wish for a login.
pub async fn hold<S: Stream>(wire: &mut Wire<S>, ask: Ask<'_>, way: &mut Way) -> Result<String, Trouble> {
    if let Some(tls) = ask.starttls() {
        // There is none in HTTP.
        tls.asks(false, way)?;
    }
    way.enter(Stage::Get);
    let host = ask.tls.map(Tls::authority).unwrap_or_default();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ims-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    wire.send(request.as_bytes()).await?;
    loop {
        let line = wire.line().await?;
        let words = printable(line);
        let Some(status) = status(line) else {
            return Err(Trouble::Garbled(format!("not a status line: {words}")));
        };
        while !wire.line().await?.is_empty() {}
        match status {
            // An interim answer; the next one counts.
            100 | 102..=199 => {}
            _ if ask.level < Level::Session || matches!(status, 200..=399 | 401) => return Ok(words),
            _ => return Err(Trouble::SaidNo(words)),
        }
    }
}

/// The status code of `HTTP/1.1 200 OK`, whose reason may be missing.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let (minor, rest) = rest.split_first()?;
    let (code, rest) = rest.strip_prefix(b" ")?.split_first_chunk::<3>()?;
    let ends = rest.first().is_none_or(|next| *next == b' ');
    if !ends || !minor.is_ascii_digit() || line.contains(&0) {
        return None;
    }
    let code = str::from_utf8(code).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_has_a_version_and_a_code() {
        for (line, code) in [
            (&b"HTTP/1.1 200 OK"[..], Some(200)),
            (b"HTTP/1.0 302 Moved", Some(302)),
            (b"HTTP/1.1 401", Some(401)),
            (b"HTTP/1.1 2000 OK", None),
            (b"HTTP/1.1 +20 OK", None),
            (b"HTTP/1.1 099 x", None),
            (b"HTTP/2 200", None),
            (b"220 mail-1 ESMTP", None),
            (b"HTTP/1.1 200 \0", None),
            (b"", None),
        ] {
            assert_eq!(status(line), code, "{}", printable(line));
        }
    }
}

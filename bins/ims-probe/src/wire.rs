//! A connection that is read in lines and frames, with bounded memory whatever the server sends.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::trouble::Trouble;

/// The longest line; RFC 5321 asks for 512 octets, the rest for more is kindness.
pub const LONGEST_LINE: usize = 4096;
/// The most that one reply may hold.
pub const LONGEST_REPLY: usize = 64 * 1024;
/// What is read at once.
const SIP: usize = 512;

/// What a dialogue is held over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// A stream, and what was read of it but not yet used.
pub struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
    used: usize,
    budget: usize,
}

impl<S: Stream> Wire<S> {
    /// Begins with nothing read, waiting for a first reply.
    pub const fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::new(), used: 0, budget: LONGEST_REPLY }
    }

    /// Sends a command; the reply to it may be as long as any.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.budget = LONGEST_REPLY;
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Says goodbye without waiting: whether it arrives changes no answer.
    pub async fn farewell(&mut self, bytes: &[u8]) {
        let goodbye = tokio::time::timeout(Duration::ZERO, self.stream.write_all(bytes));
        // The probe has its answer already.
        let _ = goodbye.await;
    }

    /// Reads one line and gives it without its end, CR LF or LF.
    pub async fn line(&mut self) -> Result<&[u8], Trouble> {
        self.forget_used();
        let mut searched = 0;
        let end = loop {
            if let Some(at) = self.buffer.iter().skip(searched).position(|byte| *byte == b'\n') {
                break searched + at;
            }
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(Trouble::TooLong("a line longer than 4096 bytes"));
            }
            self.sip().await?;
        };
        self.used = end + 1;
        self.spend(end + 1)?;
        let line = self.buffer.get(..end).unwrap_or_default();
        if line.len() > LONGEST_LINE {
            return Err(Trouble::TooLong("a line longer than 4096 bytes"));
        }
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Waits until so many bytes are there and shows them without using them up.
    pub async fn ahead(&mut self, bytes: usize) -> Result<&[u8], Trouble> {
        self.forget_used();
        if bytes > LONGEST_REPLY {
            return Err(Trouble::TooLong("a message longer than 64 KiB"));
        }
        while self.buffer.len() < bytes {
            self.sip().await?;
        }
        Ok(self.buffer.get(..bytes).unwrap_or_default())
    }

    /// Waits until so many bytes are there and takes them.
    pub async fn take(&mut self, bytes: usize) -> Result<&[u8], Trouble> {
        self.ahead(bytes).await?;
        self.used = bytes;
        self.spend(bytes)?;
        Ok(self.buffer.get(..bytes).unwrap_or_default())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.budget = self.budget.checked_sub(bytes).ok_or(Trouble::TooLong("a reply longer than 64 KiB"))?;
        Ok(())
    }

    fn forget_used(&mut self) {
        self.buffer.drain(..self.used);
        self.used = 0;
    }

    async fn sip(&mut self) -> Result<(), Trouble> {
        self.buffer.reserve(SIP);
        match (&mut self.stream).take(4 * 1024).read_buf(&mut self.buffer).await? {
            0 => Err(Trouble::Closed),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Canned, block};

    fn wire(bytes: &[u8]) -> Wire<Canned> {
        Wire::over(Canned(bytes.to_vec()))
    }

    #[test]
    fn lines_end_with_a_line_feed_and_lose_one_carriage_return() {
        block(async {
            let mut wire = wire(b"one\r\ntwo\n\r\n\r\r\nleft");
            for line in [&b"one"[..], b"two", b"", b"\r"] {
                assert_eq!(wire.line().await.unwrap(), line);
            }
            assert!(matches!(wire.line().await, Err(Trouble::Closed)));
        });
    }

    #[test]
    fn a_line_and_a_reply_have_an_end() {
        block(async {
            let mut longest = vec![b'x'; LONGEST_LINE];
            longest.extend(b"\n");
            assert_eq!(wire(&longest).line().await.unwrap().len(), LONGEST_LINE);
            longest.insert(0, b'x');
            assert!(matches!(wire(&longest).line().await, Err(Trouble::TooLong(_))));
            assert!(matches!(wire(&[b'x'; 9000]).line().await, Err(Trouble::TooLong(_))));

            let mut endless = wire(&b"220-hello\r\n".repeat(10_000));
            let mut lines = 0;
            let trouble = loop {
                match endless.line().await {
                    Ok(_) => lines += 1,
                    Err(trouble) => break trouble,
                }
            };
            assert!(matches!(trouble, Trouble::TooLong(_)), "{trouble:?}");
            assert_eq!(lines, LONGEST_REPLY / 11);
        });
    }

    #[test]
    fn bytes_are_shown_before_they_are_taken() {
        block(async {
            let mut wire = wire(b"0123456789");
            assert_eq!(wire.ahead(4).await.unwrap(), b"0123");
            assert_eq!(wire.take(2).await.unwrap(), b"01");
            assert_eq!(wire.ahead(8).await.unwrap(), b"23456789");
            assert!(matches!(wire.ahead(LONGEST_REPLY + 1).await, Err(Trouble::TooLong(_))));
            assert!(matches!(wire.take(9).await, Err(Trouble::Closed)));
        });
    }
}

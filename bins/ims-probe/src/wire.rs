//! A connection that is read in lines and frames, with bounded memory whatever the server sends. It knows no
//! socket: whoever polls a dialogue over it sees to it that its stream gets on.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::task::Poll;

use rustls::ClientConnection;
use zeroize::Zeroizing;

use crate::tls::Channel;
use crate::trouble::Trouble;

/// The longest line; RFC 5321 asks for 512 octets, the rest for more is kindness.
pub const LONGEST_LINE: usize = 4096;
/// The most that one reply may hold.
pub const LONGEST_REPLY: usize = 64 * 1024;
/// What a stream reads at once, about.
pub const SIP: usize = 512;

/// What a dialogue is held over: bytes in, bytes out, and never a wait. What cannot be done now is
/// [`ErrorKind::WouldBlock`]; the dialogue then stands still and is polled again when it may be possible.
///
/// A stream may stand over another one: what encrypts is such a stream.
pub trait Stream {
    /// Appends some of what has come, a few [`SIP`]s at most, and says how much it was; 0 is the end. While nothing
    /// has come it reserves no memory: that is what thousands of dialogues do at once.
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize>;

    /// Takes some of the bytes, to be sent.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// A stream, and what was read of it but not yet used.
#[derive(Debug)]
pub struct Wire<S> {
    stream: Channel<S>,
    buffer: Vec<u8>,
    used: usize,
    budget: usize,
}

impl<S: Stream> Wire<S> {
    /// Begins with nothing read, waiting for a first reply.
    pub const fn over(stream: S) -> Self {
        Self { stream: Channel::plain(stream), buffer: Vec::new(), used: 0, budget: LONGEST_REPLY }
    }

    /// Sends a command; the reply to it may be as long as any.
    pub async fn send(&mut self, mut bytes: &[u8]) -> Result<(), Trouble> {
        self.budget = LONGEST_REPLY;
        while !bytes.is_empty() {
            let sent = poll_fn(|_| or_wait(self.stream.write(bytes))).await?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends a command that is made of parts; no copy of it is left in memory.
    pub async fn send_all(&mut self, parts: &[&str]) -> Result<(), Trouble> {
        let command = Zeroizing::new(parts.concat());
        self.send(command.as_bytes()).await
    }

    /// Says goodbye without waiting: whether it arrives changes no answer.
    pub fn farewell(&mut self, bytes: &[u8]) {
        // The probe has its answer already.
        let _ = self.stream.write(bytes);
    }

    /// Begins TLS. What the server has said before it was to, somebody may have put in its mouth (CVE-2011-0411).
    pub async fn secure(&mut self, connection: Box<ClientConnection>) -> Result<(), Trouble> {
        if !self.unused().is_empty() {
            return Err(Trouble::Garbled("plain text behind the beginning of TLS".to_owned()));
        }
        self.stream.encrypt(connection);
        match poll_fn(|_| or_wait(self.stream.shake_hands())).await {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(Trouble::Closed),
            shaken => Ok(shaken?),
        }
    }

    /// What was agreed, when TLS has begun: then nobody else hears what is sent.
    pub fn tls(&self) -> Option<&ClientConnection> {
        self.stream.tls()
    }

    /// Ends TLS in order, as far as that needs no wait.
    pub fn close(&mut self) {
        self.stream.close();
    }

    /// Lets the present reply be longer than others; whoever reads it keeps little of it.
    pub const fn allow(&mut self, bytes: usize) {
        self.budget = bytes;
    }

    /// Reads one line and gives it without its end, CR LF or LF.
    pub async fn line(&mut self) -> Result<&[u8], Trouble> {
        match self.piece().await? {
            (line, true) => Ok(line),
            (_, false) => Err(Trouble::TooLong("a line longer than 4096 bytes")),
        }
    }

    /// Reads one line, or the first part of one that is too long, and says whether that was its end.
    pub async fn piece(&mut self) -> Result<(&[u8], bool), Trouble> {
        let mut searched = 0;
        let end = loop {
            let unused = self.unused();
            if let Some(at) = unused.iter().skip(searched).position(|byte| *byte == b'\n') {
                break searched + at;
            }
            searched = unused.len();
            if searched > LONGEST_LINE {
                break searched;
            }
            self.sip().await?;
        };
        if end > LONGEST_LINE {
            return Ok((self.spend(LONGEST_LINE)?, false));
        }
        let line = self.spend(end + 1)?.get(..end).unwrap_or_default();
        Ok((line.strip_suffix(b"\r").unwrap_or(line), true))
    }

    /// Waits until so many bytes are there and shows them without using them up.
    pub async fn ahead(&mut self, bytes: usize) -> Result<&[u8], Trouble> {
        if bytes > LONGEST_REPLY {
            return Err(Trouble::TooLong("a message longer than 64 KiB"));
        }
        while self.unused().len() < bytes {
            self.sip().await?;
        }
        Ok(self.unused().get(..bytes).unwrap_or_default())
    }

    /// Waits until so many bytes are there and takes them.
    pub async fn take(&mut self, bytes: usize) -> Result<&[u8], Trouble> {
        self.ahead(bytes).await?;
        self.spend(bytes)
    }

    fn unused(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Uses up bytes that are there and gives them.
    fn spend(&mut self, bytes: usize) -> Result<&[u8], Trouble> {
        self.budget = self.budget.checked_sub(bytes).ok_or(Trouble::TooLong("a reply longer than 64 KiB"))?;
        let from = self.used;
        self.used += bytes;
        Ok(self.buffer.get(from..self.used).unwrap_or_default())
    }

    /// Waits for more bytes.
    async fn sip(&mut self) -> Result<(), Trouble> {
        self.buffer.drain(..self.used);
        self.used = 0;
        match poll_fn(|_| or_wait(self.stream.read(&mut self.buffer))).await? {
            0 => Err(Trouble::Closed),
            _ => Ok(()),
        }
    }
}

/// What cannot be done now is waited for.
fn or_wait<T>(done: io::Result<T>) -> Poll<io::Result<T>> {
    match done {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        done => Poll::Ready(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::{Feed, play};

    fn wire(bytes: &[u8]) -> Wire<Feed<'_>> {
        Wire::over(Feed::of(bytes))
    }

    #[test]
    fn lines_end_with_a_line_feed_and_lose_one_carriage_return() {
        play(async {
            let mut wire = wire(b"one\r\ntwo\n\r\n\r\r\nleft");
            for line in [&b"one"[..], b"two", b"", b"\r"] {
                assert_eq!(wire.line().await.unwrap(), line);
            }
            assert!(matches!(wire.line().await, Err(Trouble::Closed)));
        });
    }

    #[test]
    fn a_line_and_a_reply_have_an_end() {
        play(async {
            let mut longest = vec![b'x'; LONGEST_LINE];
            longest.extend(b"\n");
            assert_eq!(wire(&longest).line().await.unwrap().len(), LONGEST_LINE);
            longest.insert(0, b'x');
            assert!(matches!(wire(&longest).line().await, Err(Trouble::TooLong(_))));
            assert!(matches!(wire(&[b'x'; 9000]).line().await, Err(Trouble::TooLong(_))));

            let endless = b"220-hello\r\n".repeat(10_000);
            let mut endless = wire(&endless);
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
        play(async {
            let mut wire = wire(b"0123456789");
            assert_eq!(wire.ahead(4).await.unwrap(), b"0123");
            assert_eq!(wire.take(2).await.unwrap(), b"01");
            assert_eq!(wire.ahead(8).await.unwrap(), b"23456789");
            assert!(matches!(wire.ahead(LONGEST_REPLY + 1).await, Err(Trouble::TooLong(_))));
            assert!(matches!(wire.take(9).await, Err(Trouble::Closed)));
        });
    }

    #[test]
    fn a_wire_that_waits_holds_no_memory() {
        let mut wire = wire(b"");
        assert!(play(wire.line()).is_err());
        assert_eq!(wire.buffer.capacity(), 0);
    }
}

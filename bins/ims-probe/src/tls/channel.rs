//! A stream that may be encrypted from some point on.

use std::io::{self, ErrorKind, Read, Write};

use rustls::ClientConnection;

use crate::wire::{SIP, Stream};

/// A stream, and TLS over it once that has begun.
#[derive(Debug)]
pub struct Channel<S> {
    below: S,
    tls: Option<Box<ClientConnection>>,
}

impl<S: Stream> Channel<S> {
    /// Nothing is encrypted yet.
    pub const fn plain(below: S) -> Self {
        Self { below, tls: None }
    }

    /// From now on all is encrypted.
    pub fn encrypt(&mut self, connection: Box<ClientConnection>) {
        self.tls = Some(connection);
    }

    /// What was agreed, when TLS has begun.
    pub fn tls(&self) -> Option<&ClientConnection> {
        self.tls.as_deref()
    }

    /// Gets on with the handshake, to its end.
    pub fn shake_hands(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        loop {
            let sent = flush(tls, &mut self.below);
            if !tls.is_handshaking() {
                return sent;
            }
            // What could not be sent is no answer yet: a server that is gone may have said why before.
            if hear(tls, &mut self.below)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Tells the server that nothing more comes, so that it takes the end for no attack.
    pub fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // The probe has its answer already.
            let _ = flush(tls, &mut self.below);
        }
    }
}

impl<S: Stream> Stream for Channel<S> {
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.below.read(into) };
        loop {
            // What a full socket did not take of the last request. Why it takes nothing any more, a read tells as well.
            let _ = flush(tls, &mut self.below);
            let mut reader = tls.reader();
            let mut sip = [0; 4 * SIP];
            match reader.read(&mut sip) {
                Ok(some) => {
                    into.extend(sip.iter().take(some));
                    return Ok(some);
                }
                // The end without a goodbye is an end like that of any TCP connection.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            hear(tls, &mut self.below)?;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.below.write(bytes) };
        or_later(flush(tls, &mut self.below))?;
        let taken = tls.writer().write(bytes)?;
        or_later(flush(tls, &mut self.below))?;
        if taken == 0 && !bytes.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }
}

/// What is not taken now is sent when the stream is used again.
fn or_later(sent: io::Result<()>) -> io::Result<()> {
    match sent {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        sent => sent,
    }
}

/// Sends all that waits to be sent.
fn flush(tls: &mut ClientConnection, below: &mut impl Stream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut Below(below))?;
    }
    Ok(())
}

/// Reads once and decrypts what has come; 0 is the end.
fn hear(tls: &mut ClientConnection, below: &mut impl Stream) -> io::Result<usize> {
    let mut heard = Vec::with_capacity(8 * SIP);
    let some = below.read(&mut heard)?;
    let mut rest = heard.as_slice();
    loop {
        // An empty slice is the end of the stream, which is said once and only when it is there.
        tls.read_tls(&mut rest)?;
        if let Err(error) = tls.process_new_packets() {
            // The alert that says so may arrive or not.
            let _ = flush(tls, below);
            return Err(io::Error::other(error));
        }
        if rest.is_empty() {
            return Ok(some);
        }
    }
}

/// A stream as the library writes to one.
struct Below<'s, S>(&'s mut S);

impl<S: Stream> Write for Below<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

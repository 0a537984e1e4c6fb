//! An SMTP client that knows the one thing that matters here: whether a message was acknowledged, was not, or may
//! have been.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The server answered 250 to all of it: from now on it answers for it.
    Acknowledged,
    /// The server said no, or went away before all of it was sent: it does not have it.
    NotTaken(String),
    /// All of it was sent and no answer came: it may have it or not.
    Unclear(String),
}

/// A connection over which messages are sent, one after the other.
pub struct Session {
    reader: BufReader<TcpStream>,
}

impl Session {
    /// Connects and greets. `patience` holds for the connection and for each answer.
    pub fn open(at: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&at, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        let mut session = Self { reader: BufReader::new(stream) };
        session.expect("220")?;
        session.say("EHLO client.example.test", "250")?;
        Ok(session)
    }

    /// Sends one message; after anything but `Acknowledged` the connection is of no more use.
    pub fn send(&mut self, from: &str, to: &str, message: &str) -> Fate {
        let envelope = self
            .say(&format!("MAIL FROM:<{from}>"), "250")
            .and_then(|()| self.say(&format!("RCPT TO:<{to}>"), "250"))
            .and_then(|()| self.say("DATA", "354"))
            .and_then(|()| self.reader.get_mut().write_all(message.as_bytes()));
        if let Err(e) = envelope {
            return Fate::NotTaken(e.to_string());
        }
        // From the first byte of the final dot on, the server may take the message without our hearing of it.
        match self.say("\r\n.", "250") {
            Ok(()) => Fate::Acknowledged,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Fate::NotTaken(e.to_string()),
            Err(e) => Fate::Unclear(e.to_string()),
        }
    }

    fn say(&mut self, line: &str, wanted: &str) -> io::Result<()> {
        self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.expect(wanted)
    }

    /// Reads one answer; one with another code is `InvalidData`, in the server's words.
    fn expect(&mut self, wanted: &str) -> io::Result<()> {
        loop {
            let mut line = String::new();
            // A line without its end was cut off: it is no answer.
            if self.reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !line.starts_with(wanted) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, line.trim_end().to_owned()));
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

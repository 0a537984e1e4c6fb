//! An IMAP client that reads what is in a mailbox.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::users::User;

/// A connection that is logged in, with the inbox selected for reading.
pub struct Mailbox {
    reader: BufReader<TcpStream>,
    commands: u32,
}

impl Mailbox {
    /// Connects, logs a user in and selects the inbox.
    pub fn open(at: SocketAddr, user: User, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&at, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        let mut mailbox = Self { reader: BufReader::new(stream), commands: 0 };
        let greeting = mailbox.line()?;
        if !greeting.starts_with("* OK") {
            return Err(io::Error::other(greeting));
        }
        mailbox.ask(&format!("LOGIN {} {}", user.0, user.password()))?;
        // A first delivery may make the mailbox at this very moment, and then Dovecot answers "NO [ALREADYEXISTS]".
        mailbox.ask("EXAMINE INBOX").or_else(|_| mailbox.ask("EXAMINE INBOX"))?;
        Ok(mailbox)
    }

    /// The Message-IDs of all messages.
    pub fn message_ids(&mut self) -> io::Result<Vec<String>> {
        let lines = self.ask("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")?;
        let ids = lines.iter().filter_map(|line| Some(line.split_once("Message-ID:")?.1.trim().to_owned()));
        Ok(ids.collect())
    }

    /// The text of the newest message with this Message-ID, if there is one.
    pub fn read(&mut self, message_id: &str) -> io::Result<Option<String>> {
        let found = self.ask(&format!("UID SEARCH HEADER Message-ID \"{message_id}\""))?;
        let uids = found.iter().find_map(|line| line.strip_prefix("* SEARCH"));
        let Some(uid) = uids.and_then(|uids| uids.split_whitespace().last()) else { return Ok(None) };
        let lines = self.ask(&format!("UID FETCH {uid} (BODY.PEEK[TEXT])"))?;
        // The answer's first line announces the text, its last one closes the bracket.
        let text = lines.iter().skip(1).take_while(|line| *line != ")");
        Ok(Some(text.map(String::as_str).collect::<Vec<_>>().join("\n")))
    }

    /// Says a command and gives back the lines before its `OK`.
    fn ask(&mut self, command: &str) -> io::Result<Vec<String>> {
        self.commands += 1;
        let tag = format!("a{} ", self.commands);
        self.reader.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes())?;
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix(&tag) {
                Some(answer) if answer.starts_with("OK") => return Ok(lines),
                Some(answer) => return Err(io::Error::other(answer.to_owned())),
                None => lines.push(line),
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

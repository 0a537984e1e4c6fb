//! Questions to a person, or to a program that types for one: told on stderr, answered on stdin, a line each.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};

use super::stop::Stop;
use crate::{Exit, Fail};

/// The longest answer, in bytes: what a terminal takes in one line.
const LONGEST: usize = 4096;

/// Whether somebody sits at a terminal who sees questions and can answer them.
pub fn is_attended() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// A dialogue. A person may take any time to answer; SIGINT, SIGTERM and the end of the input end it at once.
#[derive(Debug)]
pub struct Prompt<'a> {
    stop: &'a Stop,
    is_terminal: bool,
    heard: Vec<u8>,
}

impl<'a> Prompt<'a> {
    /// Begins one that signals can end.
    pub fn new(stop: &'a Stop) -> Self {
        Self { stop, is_terminal: stdin().is_terminal(), heard: Vec::new() }
    }

    /// Tells something as it stands.
    pub fn tell(&self, text: impl Display) {
        // Whoever closed stderr wants no questions; the answers may come all the same.
        let _ = write!(stderr().lock(), "{text}");
    }

    /// Puts a question and gives the line that answers it, without blanks round it; `None` when the input ended.
    ///
    /// What is typed at a terminal counts once RETURN is pressed. From anywhere else the last line needs no line
    /// end, and the answer is told where the terminal would have shown it. A signal is a failure with status 5.
    pub fn ask(&mut self, question: impl Display) -> Result<Option<String>, Fail> {
        self.tell(question);
        let answer = self.line();
        match &answer {
            Ok(Some(line)) if !self.is_terminal => self.tell(format_args!("{line}\n")),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => self.tell('\n'), // the line of the question is still open
        }
        answer
    }

    fn line(&mut self) -> Result<Option<String>, Fail> {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let rest = self.heard.split_off(end + 1);
                let line = std::mem::replace(&mut self.heard, rest);
                return Ok(Some(text(&line)));
            }
            if self.heard.len() > LONGEST {
                return Err(Fail::usage(format!("stdin: a line of more than {LONGEST} bytes is no answer")));
            }
            if !self.hear()? {
                let line = std::mem::take(&mut self.heard);
                return Ok((!line.is_empty() && !self.is_terminal).then(|| text(&line)));
            }
        }
    }

    /// Waits for more; says whether there was any.
    fn hear(&mut self) -> Result<bool, Fail> {
        let cannot = |e: rustix::io::Errno| Fail::io(Exit::Unknown, "cannot read stdin", &e.into());
        let input = stdin();
        loop {
            let mut fds = [
                PollFd::new(self.stop, PollFlags::IN),
                PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(cannot(e)),
            }
            if let Some(signal) = self.stop.asked() {
                return Err(Fail::failed(format!("{signal} came")));
            }
            let [_, ready] = &fds;
            if ready.revents().is_empty() {
                continue;
            }
            let mut bytes = [0u8; LONGEST];
            match rustix::io::read(&input, &mut bytes) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.heard.extend(bytes.get(..count).unwrap_or_default());
                    return Ok(true);
                }
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(e) => return Err(cannot(e)),
            }
        }
    }
}

/// A line as text; what is no UTF-8 is nobody's name and is told so by whoever looks for it.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim().to_owned()
}

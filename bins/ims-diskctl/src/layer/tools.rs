//! Runs the tools of layers, by a hand: one that hangs on a dead disk holds that and not us.

use std::time::Duration;

use ims::Fail;
use ims::span::Span;
use ims::sys::exec::Line;
use ims::sys::hand::{Hand, Heard};
use serde::{Deserialize, Serialize};

use crate::act::Deadline;
use crate::hand::Question;

/// How a tool ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its exit status; absent when a signal ended it.
    pub status: Option<i32>,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

impl Ended {
    /// Whether it exited with 0.
    pub fn is_success(&self) -> bool {
        self.status == Some(0)
    }

    /// What it said, in one line: usually the reason.
    pub fn words(&self) -> String {
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match (lines.is_empty(), self.status) {
            (false, _) => lines.join("; "),
            (true, Some(status)) => format!("exit status {status}"),
            (true, None) => "a signal ended it".to_owned(),
        }
    }
}

/// Who runs tools.
pub struct Tools<'a> {
    hand: &'a mut Hand,
    deadline: Deadline,
}

impl<'a> Tools<'a> {
    /// Runs tools by a hand until a moment.
    pub fn new(hand: &'a mut Hand, deadline: Deadline) -> Self {
        Self { hand, deadline }
    }

    /// Runs a tool to its end, whatever that is.
    pub fn run(&mut self, line: &Line) -> Result<Ended, Fail> {
        let patience = self.deadline.left();
        let words = line.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let late = || {
            Fail::unknown(format!("{} did not end within {}", line.program(), Span(patience)))
                .hint("a disk may hang; look at it again")
        };
        if patience.is_zero() {
            return Err(late());
        }
        self.hand.ask(&Question::Tool { words, patience })?;
        // The hand ends the tool by itself, a little earlier than we lose patience with the hand.
        match self.hand.answer::<Result<Ended, String>>(patience + Duration::from_millis(500), None)? {
            Heard::Answer(Ok(ended)) => Ok(ended),
            Heard::Answer(Err(why)) => Err(Fail::unknown(why)),
            Heard::Silence | Heard::Stopped(_) => Err(late()),
        }
    }

    /// Runs a tool that has to succeed.
    pub fn must(&mut self, line: &Line) -> Result<Ended, Fail> {
        let ended = self.run(line)?;
        if ended.is_success() {
            Ok(ended)
        } else {
            Err(Fail::failed(line.to_string()).because(ended.words()))
        }
    }
}

/// Runs a tool, in the hand.
pub fn run(words: &[String], patience: Duration) -> Result<Ended, String> {
    // English and UTC, whatever the system speaks.
    let line = Line::new(words).env("LC_ALL", "C").env("TZ", "UTC");
    let ended = line.run(patience).map_err(|fail| fail.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ended { status: ended.status, stdout: text(&ended.stdout), stderr: text(&ended.stderr) })
}

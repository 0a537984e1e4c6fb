//! The forms in which answers are told: as lines, in tables, on a terminal, or as a report.

use std::collections::VecDeque;
use std::io::Write;
use std::time::Instant;

use ims::span::millis;
use ims::{Fail, Out};

use crate::answer::Answer;
use crate::engine::Hub;
use crate::live::Live;
use crate::outlet::{self, Outlet};
use crate::report::Report;
use crate::textfile::Textfile;

/// What becomes of an answer.
pub enum Teller {
    /// A line, as soon as stdout takes it.
    Lines(Lines),
    /// A row in a table.
    Tables(Tables),
    /// A line in a table on a terminal that is drawn again and again.
    Live(Screen),
    /// A part of a report.
    Report(Reporter),
}

/// Records, each as it comes.
pub struct Lines {
    /// Where they are written.
    pub out: Out,
    /// Answers, and when they were had.
    pub waiting: VecDeque<(Instant, Answer)>,
}

/// Tables, each of some rounds.
pub struct Tables {
    /// Where they are written.
    pub out: Out,
    /// How many rounds of a target are one table; without it the end of the run ends the table.
    pub size: Option<usize>,
    /// How many have ended since the last table.
    pub rounds: usize,
}

/// A table that is drawn over itself.
pub struct Screen {
    /// The table.
    pub live: Live,
    /// Where the last record is written.
    pub out: Out,
}

/// A report, which is told at the end or kept in a file.
pub struct Reporter {
    /// The report.
    pub report: Report,
    /// The name of this node.
    pub host: String,
    /// The file that is kept.
    pub file: Option<Textfile>,
    /// Whether it was told.
    pub is_told: bool,
}

impl Lines {
    /// Prints what waits until so much is in the outlet: no more than a piece but at the end, so that the age in a
    /// record is its age when it leaves.
    pub fn print(&mut self, outlet: &Outlet, most: usize) -> Result<(), Fail> {
        while outlet.waiting() < most {
            let Some((had, mut answer)) = self.waiting.pop_front() else { break };
            answer.age_ms = millis(had.elapsed());
            self.out.record(&answer)?;
        }
        Ok(())
    }
}

impl Tables {
    /// Ends a round of a target.
    pub fn end_round(&mut self) -> Result<(), Fail> {
        self.rounds += 1;
        if self.size == Some(self.rounds) {
            self.rounds = 0;
            self.out.flush()?;
        }
        Ok(())
    }
}

impl Screen {
    /// Draws the table. A terminal that takes nothing is not drawn to.
    pub fn draw(&mut self, outlet: &mut Outlet) -> Result<(), Fail> {
        let Some(size) = outlet.window() else { return Ok(()) };
        let text = self.live.draw(size, Instant::now());
        outlet.sink().write_all(text.as_bytes()).map_err(|error| outlet::lost(&error))
    }
}

impl Reporter {
    /// Takes an answer in.
    pub fn note(&mut self, target: usize, answer: &Answer) {
        self.report.note(target, answer);
        if let Some(file) = &mut self.file {
            file.note();
        }
    }

    /// Tells the report, once.
    pub fn end(&mut self, hub: &Hub, stdout: &mut impl Write) -> Result<(), Fail> {
        if std::mem::replace(&mut self.is_told, true) {
            return Ok(());
        }
        let text = self.report.text(&self.host);
        match &mut self.file {
            Some(file) => file.end(hub, text),
            None => stdout.write_all(text.as_bytes()).map_err(|error| outlet::lost(&error)),
        }
    }
}

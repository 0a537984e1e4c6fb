//! What is told of the answers: each as it comes, or in tables that have a row a target.

use ims::output::Format;
use ims::{Exit, Fail, Out};

use crate::answer::Answer;
use crate::engine::Hub;
use crate::outlet::{self, Outlet};
use crate::tally::Tally;

/// The one printer of a run, which also knows what has been told so far.
pub struct Printer {
    out: Out,
    outlet: Outlet,
    tally: Tally,
    /// How many rounds of a target are one table; without it the end of the run ends the table.
    table: Option<usize>,
    rounds: usize,
}

impl Printer {
    /// Prints the answers of so many targets, once or again and again.
    pub fn new(hub: &Hub, format: Format, host: &str, targets: usize, again: bool) -> Result<Self, Fail> {
        let outlet = Outlet::open(hub)?;
        let out = Out::to(outlet.sink(), format, host);
        let table = match format {
            Format::Table => again.then_some(targets),
            Format::Json => None,
        };
        Ok(Self { out, outlet, tally: Tally::of(targets), table, rounds: 0 })
    }

    /// Tells an answer of a target.
    pub fn answer(&mut self, target: usize, answer: &Answer) -> Result<(), Fail> {
        self.tally.note(target, &answer.endpoint, answer.attempt, answer.state);
        self.out.record(answer)
    }

    /// Ends a round of a target.
    pub fn end_round(&mut self, target: usize, attempt: u64) -> Result<(), Fail> {
        self.tally.end_round(target, attempt);
        self.rounds += 1;
        if self.table == Some(self.rounds) {
            self.rounds = 0;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Ends the last table and lets out what stdout takes; says whether that was all.
    pub fn end(&mut self, hub: &Hub) -> Result<bool, Fail> {
        self.out.flush()?;
        self.let_out(hub, true)?;
        Ok(self.is_done())
    }

    /// Lets out what stdout takes. While there is other work, it waits for a good piece.
    pub fn let_out(&mut self, hub: &Hub, is_idle: bool) -> Result<(), Fail> {
        let waiting = self.outlet.waiting();
        if waiting >= outlet::PIECE || (is_idle && waiting > 0) { self.outlet.write(hub) } else { Ok(()) }
    }

    /// Whether something waits that stdout may take.
    pub fn can_let_out(&self) -> bool {
        !self.outlet.is_blocked() && !self.is_done()
    }

    /// Whether everything is told.
    fn is_done(&self) -> bool {
        self.outlet.waiting() == 0
    }

    /// Whether so much waits to be taken that no probe should begin.
    pub fn is_full(&self) -> bool {
        self.outlet.is_full()
    }

    /// How many targets have answered.
    pub const fn answered(&self) -> usize {
        self.tally.answered()
    }

    /// The status of the answers; nobody knows those that were not read.
    pub fn exit(&self) -> Exit {
        let exit = self.tally.exit();
        if self.is_done() { exit } else { exit.gravest(Exit::Unknown) }
    }
}

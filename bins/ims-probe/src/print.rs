//! What is told of the answers: each as it comes, in tables that have a row a target, or in one report at the end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ims::output::Format;
use ims::{Exit, Fail, Out};

use crate::answer::Answer;
use crate::cli::Args;
use crate::engine::Hub;
use crate::form::Told;
use crate::live::{Bars, Live};
use crate::outlet::{self, Outlet};
use crate::report::Report;
use crate::report::nagios::Status;
use crate::tally::Tally;
use crate::teller::{Lines, Reporter, Screen, Tables, Teller};
use crate::textfile::Textfile;
use crate::window::Windows;

/// When so many answers wait for a reader, no new probes begin.
const BACKLOG: usize = 512;

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The status of the latest answers.
    pub exit: Exit,
    /// The same as the status of a plugin.
    pub status: Status,
}

/// The one printer of a run, which also knows what has been told so far.
pub struct Printer {
    teller: Teller,
    outlet: Outlet,
    tally: Tally,
    windows: Option<Windows>,
}

impl Printer {
    /// Prints the answers of so many targets.
    pub fn new(hub: &Hub, args: &Args, host: &str, targets: usize) -> Result<Self, Fail> {
        let outlet = Outlet::open(hub)?;
        let told = args.told();
        let out = Out::to(outlet.sink(), told.records(), host);
        let every = args.every.map(|every| every.0);
        let teller = match told {
            Told::Records(Format::Json) => Teller::Lines(Lines { out, waiting: VecDeque::new() }),
            Told::Records(Format::Table) if every.is_some() && outlet.window().is_some() => {
                Teller::Live(Screen { live: Live::of(targets, Bars::of_locale()), out })
            }
            Told::Records(Format::Table) => {
                Teller::Tables(Tables { out, size: every.map(|_| targets), rounds: 0 })
            }
            Told::Report(form) => Teller::Report(Reporter {
                report: Report::of(form, targets, args.timeout.0),
                host: host.to_owned(),
                file: args.to.clone().map(|path| Textfile::at(path, every)),
                is_told: false,
            }),
        };
        Ok(Self { teller, outlet, tally: Tally::of(targets), windows: args.window.map(Windows::of) })
    }

    /// Tells an answer of a target.
    pub fn answer(&mut self, target: usize, mut answer: Answer) -> Result<(), Fail> {
        let now = Instant::now();
        self.tally.note(target, &answer);
        answer.window = self.windows.as_mut().map(|windows| windows.note(target, &answer, now));
        match &mut self.teller {
            Teller::Lines(lines) => lines.waiting.push_back((now, answer)),
            Teller::Tables(tables) => tables.out.record(&answer)?,
            Teller::Live(screen) => screen.live.note(target, answer),
            Teller::Report(reporter) => reporter.note(target, &answer),
        }
        Ok(())
    }

    /// Ends a round of a target.
    pub fn end_round(&mut self, target: usize, attempt: u64) -> Result<(), Fail> {
        self.tally.end_round(target, attempt);
        match &mut self.teller {
            Teller::Lines(_) => Ok(()),
            Teller::Tables(tables) => tables.end_round(),
            Teller::Live(screen) => {
                screen.live.end_round(target, attempt);
                Ok(())
            }
            Teller::Report(reporter) => {
                reporter.report.end_round(target, attempt);
                Ok(())
            }
        }
    }

    /// Ends the last table or the report and lets out what stdout takes; says whether that was all.
    pub fn end(&mut self, hub: &Hub) -> Result<bool, Fail> {
        match &mut self.teller {
            Teller::Tables(tables) => tables.out.flush()?,
            Teller::Live(screen) if screen.live.is_new() => screen.draw(&mut self.outlet)?,
            Teller::Lines(_) | Teller::Live(_) => {}
            Teller::Report(reporter) => reporter.end(hub, &mut self.outlet.sink())?,
        }
        self.let_out(hub, true)?;
        Ok(self.is_done())
    }

    /// Ends a run that a signal stopped, with a record of what was known. Nothing waits for a reader then.
    pub fn stop(&mut self, hub: &Hub, by: &'static str, ran: Duration) -> Result<(), Fail> {
        let summary = self.tally.summary(by, ran);
        match &mut self.teller {
            Teller::Lines(lines) => {
                lines.print(&self.outlet, usize::MAX)?;
                lines.out.record(&summary)?;
            }
            Teller::Tables(tables) => tables.out.record(&summary)?,
            Teller::Live(screen) => {
                screen.draw(&mut self.outlet)?;
                screen.out.record(&summary)?;
                screen.out.flush()?;
            }
            Teller::Report(_) => {}
        }
        self.end(hub).map(|_| ())
    }

    /// Keeps a terminal up to date, and the file of a report once every target has answered: so no run begins with
    /// less in it than the last one left.
    pub fn keep(&mut self, hub: &Hub) -> Result<(), Fail> {
        match &mut self.teller {
            Teller::Report(Reporter { report, host, file: Some(file), .. }) if self.tally.is_whole() => {
                file.keep(hub, || report.text(host))
            }
            Teller::Live(screen) if self.outlet.waiting() == 0 && screen.live.due() <= hub.now() => {
                screen.draw(&mut self.outlet)
            }
            Teller::Live(_) | Teller::Lines(_) | Teller::Tables(_) | Teller::Report(_) => Ok(()),
        }
    }

    /// When a terminal or the file of a report is to be written though nothing else happens.
    pub fn due(&self) -> Option<Instant> {
        match &self.teller {
            Teller::Report(Reporter { file: Some(file), .. }) if self.tally.is_whole() => file.due(),
            Teller::Live(screen) if self.outlet.waiting() == 0 => Some(screen.live.due()),
            Teller::Live(_) | Teller::Lines(_) | Teller::Tables(_) | Teller::Report(_) => None,
        }
    }

    /// Lets out what stdout takes. While there is other work, it waits for a good piece.
    pub fn let_out(&mut self, hub: &Hub, is_idle: bool) -> Result<(), Fail> {
        loop {
            if let Teller::Lines(lines) = &mut self.teller {
                lines.print(&self.outlet, outlet::PIECE)?;
            }
            let waiting = self.outlet.waiting();
            if waiting >= outlet::PIECE || (is_idle && waiting > 0) {
                self.outlet.write(hub)?;
            }
            if self.outlet.is_blocked() || self.backlog() == 0 {
                return Ok(());
            }
        }
    }

    /// How many answers are not in the outlet yet.
    fn backlog(&self) -> usize {
        match &self.teller {
            Teller::Lines(lines) => lines.waiting.len(),
            Teller::Tables(_) | Teller::Live(_) | Teller::Report(_) => 0,
        }
    }

    /// Whether something waits that stdout may take.
    pub fn can_let_out(&self) -> bool {
        !self.outlet.is_blocked() && !self.is_done()
    }

    /// Whether everything is told.
    fn is_done(&self) -> bool {
        self.outlet.waiting() == 0 && self.backlog() == 0
    }

    /// Whether so much waits to be taken that no probe should begin.
    pub fn is_full(&self) -> bool {
        self.outlet.is_full() || self.backlog() > BACKLOG
    }

    /// How many targets have answered.
    pub const fn answered(&self) -> usize {
        self.tally.answered()
    }

    /// The status of the answers; nobody knows those that were not read.
    pub fn ended(&self) -> Ended {
        let (exit, status) = (self.tally.exit(), self.tally.status());
        if self.is_done() {
            return Ended { exit, status };
        }
        Ended { exit: exit.gravest(Exit::Unknown), status: Status::Unknown }
    }
}

//! A report that is kept in a file: replaced whole, by a child that a hung disk holds up alone, and never so often
//! that it costs more than the probes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ims::{Exit, Fail};

use crate::engine::{Hub, Job};
use crate::hand;

/// How long the last writing may take after the last answer.
const LAST: Duration = Duration::from_secs(10);

/// The file of a report.
#[derive(Debug)]
pub struct Textfile {
    path: PathBuf,
    pace: Duration,
    /// When it may be written again.
    next: Instant,
    is_new: bool,
    writing: Option<Job<Result<(), Fail>>>,
}

impl Textfile {
    /// A file that is written anew while probes come this far apart.
    pub fn at(path: PathBuf, every: Option<Duration>) -> Self {
        let second = Duration::from_secs(1);
        let pace = every.map_or(second, |every| (every / 10).clamp(second, 15 * second));
        Self { path, pace, next: Instant::now(), is_new: false, writing: None }
    }

    /// Notes that there is something new to write.
    pub const fn note(&mut self) {
        self.is_new = true;
    }

    /// When it is to be written.
    pub fn due(&self) -> Option<Instant> {
        (self.is_new && self.writing.is_none()).then_some(self.next)
    }

    /// Begins to write if it is time, and tells what became of the last writing.
    pub fn keep(&mut self, hub: &Hub, text: impl FnOnce() -> String) -> Result<(), Fail> {
        if let Some(done) = self.writing.as_ref().and_then(Job::told) {
            told(done)?;
            self.writing = None;
        }
        if self.due().is_some_and(|due| due <= hub.now()) {
            self.write(hub, text())?;
        }
        Ok(())
    }

    /// Writes for the last time, and waits until that is done.
    pub fn end(&mut self, hub: &Hub, text: String) -> Result<(), Fail> {
        let deadline = Instant::now() + LAST;
        if let Some(last) = self.writing.take() {
            self.wait(hub, &last, deadline)?;
        }
        self.write(hub, text)?;
        match self.writing.take() {
            Some(last) => self.wait(hub, &last, deadline),
            None => Ok(()),
        }
    }

    fn write(&mut self, hub: &Hub, text: String) -> Result<(), Fail> {
        let path = self.path.clone();
        let writing = hub.aside(move || hand::replace(&path, text)).map_err(|error| {
            Fail::io(Exit::Failed, format!("cannot write {}", self.path.display()), &error)
        })?;
        self.writing = Some(writing);
        self.is_new = false;
        self.next = hub.now() + self.pace;
        Ok(())
    }

    fn wait(&self, hub: &Hub, job: &Job<Result<(), Fail>>, deadline: Instant) -> Result<(), Fail> {
        let mut woken = Vec::new();
        loop {
            if let Some(done) = job.told() {
                return told(done);
            }
            if Instant::now() >= deadline {
                return Err(Fail::unknown(format!(
                    "cannot tell whether {} was written",
                    self.path.display()
                ))
                .hint("its disk does not answer"));
            }
            hub.look(Some(deadline), &mut woken)
                .map_err(|error| Fail::io(Exit::Unknown, "cannot wait for an event", &error))?;
        }
    }
}

/// What a thread has ended with, as words of this one.
fn told(done: &Result<(), Fail>) -> Result<(), Fail> {
    done.as_ref().copied().map_err(|fail| Fail::new(fail.exit(), fail.to_string()))
}

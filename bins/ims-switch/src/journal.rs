//! The journal of a group's runs: what was intended before it was done, and what came of it. It is for people and
//! figures; decisions are made by looking at the world instead, but for what the same command is to finish where the
//! world looks as if nothing had been wanted ([`crate::unfinished`]).

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ims::name::GroupName;
use ims::span::millis;
use ims::{Exit, Fail, Host};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::{Outcome, RunRecord, StepRecord};

/// Where the journals are kept, one file `<GROUP>.jsonl` each, on the node that drives a run.
pub const FOLDER: &str = "/var/lib/ims/journal";

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A run begins.
    Begin(RunRecord),
    /// A step begins.
    Intend(StepRecord),
    /// A step ended.
    End(StepRecord),
    /// The run ended.
    Finish(RunRecord),
}

/// A run's journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    run: String,
    began: Instant,
    /// Where it is written; nowhere before the run's beginning is, or when that could not be.
    file: Mutex<Option<File>>,
    is_told: AtomicBool,
}

/// The journal's file.
pub fn path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(FOLDER).join(format!("{group}.jsonl"))
}

fn cannot(error: &std::io::Error) -> Fail {
    Fail::io(Exit::Failed, "cannot write the journal", error)
}

impl Journal {
    /// The journal of a run that began then; nothing is written before its beginning is noted.
    pub fn new(host: &Host, group: &GroupName, began: Instant, time: Timestamp) -> Self {
        let run = format!("{}-{}", time.strftime("%Y%m%dT%H%M%S%.3fZ"), std::process::id());
        Self { path: path(host, group), run, began, file: Mutex::new(None), is_told: AtomicBool::new(false) }
    }

    /// Opens the file.
    fn open(&self) -> std::io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        // A run that was killed while it wrote left a line without its end.
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0u8; 1];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(file)
    }

    /// The run's name.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The time since the run began.
    pub fn at_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }

    fn write(&self, entry: &Entry) -> Result<(), Fail> {
        let mut line =
            serde_json::to_vec(entry).map_err(|e| Fail::failed("cannot write the journal").because(e))?;
        line.push(b'\n');
        self.with(|file| file.write_all(&line))
    }

    fn sync(&self) -> Result<(), Fail> {
        self.with(|file| file.sync_data())
    }

    /// Does something with the file where there is one. That it fails is told once and not with each step.
    fn with(&self, work: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<(), Fail> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.as_mut().map_or(Ok(()), work) {
            Err(e) if !self.is_told.swap(true, Ordering::Relaxed) => Err(cannot(&e)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Notes a run's beginning and the steps of its preparation, safely on the disk.
    pub fn begin(&self, run: &RunRecord, prepared: &[StepRecord]) -> Result<(), Fail> {
        let opened = self.open().map_err(|e| cannot(&e))?;
        self.file.lock().unwrap_or_else(PoisonError::into_inner).replace(opened);
        self.write(&Entry::Begin(run.clone()))?;
        prepared.iter().try_for_each(|step| self.write(&Entry::End(step.clone())))?;
        self.sync()
    }

    /// Notes that a step begins. It is not waited for until it is on the disk: a power cut leaves nothing to finish
    /// here, and the world is looked at anyway.
    pub fn intend(&self, step: &StepRecord) -> Result<(), Fail> {
        self.write(&Entry::Intend(step.clone()))
    }

    /// Notes what came of a step.
    pub fn end(&self, step: &StepRecord) -> Result<(), Fail> {
        self.write(&Entry::End(step.clone()))
    }

    /// Notes the run's end, safely on the disk.
    pub fn finish(&self, run: &RunRecord) -> Result<(), Fail> {
        self.write(&Entry::Finish(run.clone()))?;
        self.sync()
    }
}

/// A run as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The run.
    pub run: RunRecord,
    /// Its steps in the order of their numbers.
    pub steps: Vec<StepRecord>,
}

/// Reads a journal's text: the last run last, and the numbers of the lines that cannot be read. They are passed
/// over: a run that was killed while it wrote leaves one that is torn.
pub fn read(text: &str) -> (Vec<Told>, Vec<usize>) {
    let mut runs: Vec<Told> = Vec::new();
    let mut unread = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else {
            unread.push(number + 1);
            continue;
        };
        match entry {
            Entry::Begin(run) => runs.push(Told { run, steps: Vec::new() }),
            Entry::Finish(run) => {
                if let Some(told) = runs.iter_mut().rfind(|told| told.run.run == run.run) {
                    told.run = run;
                }
            }
            Entry::Intend(step) | Entry::End(step) => {
                if let Some(told) = runs.iter_mut().rfind(|told| told.run.run == step.run) {
                    match told.steps.iter_mut().find(|before| before.step == step.step) {
                        Some(before) => *before = step,
                        None => told.steps.push(step),
                    }
                }
            }
        }
    }
    for told in &mut runs {
        told.steps.sort_by_key(|step| step.step);
    }
    (runs, unread)
}

/// From the beginning of the first stop to the end of the last start.
pub fn gap_ms(steps: &[StepRecord]) -> Option<u64> {
    let taken = |verb: &'static str| {
        steps.iter().filter(move |step| step.verb == verb && step.outcome == Outcome::Done)
    };
    let first = taken("stop").filter_map(|step| step.at_ms).min()?;
    let last = taken("start").filter_map(|step| step.at_ms?.checked_add(step.took_ms?)).max()?;
    last.checked_sub(first)
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;

//! The journal of a group's runs: what was intended before it was done, and what came of it. It is for people and
//! figures; decisions are made by looking at the world instead, but for what the same command is to finish where the
//! world looks as if nothing had been wanted ([`crate::unfinished`]).

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
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
    run: String,
    began: Instant,
    file: Mutex<File>,
}

/// The journal's file.
pub fn path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(FOLDER).join(format!("{group}.jsonl"))
}

fn cannot(error: &std::io::Error) -> Fail {
    Fail::io(Exit::Failed, "cannot write the journal", error)
}

impl Journal {
    /// Opens the journal for a run that began then.
    pub fn open(host: &Host, group: &GroupName, began: Instant, time: Timestamp) -> Result<Self, Fail> {
        let path = path(host, group);
        fs_err::create_dir_all(host.path(FOLDER)).map_err(|e| cannot(&e))?;
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|e| cannot(&e))?;
        // A run that was killed while it wrote left a line without its end.
        if file.seek(SeekFrom::End(0)).map_err(|e| cannot(&e))? > 0 {
            file.seek(SeekFrom::End(-1)).map_err(|e| cannot(&e))?;
            let mut last = [0u8; 1];
            file.read_exact(&mut last).map_err(|e| cannot(&e))?;
            if last != *b"\n" {
                file.write_all(b"\n").map_err(|e| cannot(&e))?;
            }
        }
        let run = format!("{}-{}", time.strftime("%Y%m%dT%H%M%S%.3fZ"), std::process::id());
        Ok(Self { run, began, file: Mutex::new(file) })
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
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).map_err(|e| cannot(&e))
    }

    fn sync(&self) -> Result<(), Fail> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).sync_data().map_err(|e| cannot(&e))
    }

    /// Notes a run's beginning and the steps of its preparation, safely on the disk.
    pub fn begin(&self, run: &RunRecord, prepared: &[StepRecord]) -> Result<(), Fail> {
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
mod tests {
    use super::*;

    fn run(name: &str, status: Option<&str>) -> RunRecord {
        RunRecord {
            run: Some(name.to_owned()),
            group: "IMS-RG".parse().unwrap(),
            wish: "move".to_owned(),
            time: Timestamp::UNIX_EPOCH,
            took_ms: status.map(|_| 100),
            gap_ms: None,
            changed: true,
            dry_run: false,
            status: status.map(ToOwned::to_owned),
            online_on: None,
            message: None,
        }
    }

    fn step(
        run: &str,
        number: usize,
        verb: &str,
        outcome: Outcome,
        at: u64,
        took: Option<u64>,
    ) -> StepRecord {
        StepRecord {
            run: Some(run.to_owned()),
            group: "IMS-RG".parse().unwrap(),
            step: number,
            node: "mail-1".parse().unwrap(),
            resource: Some("mail".parse().unwrap()),
            verb: verb.to_owned(),
            command: None,
            why: String::new(),
            after: Vec::new(),
            outcome,
            changed: true,
            at_ms: Some(at),
            took_ms: took,
            message: None,
            parts: Vec::new(),
        }
    }

    fn lines(entries: &[Entry]) -> String {
        entries.iter().map(|entry| serde_json::to_string(entry).unwrap() + "\n").collect()
    }

    #[test]
    fn a_torn_line_and_a_killed_run_are_told_as_such() {
        let text = lines(&[
            Entry::Begin(run("a", None)),
            Entry::Intend(step("a", 1, "stop", Outcome::Begun, 10, None)),
        ]) + "{\"end\":{\"run\":\"a\",\"st\n"
            + &lines(&[
                Entry::Begin(run("b", None)),
                Entry::Intend(step("b", 1, "start", Outcome::Begun, 5, None)),
                Entry::End(step("b", 1, "start", Outcome::Done, 5, Some(7))),
                Entry::Finish(run("b", Some("ok"))),
            ]);
        let (told, unread) = read(&text);
        assert_eq!((told.len(), unread), (2, vec![3]));
        assert_eq!((told[0].run.status.as_deref(), told[0].steps[0].outcome), (None, Outcome::Begun));
        assert_eq!((told[1].run.status.as_deref(), told[1].steps[0].outcome), (Some("ok"), Outcome::Done));
    }

    #[test]
    fn the_gap_is_from_the_first_stop_to_the_last_start() {
        let steps = [
            step("a", 1, "stop", Outcome::Done, 10, Some(20)),
            step("a", 2, "stop", Outcome::Done, 30, Some(5)),
            step("a", 3, "start", Outcome::Done, 36, Some(4)),
            step("a", 4, "start", Outcome::Done, 40, Some(60)),
        ];
        assert_eq!(gap_ms(&steps), Some(90));
        assert_eq!(gap_ms(&steps[..2]), None);
    }

    #[test]
    fn a_run_that_follows_a_torn_line_begins_on_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::below(folder.path());
        let group: GroupName = "IMS-RG".parse().unwrap();
        fs_err::create_dir_all(host.path(FOLDER)).unwrap();
        std::fs::File::create(path(&host, &group)).unwrap().write_all(b"{\"begin\":{").unwrap();
        let journal = Journal::open(&host, &group, Instant::now(), Timestamp::UNIX_EPOCH).unwrap();
        let begun = RunRecord { run: Some(journal.run().to_owned()), ..run("x", None) };
        journal.begin(&begun, &[]).unwrap();
        let text = fs_err::read_to_string(path(&host, &group)).unwrap();
        let (runs, unread) = read(&text);
        assert_eq!((runs.len(), unread), (1, vec![1]));
    }

    #[test]
    fn a_journal_of_a_version_that_knew_less_is_read() {
        let text = r#"{"begin":{"run":"a","group":"IMS-RG","wish":"move","time":"2026-11-22T18:30:00Z"}}
{"end":{"run":"a","group":"IMS-RG","step":1,"node":"mail-1","verb":"stop","outcome":"done","at_ms":5}}
{"end":{"run":"a","group":"IMS-RG","step":2,"node":"mail-1","verb":"stop","outcome":"of a later version"}}
{"finish":{"run":"a","group":"IMS-RG","wish":"move","time":"2026-11-22T18:30:00Z","status":"ok","more":1}}
"#;
        let (runs, unread) = read(text);
        assert_eq!((runs[0].steps.len(), runs[0].run.status.as_deref(), unread), (1, Some("ok"), vec![3]));
        assert_eq!((runs[0].steps[0].took_ms, runs[0].steps[0].parts.len()), (None, 0));
    }
}

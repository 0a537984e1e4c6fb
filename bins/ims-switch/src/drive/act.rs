//! Carrying a plan out: every step as soon as those it waits for have succeeded, independent ones at once, and
//! after the first failure or a signal none that has not begun.

use std::sync::mpsc::channel;
use std::time::Duration;

use ims::output::Format;
use ims::span::millis;
use ims::sys::stderr;
use ims::{Fail, Host, Out};

use super::team::Team;
use crate::fence;
use crate::interrupt::Interrupt;
use crate::journal::Journal;
use crate::lap::Done;
use crate::plan::{Step, Verb};
use crate::record::{Outcome, StepRecord};
use crate::seat::wire::{Ask, Say, answers_another};

/// What a request to another node may take beyond the limits of its resource.
const MARGIN: Duration = Duration::from_secs(30);

/// What carrying a plan out needs.
#[derive(Debug, Clone, Copy)]
pub struct Crew<'a> {
    /// This node.
    pub host: &'a Host,
    /// The nodes.
    pub team: &'a Team,
    /// Where it is noted.
    pub journal: &'a Journal,
    /// Whether to go on.
    pub interrupt: &'a Interrupt,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Came {
    /// The gravest failure, of equally grave ones the first, with the step that it belongs to.
    pub fail: Option<Fail>,
    /// The signal that stopped it between two steps.
    pub interrupted: Option<&'static str>,
    /// The steps that were taken, in the order they ended.
    pub records: Vec<StepRecord>,
    /// Why nobody was told of some of them.
    pub untold: Option<Fail>,
}

impl Came {
    /// Notes a step's failure: one that ended half-way must not be overlooked for another that failed before it.
    fn failed(&mut self, step: &StepRecord, fail: Fail) {
        let is_graver =
            self.fail.as_ref().is_none_or(|known| known.exit().gravest(fail.exit()) != known.exit());
        if is_graver {
            let what = step.resource.as_ref().map_or_else(|| step.node.to_string(), ToString::to_string);
            let place = format!("cannot {} {what} on {}", step.verb, step.node);
            self.fail = Some(Fail::new(fail.exit(), place).because(fail));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Waiting,
    Begun,
    Done,
    Failed,
}

impl Crew<'_> {
    /// Carries the steps out; the first gets the number after `before`.
    pub fn act(&self, steps: &[Step], before: usize, out: &mut Out) -> Came {
        let mut marks = vec![Mark::Waiting; steps.len()];
        let mut came = Came::default();
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            loop {
                if came.interrupted.is_none() {
                    came.interrupted = self.interrupt.came();
                }
                if came.fail.is_none() && came.interrupted.is_none() {
                    for index in ready(steps, &marks) {
                        let (Some(step), Some(mark)) = (steps.get(index), marks.get_mut(index)) else {
                            continue;
                        };
                        *mark = Mark::Begun;
                        let record = self.record(step, index, before);
                        noted(self.journal.intend(&record));
                        let sender = sender.clone();
                        scope.spawn(move || {
                            let done = self.take(step);
                            // The receiver lives as long as this scope.
                            let _ = sender.send((index, record, done));
                        });
                    }
                }
                if !marks.contains(&Mark::Begun) {
                    return;
                }
                let Ok((index, record, done)) = receiver.recv() else { return };
                let record = self.ended(record, &done);
                if let Some(mark) = marks.get_mut(index) {
                    *mark = if done.is_ok() { Mark::Done } else { Mark::Failed };
                }
                noted(self.journal.end(&record));
                // Nobody who listens is no reason to stop half-way either; it is told at the end.
                if let Err(untold) = tell(&record, out) {
                    came.untold.get_or_insert(untold);
                }
                if let Err(fail) = done {
                    came.failed(&record, fail);
                }
                came.records.push(record);
            }
        });
        // A signal that came when all was done already stopped nothing.
        if marks.iter().all(|mark| *mark == Mark::Done) {
            came.interrupted = None;
        }
        came
    }

    fn record(&self, step: &Step, index: usize, before: usize) -> StepRecord {
        StepRecord {
            run: Some(self.journal.run().to_owned()),
            at_ms: Some(self.journal.at_ms()),
            outcome: Outcome::Begun,
            ..planned(&self.team.group.name, step, index, before)
        }
    }

    fn ended(&self, record: StepRecord, done: &Result<Done, Fail>) -> StepRecord {
        let at = record.at_ms.unwrap_or_default();
        let took_ms = Some(self.journal.at_ms().saturating_sub(at));
        match done {
            Ok(done) => StepRecord {
                outcome: Outcome::Done,
                changed: done.changed,
                parts: done.parts.clone(),
                took_ms,
                ..record
            },
            Err(fail) => {
                StepRecord { outcome: Outcome::Failed, message: Some(fail.to_string()), took_ms, ..record }
            }
        }
    }

    fn take(&self, step: &Step) -> Result<Done, Fail> {
        let Some(resource) = &step.resource else { return self.fence(step) };
        let found = self.team.group.find(resource)?;
        let tries = found.policy.online_retry_limit + 1;
        let seat = self.team.seat(&step.node)?;
        let resource = resource.clone();
        let (ask, limit) = match step.verb {
            Verb::Start => (
                Ask::Start { resource, hints: step.hints.clone() },
                found.limits.online_timeout.saturating_mul(tries),
            ),
            Verb::Stop | Verb::Fence => (Ask::Stop { resource }, found.limits.offline_timeout),
        };
        let say = seat.ask(ask, limit.saturating_add(MARGIN))?;
        let Say::Done(done) = say else { return Err(answers_another(&step.node)) };
        Ok(done)
    }

    /// Fences a node and gives every node that answers the proof.
    fn fence(&self, step: &Step) -> Result<Done, Fail> {
        let fenced = fence::by_agent(self.host, &step.node, self.team.nodes.get(&step.node))?;
        self.team.prove(self.host, &fenced);
        Ok(Done { changed: true, parts: Vec::new() })
    }
}

/// A journal that cannot be written is no reason to stop half-way.
fn noted(written: Result<(), Fail>) {
    if let Err(fail) = written {
        stderr::say("ims-switch", fail);
    }
}

/// Prints a step that ended, and on a terminal says at once how far the run is.
fn tell(record: &StepRecord, out: &mut Out) -> Result<(), Fail> {
    if out.format() == Format::Table {
        let what = record.resource.as_ref().map_or_else(String::new, |resource| format!(" {resource}"));
        let took = record.took_ms.unwrap_or_default();
        let end = record.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
        stderr::say("ims-switch", format_args!("{}: {}{what}, {took} ms{end}", record.node, record.verb));
    }
    out.record(record)?;
    if out.format() == Format::Json { out.flush() } else { Ok(()) }
}

/// A step as a record, before anything was done.
pub fn planned(group: &ims::name::GroupName, step: &Step, index: usize, before: usize) -> StepRecord {
    StepRecord {
        run: None,
        group: group.clone(),
        step: before + index + 1,
        node: step.node.clone(),
        resource: step.resource.clone(),
        verb: step.verb.word().to_owned(),
        command: Some(step.command.clone()),
        why: step.why.clone(),
        after: step.after.iter().map(|other| before + other + 1).collect(),
        outcome: Outcome::Planned,
        changed: false,
        at_ms: None,
        took_ms: None,
        message: None,
        parts: Vec::new(),
    }
}

/// The steps that wait for nothing any more.
fn ready(steps: &[Step], marks: &[Mark]) -> Vec<usize> {
    let is_done = |index: &usize| marks.get(*index) == Some(&Mark::Done);
    steps
        .iter()
        .enumerate()
        .filter(|(index, step)| marks.get(*index) == Some(&Mark::Waiting) && step.after.iter().all(is_done))
        .map(|(index, _)| index)
        .collect()
}

/// The milliseconds of a length of time, for the records of a run.
pub fn since(began: std::time::Instant) -> u64 {
    millis(began.elapsed())
}

#[cfg(test)]
mod tests {
    use ims::Exit;

    use super::*;

    #[test]
    fn the_gravest_failure_is_told_with_its_own_step() {
        let record = |resource: &str| {
            let step = Step {
                node: "mail-1".parse().unwrap(),
                resource: Some(resource.parse().unwrap()),
                verb: Verb::Stop,
                after: Vec::new(),
                why: String::new(),
                hints: crate::plan::Hints::default(),
                command: String::new(),
            };
            planned(&"IMS-RG".parse().unwrap(), &step, 0, 0)
        };
        let mut came = Came::default();
        for (resource, fail, told) in [
            ("ip", Fail::failed("no address"), "cannot stop ip on mail-1: no address"),
            ("fs", Fail::broken("writes lost"), "cannot stop fs on mail-1: writes lost"),
            ("fs2", Fail::broken("writes lost too"), "cannot stop fs on mail-1: writes lost"),
            ("svc", Fail::unknown("silence"), "cannot stop fs on mail-1: writes lost"),
        ] {
            came.failed(&record(resource), fail);
            assert_eq!(came.fail.as_ref().unwrap().to_string(), told);
        }
        assert_eq!(came.fail.unwrap().exit(), Exit::Broken);
    }
}

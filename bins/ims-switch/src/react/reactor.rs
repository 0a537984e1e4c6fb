//! The loop of `ims-switch react`: it waits for records, for servers that end and for its own clock at once, and
//! decides about one fault after the other.

use std::os::fd::AsFd;
use std::time::Duration;

use ims::group::Group;
use ims::input::Piped;
use ims::registry::Registry;
use ims::span::Span;
use ims::sys::{exec, stderr};
use ims::{Exit, Fail, Host, Out, State};
use jiff::Timestamp;

use super::act::act;
use super::clock::{Clock, TURN};
use super::feed::Feed;
use super::finding::{Chosen, Finding};
use super::part::{self, Part};
use super::policy::{Counts, Heard};
use super::silence::Silence;
use super::watch::{Death, Watch};
use super::{Answer, Choice, marked, resource_of};
use crate::cli::React;
use crate::interrupt::Interrupt;
use crate::resource::Here;
use crate::resource::server::{self, First};

/// A run, and what it knows.
pub struct Reactor<'a> {
    host: &'a Host,
    asked: &'a React,
    group: Group,
    registry: Registry,
    interrupt: &'a Interrupt,
    out: &'a mut Out,
    counts: Counts,
    clock: Clock,
    silence: Silence,
    exit: Exit,
    strangers: Vec<String>,
}

impl<'a> Reactor<'a> {
    /// A run that knows nothing yet.
    pub fn new(
        host: &'a Host,
        asked: &'a React,
        group: Group,
        interrupt: &'a Interrupt,
        out: &'a mut Out,
    ) -> Result<Self, Fail> {
        Ok(Self {
            host,
            asked,
            group,
            registry: Registry::load(host)?,
            interrupt,
            out,
            counts: Counts::default(),
            clock: Clock::start(),
            silence: Silence::default(),
            exit: Exit::Ok,
            strangers: Vec::new(),
        })
    }

    /// Takes one turn after the other until the feed ends; what ended is dealt with before what was said.
    pub fn attend(mut self, mut feed: Feed, mut watch: Option<Watch>) -> Result<Exit, Fail> {
        loop {
            self.look_after(watch.as_mut())?;
            let mut fds = vec![feed.as_fd(), self.interrupt.as_fd()];
            fds.extend(watch.iter().flat_map(Watch::handles));
            let ready = exec::wait_any(&fds, TURN).map_err(|e| Fail::io(Exit::Unknown, "cannot wait", &e))?;
            if let Some(stood) = self.clock.turn().filter(|_| watch.is_some()) {
                let stood = Span(Duration::from_secs(stood.as_secs()));
                let what = "what was probed until now decides nothing";
                stderr::say(
                    "ims-switch",
                    format_args!("this run stood still for {stood}, or the clock was set: {what}"),
                );
            }
            if watch.is_some() {
                self.tell_of_silence()?;
            }
            // What is half read then is nobody's fault.
            if self.interrupt.came().is_some() {
                return Ok(self.exit);
            }
            if ready.first() == Some(&true) {
                // A run that ended meanwhile makes void what was probed before.
                self.look_after(watch.as_mut())?;
                let Some(answer) = feed.take()? else { return Ok(self.exit) };
                self.hear(answer, watch.as_ref())?;
            }
        }
    }

    /// Deals with servers that ended.
    fn look_after(&mut self, watch: Option<&mut Watch>) -> Result<(), Fail> {
        let Some(watch) = watch else { return Ok(()) };
        if watch.run_ended()? {
            self.clock.run_ended();
        }
        for death in watch.ends(self.host, &self.group)? {
            // A run that moves or restarts the group may have ended it: it is looked at again when that is over.
            if watch.is_under_change()? {
                return Ok(());
            }
            self.died(&death, watch)?;
        }
        Ok(())
    }

    /// Looks at a server whose first process ended, and decides.
    fn died(&mut self, death: &Death, watch: &mut Watch) -> Result<(), Fail> {
        let resource = self.group.find(&death.resource)?;
        let here = Here { host: self.host, group: &self.group, lock: None, ahead: None };
        let ended = format!("pid {} ended", death.process.pid);
        let (state, words) = match server::first(&here, resource, &death.program) {
            Ok(First::Runs(other)) if watch.follow(&death.resource, &death.program, other)? => {
                (State::Up, format!("{ended}, and pid {} runs in its place", other.pid))
            }
            // A run that is over by now forgot it, or asked it to end.
            Ok(First::Unknown) => return Ok(()),
            Ok(First::Runs(_) | First::Died(_)) => (State::Down, ended),
            Err(fail) => (State::Unknown, format!("{ended}: {fail}")),
        };
        if state != State::Up {
            watch.deal_with(death);
        }
        self.judge(
            &Finding {
                resource: death.resource.clone(),
                endpoint: format!("process:{}", death.program),
                state,
                words: Some(words),
                round: None,
                time: Timestamp::now(),
                heard: Ok(self.clock.now()),
            },
            |_| Ok(Part::Ours),
        )
    }

    /// Hears what a probe found.
    fn hear(&mut self, answer: Piped<Answer>, watch: Option<&Watch>) -> Result<(), Fail> {
        let answer = answer.record;
        let Some(resource) = resource_of(&self.group, &self.registry, &answer) else {
            if !self.strangers.contains(&answer.endpoint) {
                stderr::say(
                    "ims-switch",
                    format_args!("{} is no part of {}", answer.endpoint, self.group.name),
                );
                self.strangers.push(answer.endpoint);
            }
            return Ok(());
        };
        let heard = match watch {
            Some(_) => self.clock.heard(answer.time),
            None => Ok(answer.time), // a recorded stream has the time of its records
        };
        self.silence.broken(&answer.endpoint, &resource.name, self.clock.now());
        let finding = Finding {
            resource: resource.name.clone(),
            endpoint: answer.endpoint,
            state: answer.state,
            words: answer.words,
            round: answer.attempt,
            time: answer.time,
            heard,
        };
        if finding.state == State::Up {
            if let Ok(time) = finding.heard {
                let heard = Heard { state: State::Up, round: finding.round, time };
                self.counts.decide(&resource.name, &resource.policy, &heard);
            }
            return Ok(());
        }
        let (host, is_replayed) = (self.host, watch.is_none());
        let under_change = watch.map_or(Ok(false), Watch::is_under_change)?;
        if under_change {
            return self.tell(
                &finding,
                Chosen::nothing(format!("another run changes {}", self.group.name)),
                None,
            );
        }
        self.judge(&finding, |group| if is_replayed { Ok(Part::Ours) } else { part::find(host, group) })
    }

    /// Tells of what nothing is heard of any more.
    fn tell_of_silence(&mut self) -> Result<(), Fail> {
        for silent in self.silence.too_long(&self.group.resources, self.clock.now()) {
            let finding = Finding {
                resource: silent.resource,
                endpoint: silent.endpoint,
                state: State::Unknown,
                words: None,
                round: None,
                time: Timestamp::now(),
                heard: Ok(silent.since),
            };
            self.tell(&finding, Chosen::nothing(silent.reason), None)?;
        }
        Ok(())
    }

    /// Decides about something that was found, does what was decided, and tells it.
    fn judge(
        &mut self,
        finding: &Finding,
        part: impl FnOnce(&Group) -> Result<Part, Fail>,
    ) -> Result<(), Fail> {
        let mut chosen = self.choose(finding, part)?;
        let resource = finding.resource.clone();
        let mut status = None;
        if !self.asked.dry_run {
            let plan = (chosen.choice, &chosen.part);
            let done = act(self.host, self.asked, &resource, plan, self.interrupt, self.out);
            if let Some((done, besides)) = done {
                self.exit = self.exit.gravest(done);
                chosen.reason.extend(besides.map(|besides| format!("; {besides}")));
                let is_stopped = self.interrupt.came().is_some();
                if chosen.choice == Choice::Giveover && marked::is_final(done) && !is_stopped {
                    let why = format!("{}, and that ended as {}", chosen.reason, done.word());
                    marked::give_up(self.host, &self.group.name, &resource, &why, self.asked.timeout.0);
                }
                status = Some(done);
            }
            self.clock.worked();
        }
        let time = if self.asked.dry_run { finding.time } else { self.clock.now() };
        self.counts.acted(&resource, chosen.choice, time);
        self.tell(finding, chosen, status)
    }

    fn choose(
        &mut self,
        finding: &Finding,
        part: impl FnOnce(&Group) -> Result<Part, Fail>,
    ) -> Result<Chosen, Fail> {
        let resource = self.group.find(&finding.resource)?;
        if let Some(why) = marked::stays(self.host, &self.group.name, resource) {
            return Ok(Chosen::nothing(why));
        }
        let time = match &finding.heard {
            Ok(time) => *time,
            Err(why) => return Ok(Chosen::nothing(why)),
        };
        let part = match finding.state {
            State::Down => part(&self.group),
            State::Up | State::Partial | State::Unknown => Ok(Part::Ours),
        };
        let part = match part {
            Ok(part) => part,
            Err(fail) => return Ok(Chosen::nothing(format!("whose part it is is unknown: {fail}"))),
        };
        if let Part::Of(node) = &part {
            return Ok(Chosen::nothing(format!(
                "{} is on {node}, where another run reacts",
                self.group.name
            )));
        }
        let heard = Heard { state: finding.state, round: finding.round, time };
        let (choice, reason) = self.counts.decide(&resource.name, &resource.policy, &heard);
        Ok(match (choice, &part) {
            (Choice::Restart, Part::Orphan(lost)) => Chosen {
                choice: Choice::Giveover,
                reason: format!("no node that answers has {}, and {lost} does not answer", self.group.name),
                part,
            },
            (Choice::Nothing | Choice::Tolerate | Choice::Restart | Choice::Giveover, _) => {
                Chosen { choice, reason, part }
            }
        })
    }

    fn tell(&mut self, finding: &Finding, chosen: Chosen, status: Option<Exit>) -> Result<(), Fail> {
        self.out.record(&finding.decision(&self.group.name, chosen, status, self.asked.dry_run))?;
        self.out.flush()
    }
}

//! A child of ourselves that does what may hang: it reads a disk, mounts, unmounts.
//!
//! A process that waits for a dead disk cannot be killed, and a program with such a thread cannot end. So the waiting
//! is done by a second process, asked over a pipe, one line of JSON a question and an answer; the first keeps its
//! deadline whatever happens. The hand dies with the one who started it, and may hold a lock while it lives.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, set_parent_process_death_signal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exec::{self, Line};
use super::lock::Lock;
use super::stop::Stop;
use crate::{Exit, Fail};

/// How long a hand that is let go may take to end; one that hangs is left to the kernel.
const GRACE: Duration = Duration::from_millis(200);

/// The asking end.
#[derive(Debug)]
pub struct Hand {
    child: Child,
    questions: Option<File>,
    answers: File,
    heard: Vec<u8>,
    is_waited_for: bool,
}

/// What came of waiting for an answer.
#[derive(Debug)]
pub enum Heard<A> {
    /// The answer.
    Answer(A),
    /// Nothing yet.
    Silence,
    /// A signal asks us to stop, by its name.
    Stopped(&'static str),
}

impl Hand {
    /// Starts this very program again with the given words, which lead it to [`serve`].
    ///
    /// The hand keeps `lock` until it ends, so that a step that outlives its starter still keeps others out.
    pub fn start(words: &[&str], lock: Option<&Lock>) -> Result<Self, Fail> {
        let cannot = |e: &io::Error| Fail::io(Exit::Unknown, "cannot start a helper process", e);
        let line = Line::new(["/proc/self/exe"].iter().chain(words).copied());
        let line = line.arg(std::process::id().to_string());
        let held = lock.map(|lock| lock.file().file());
        let mut child = line.spawn_keeping(held, Stdio::piped(), Stdio::piped(), Stdio::inherit())?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fail::unknown("a helper process without pipes"));
        };
        let (questions, answers) = (File::from(OwnedFd::from(questions)), File::from(OwnedFd::from(answers)));
        rustix::fs::fcntl_setfl(&answers, rustix::fs::OFlags::NONBLOCK).map_err(|e| cannot(&e.into()))?;
        Ok(Self { child, questions: Some(questions), answers, heard: Vec::new(), is_waited_for: true })
    }

    /// The same; nobody waits for its end when it is let go. For one whose starter ends in the same moment.
    #[must_use]
    pub fn left_to_end(mut self) -> Self {
        self.is_waited_for = false;
        self
    }

    /// Has an idle hand stay until this process ends: the kernel takes it apart then.
    pub fn rest(self) {
        std::mem::forget(self); // its pipes stay open
    }

    /// Its pid, for messages about one that hangs.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Puts a question.
    pub fn ask<Q: Serialize>(&mut self, question: &Q) -> Result<(), Fail> {
        let mut line = serde_json::to_vec(question).map_err(|e| Fail::unknown("cannot ask").because(e))?;
        line.push(b'\n');
        match &mut self.questions {
            Some(pipe) => pipe.write_all(&line).map_err(|e| gone(&e)),
            None => Err(Fail::unknown("a helper process without pipes")),
        }
    }

    /// Waits for the answer to the question, for at most `patience`, or until a signal asks to stop.
    pub fn answer<A: DeserializeOwned>(
        &mut self,
        patience: Duration,
        stop: Option<&Stop>,
    ) -> Result<Heard<A>, Fail> {
        let end = Instant::now() + patience;
        loop {
            self.listen()?;
            if let Some(at) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=at).collect();
                return serde_json::from_slice(&line)
                    .map(Heard::Answer)
                    .map_err(|e| Fail::unknown("a helper process answers nonsense").because(e));
            }
            if let Some(signal) = stop.and_then(Stop::ended_by) {
                return Ok(Heard::Stopped(signal));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Heard::Silence);
            }
            let wait = Timespec::try_from(left).map_err(|e| Fail::unknown("cannot wait").because(e))?;
            let mut fds = vec![PollFd::new(&self.answers, PollFlags::IN)];
            fds.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
            match poll(&mut fds, Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(gone(&e.into())),
            }
        }
    }

    fn listen(&mut self) -> Result<(), Fail> {
        let mut buffer = [0u8; 4096];
        loop {
            match self.answers.read(&mut buffer) {
                Ok(0) => return Err(gone(&io::ErrorKind::UnexpectedEof.into())),
                Ok(length) => self.heard.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(gone(&e)),
            }
        }
    }

    /// Ends the hand at once, whatever it does; says whether it is gone, or hangs in the kernel.
    pub fn end(mut self) -> bool {
        // It may have ended by itself, which is what is wanted.
        let _ = self.child.kill();
        self.is_gone_within(GRACE)
    }

    fn is_gone_within(&mut self, patience: Duration) -> bool {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let is_over = pid
            .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
            .is_none_or(|pidfd| exec::wait_readable(&pidfd, patience).unwrap_or(false));
        is_over && self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Hand {
    /// Lets an idle hand end by itself, so that what it holds is free when the command ends.
    fn drop(&mut self) {
        self.questions = None;
        if self.is_waited_for && !matches!(self.child.try_wait(), Ok(Some(_))) && !self.is_gone_within(GRACE)
        {
            // It hangs; the signal waits for it where it waits for the disk.
            let _ = self.child.kill();
        }
    }
}

fn gone(error: &io::Error) -> Fail {
    Fail::io(Exit::Unknown, "the helper process is gone", error)
}

/// The answering end: does what it is asked until nobody asks any more, or its starter (a pid) is gone.
pub fn serve<Q: DeserializeOwned, A: Serialize>(
    starter: u32,
    mut answer: impl FnMut(Q) -> A,
) -> Result<(), Fail> {
    let cannot = |e: io::Error| Fail::io(Exit::Unknown, "cannot serve", &e);
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| cannot(e.into()))?;
    // It may have died before that call, and then nobody would tell us.
    if rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()) != Some(starter) {
        return Err(Fail::usage("nobody started this helper").hint("it is not for typing"));
    }
    std::env::set_current_dir("/").map_err(cannot)?;
    // Whoever reads our starter's stderr to its end does not wait for a hand that hangs.
    let nobody = File::options().write(true).open("/dev/null").map_err(cannot)?;
    nix::unistd::dup2_stderr(&nobody).map_err(|e| cannot(e.into()))?;
    let mut answers = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let question = serde_json::from_str(&line.map_err(cannot)?)
            .map_err(|e| Fail::usage("not a question").because(e))?;
        let mut line = serde_json::to_vec(&answer(question)).map_err(|e| cannot(e.into()))?;
        line.push(b'\n');
        answers.write_all(&line).and_then(|()| answers.flush()).map_err(cannot)?;
    }
    Ok(())
}

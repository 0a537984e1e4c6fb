//! A command that was started ahead, and waits for the word to begin: one of ours (`--when-told`) for a line on its stdin,
//! another's behind a shell that waits for it.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::attend::{kill_group, wait_readable};
use super::{Ended, Line};
use crate::{Exit, Fail};

/// A shell that says that it is ready, waits for a line by the pipe that its starter has open (`PID/fd/NUMBER`), and runs
/// the rest of its words; when the pipe ends first it ends too. What is on its own stdin it keeps to itself.
const SHELL: &str = r#"{ echo ready; read -r word; } <"/proc/$0" && [ "$word" = begin ] || exit
"$@" </dev/null; exit $?"#;

/// What a command is told.
const WORD: &[u8] = b"begin\n";

/// How long one that is let go may take to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// One that waits. Dropped, it is let go: it ends without having done anything.
#[derive(Debug)]
pub struct Waiting {
    line: Line,
    child: Option<Child>,
    /// By what it is told, unless that is its stdin. The end that is read stays open until the shell has ended: one that
    /// is late opens it by its number, which is another file's as soon as it is free.
    word: Option<(PipeReader, PipeWriter)>,
    /// The stdin of one that was told: while it is open, a command of ours that has told its end rests.
    told: Option<ChildStdin>,
}

impl Line {
    /// Starts the program ahead. It has a file of ours open, a lock above all, until it ends.
    pub fn ahead(&self, held: Option<&File>) -> Result<Waiting, Fail> {
        let child = self.spawn_keeping(held, Stdio::piped(), Stdio::piped(), Stdio::piped())?;
        Ok(Waiting {
            line: Self { tells_end: true, ..self.clone() },
            child: Some(child),
            word: None,
            told: None,
        })
    }

    /// Starts the shell ahead that will run this line ([`Line::waited_for`]): it has a file of ours open, a lock above
    /// all, until the line has ended, and none of the daemons has that the line leaves behind.
    pub fn waited_for_ahead(&self, held: &File) -> Result<Waiting, Fail> {
        let cannot =
            |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), e);
        let word = pipe().map_err(|e| cannot(&e))?;
        let held = held.try_clone().map_err(|e| cannot(&e))?;
        let shell = ["/bin/sh", "-c", SHELL].map(ToOwned::to_owned);
        let pipe = format!("{}/fd/{}", std::process::id(), word.0.as_raw_fd());
        let behind = [&shell[..], &[pipe]].concat();
        let child = self.clone().behind(&behind).spawn(held.into(), Stdio::piped(), Stdio::piped())?;
        Ok(Waiting { line: self.clone(), child: Some(child), word: Some(word), told: None })
    }
}

impl Waiting {
    /// Waits until it says that it is ready, by its first line on stdout, or the time is up.
    pub fn is_ready(&mut self, end: Instant) -> bool {
        let Some(stdout) = self.child.as_mut().and_then(|child| child.stdout.as_mut()) else { return false };
        let mut byte = [0u8; 1];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let can_be_read = wait_readable(&*stdout, left).unwrap_or(false);
            if !can_be_read || !stdout.read(&mut byte).is_ok_and(|read| read == 1) {
                return false;
            }
            if byte == *b"\n" {
                return true;
            }
        }
    }

    /// Whether it still waits, and was not ended by somebody.
    pub fn is_there(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Tells it to begin, and runs it to its end or the deadline, as [`Line::run`] does. It rests until this is dropped.
    pub fn run(&mut self, timeout: Duration) -> Result<Ended, Fail> {
        let Some(mut child) = self.child.take() else {
            return Err(Fail::unknown(format!("{} was told to begin before", self.line.program())));
        };
        self.told = child.stdin.take();
        let (reader, writer) = self.word.take().unzip();
        // One that is gone by now is seen to be.
        let _ = self.told.as_ref().map(|mut pipe| pipe.write_all(WORD));
        let _ = writer.map(|mut pipe| pipe.write_all(WORD));
        let ended = self.line.end_of(child, b"", timeout, None);
        drop(reader);
        ended
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        drop(child.stdin.take());
        let _read = self.word.take().map(|(reader, _)| reader);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pidfd = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        if pidfd.is_some_and(|pidfd| wait_readable(&pidfd, GRACE).unwrap_or(false)) {
            // Reaps it, which does not wait any more.
            let _ = child.wait();
        } else {
            kill_group(&mut child);
        }
    }
}

//! A command of ours that was started ahead (`--when-told`), and waits for the line on its stdin.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::attend::{kill_group, wait_readable};
use super::{Ended, Line};
use crate::Fail;

/// How long one that is let go may take to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// One that waits. Dropped, it is let go: it ends without having done anything.
#[derive(Debug)]
pub struct Waiting {
    line: Line,
    child: Option<Child>,
}

impl Line {
    /// Starts the program ahead. It has a file of ours open, a lock above all, until it ends.
    pub fn ahead(&self, held: Option<&File>) -> Result<Waiting, Fail> {
        let child = self.spawn_keeping(held, Stdio::piped(), Stdio::piped(), Stdio::piped())?;
        Ok(Waiting { line: Self { tells_end: true, ..self.clone() }, child: Some(child) })
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

    /// Tells it to begin, and runs it to its end or the deadline, as [`Line::run`] does.
    pub fn run(mut self, timeout: Duration) -> Result<Ended, Fail> {
        match self.child.take() {
            Some(child) => self.line.end_of(child, b"begin\n", timeout, None),
            None => Err(Fail::unknown(format!("{} was told to begin before", self.line.program()))),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        drop(child.stdin.take());
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

//! Waiting for a line on stdin, or for a signal.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::exec::wait_readable;
use super::stop::Stop;
use crate::{Exit, Fail};

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// A line, whatever it says.
    Line,
    /// The end of the input.
    End,
    /// A signal that asks us to stop, by its name.
    Signal(&'static str),
}

/// Waits for one line, for as long as whoever writes lives. What follows it is left where it is.
pub fn a_line(stop: &Stop) -> Result<Came, Fail> {
    let cannot = |e: rustix::io::Errno| Fail::io(Exit::Unknown, "cannot read stdin", &io::Error::from(e));
    let stdin = io::stdin(); // read past its buffer
    let mut byte = [0u8; 1];
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(cannot(e)),
        }
        let [input, signal] = fds.map(|fd| !fd.revents().is_empty());
        if signal && let Some(signal) = stop.ended_by() {
            return Ok(Came::Signal(signal));
        }
        if input {
            match rustix::io::read(&stdin, &mut byte) {
                Ok(0) => return Ok(Came::End),
                Ok(_) if byte == *b"\n" => return Ok(Came::Line),
                Ok(_) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(e) => return Err(cannot(e)),
            }
        }
    }
}

/// Waits for the end of the input, for at most so long.
pub fn end(at_most: Duration) {
    let stdin = io::stdin();
    let end = Instant::now() + at_most;
    let mut bytes = [0u8; 64];
    while Instant::now() < end
        && wait_readable(&stdin, end.saturating_duration_since(Instant::now())).unwrap_or(false)
        && rustix::io::read(&stdin, &mut bytes).is_ok_and(|read| read > 0)
    {}
}

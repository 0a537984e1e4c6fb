//! What is on its way to stdout. A reader that has stopped reading must not stop the probes, nor keep a signal from
//! ending the run; one that has gone ends it, even between two probes.

use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ims::sys::stdout::is_open;
use ims::{Exit, Fail};
use rustix::event::epoll::EventFlags;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};

use crate::engine::{Bell, Hub};
use crate::live::Size;

/// What a pipe that takes anything takes without a wait (`PIPE_BUF`).
pub const PIECE: usize = 4096;
/// When so much is not taken, no new probes begin.
const MOST: usize = 256 * 1024;

/// Bytes that wait to be written.
#[derive(Debug, Clone, Default)]
pub struct Waiting(Arc<Mutex<Vec<u8>>>);

impl Waiting {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Waiting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stdout, and what it has not taken yet.
#[derive(Debug)]
pub struct Outlet {
    stdout: Stdout,
    waiting: Waiting,
    /// A file and a device such as `/dev/null` take everything at once and cannot be listened to.
    may_block: bool,
    is_blocked: bool,
}

impl Outlet {
    /// Listens from now on whether somebody is there to read.
    pub fn open(hub: &Hub) -> Result<Self, Fail> {
        is_open().map_err(|error| lost(&error))?;
        let stdout = io::stdout();
        let may_block = match hub.listen(&stdout, Bell::Stdout, EventFlags::empty()) {
            Ok(()) => true,
            Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => false,
            Err(error) => return Err(lost(&error)),
        };
        Ok(Self { stdout, waiting: Waiting::default(), may_block, is_blocked: false })
    }

    /// Where to put what is to be written, in whole lines.
    pub fn sink(&self) -> Waiting {
        self.waiting.clone()
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.waiting.bytes().len()
    }

    /// Whether so much waits that no more should come.
    pub fn is_full(&self) -> bool {
        self.waiting() > MOST
    }

    /// The size of the window behind stdout, when it is a terminal.
    pub fn window(&self) -> Option<Size> {
        if !self.stdout.is_terminal() {
            return None;
        }
        // One that does not tell, a serial line for one, is as small as they were.
        let told = rustix::termios::tcgetwinsize(&self.stdout).ok().filter(|size| size.ws_col > 0);
        Some(told.map_or(Size { rows: 24, columns: 80 }, |size| Size {
            rows: size.ws_row.into(),
            columns: size.ws_col.into(),
        }))
    }

    /// Whether it is known that stdout takes nothing now; the hub tells when it does.
    pub const fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Writes as much as is taken without a wait, and never half a line.
    pub fn write(&mut self, hub: &Hub) -> Result<(), Fail> {
        let mut waiting = self.waiting.bytes();
        let mut written = 0;
        let mut is_blocked = false;
        while let Some(rest) = waiting.get(written..).filter(|rest| !rest.is_empty()) {
            let piece = if self.may_block { piece(rest) } else { rest };
            is_blocked = self.may_block && !takes(&self.stdout).map_err(|errno| lost(&errno.into()))?;
            if is_blocked {
                break;
            }
            match rustix::io::write(&self.stdout, piece) {
                Ok(some) => written += some,
                Err(Errno::INTR) => {}
                // It was made non-blocking by somebody else.
                Err(Errno::AGAIN) => {
                    is_blocked = true;
                    break;
                }
                Err(errno) => return Err(lost(&errno.into())),
            }
        }
        waiting.drain(..written);
        drop(waiting);
        if is_blocked != self.is_blocked {
            let flags = if is_blocked { EventFlags::OUT } else { EventFlags::empty() };
            hub.listen_for(&self.stdout, Bell::Stdout, flags).map_err(|error| lost(&error))?;
            self.is_blocked = is_blocked;
        }
        Ok(())
    }
}

/// The whole lines that fit into a piece, or one that is longer.
fn piece(waiting: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| *byte == b'\n';
    let first = waiting.get(..PIECE).unwrap_or(waiting);
    let end = first.iter().rposition(is_end).or_else(|| waiting.iter().position(is_end));
    end.and_then(|end| waiting.get(..=end)).unwrap_or(waiting)
}

/// Whether a piece can be written without a wait; a reader that has gone lets the write tell it.
fn takes(stdout: &Stdout) -> Result<bool, Errno> {
    let mut asked = [PollFd::new(stdout, PollFlags::OUT)];
    Ok(retry_on_intr(|| poll(&mut asked, Some(&Timespec::default())))? > 0)
}

/// The failure that a write without a reader meets.
pub fn reader_gone() -> Fail {
    lost(&Errno::PIPE.into())
}

/// Nobody got what was told.
pub fn lost(error: &io::Error) -> Fail {
    Fail::io(Exit::Unknown, "cannot write to stdout", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_whole_lines_that_a_pipe_takes_at_once() {
        assert_eq!(piece(b"one\ntwo\nthr"), b"one\ntwo\n");
        let line = [b"x".repeat(1500), b"\n".to_vec()].concat();
        assert_eq!(piece(&line.repeat(9)).len(), 2 * line.len());
        let long = [b"x".repeat(2 * PIECE), b"\nnext\n".to_vec()].concat();
        assert_eq!(piece(&long).len(), 2 * PIECE + 1);
    }
}

//! The records on stdin, for a loop that waits for other things too: they are read beside it, one ahead at most, so
//! that a prober notices when nobody has time for what it says.

use std::fs::File;
use std::io::{self, BufReader, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, sync_channel};

use ims::input::{Piped, records};
use ims::sys::exec;
use ims::{Exit, Fail};

use super::Answer;
use crate::interrupt::Interrupt;

/// The records of stdin until its end or a signal, whichever comes first.
#[derive(Debug)]
pub struct Feed {
    records: Receiver<Result<Piped<Answer>, Fail>>,
    /// Rings once for each record, and is closed at the end.
    bell: PipeReader,
}

fn cannot(error: &io::Error) -> Fail {
    Fail::io(Exit::Unknown, "cannot read stdin", error)
}

impl Feed {
    /// Begins to read.
    pub fn open(interrupt: &Interrupt) -> Result<Self, Fail> {
        let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(|e| cannot(&e))?;
        let stdin = BufReader::new(Stdin { stdin: File::from(stdin), interrupt: interrupt.clone() });
        let (bell, mut ringer) = io::pipe().map_err(|e| cannot(&e))?;
        let (sender, received) = sync_channel(0);
        // It ends with stdin, with a signal, or with this program.
        std::thread::spawn(move || {
            for record in records::<Answer>("ims-switch", stdin) {
                if ringer.write_all(b".").is_err() || sender.send(record).is_err() {
                    return;
                }
            }
        });
        Ok(Self { records: received, bell })
    }

    /// The next record, once the bell rang; none at the end.
    pub fn take(&mut self) -> Result<Option<Piped<Answer>>, Fail> {
        let mut ring = [0];
        match self.bell.read(&mut ring).map_err(|e| cannot(&e))? {
            0 => Ok(None),
            _ => self.records.recv().ok().transpose(),
        }
    }
}

impl AsFd for Feed {
    /// A descriptor that is readable when there is a record, and at the end.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

struct Stdin {
    stdin: File,
    interrupt: Interrupt,
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        exec::wait_either(&self.stdin, &self.interrupt)?;
        if self.interrupt.came().is_some() { Ok(0) } else { self.stdin.read(buffer) }
    }
}

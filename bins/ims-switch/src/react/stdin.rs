//! Stdin for one who waits for signals too: it ends when one comes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;

use ims::sys::exec;
use ims::{Exit, Fail};

use crate::interrupt::Interrupt;

/// Stdin until its end or a signal, whichever comes first.
pub fn until(interrupt: &Interrupt) -> Result<impl BufRead, Fail> {
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let stdin = stdin.map_err(|e| Fail::io(Exit::Unknown, "cannot read stdin", &e))?;
    Ok(BufReader::new(Stdin { stdin: File::from(stdin), interrupt }))
}

struct Stdin<'a> {
    stdin: File,
    interrupt: &'a Interrupt,
}

impl Read for Stdin<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        exec::wait_either(&self.stdin, self.interrupt)?;
        if self.interrupt.came().is_some() { Ok(0) } else { self.stdin.read(buffer) }
    }
}

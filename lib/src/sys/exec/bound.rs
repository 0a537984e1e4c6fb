//! A program bound to the one who starts it: it gets the signals that are held back here, and ends with us.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::signal::SigSet;
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

/// Binds a program to the thread that will start it.
///
/// A signal that is held back here would stay held back in the program, in what it starts, and in what it leaves
/// behind: a master of ssh(1) that serves later connections, for example, could not be asked to end. And a program in
/// a process group of its own is not reached by what the terminal sends us.
pub(super) fn bind(command: &mut Command) {
    let starter = getpid();
    let begin = move || {
        SigSet::empty().thread_set_mask()?;
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // Whoever started it may have died before that call, and then nobody would tell it.
        if getppid() == Some(starter) { Ok(()) } else { Err(std::io::ErrorKind::Interrupted.into()) }
    };
    // SAFETY: between fork and exec only system calls are made (sigprocmask, prctl, getppid), nothing is allocated and
    // no lock is taken.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(begin)
    };
}

//! SIGINT and SIGTERM as something to ask for between two steps, instead of an end in the middle of one.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::Fail;

/// From its making on, SIGINT and SIGTERM wait until they are asked for.
#[derive(Debug)]
pub struct Stop(SignalFd);

impl Stop {
    /// Begins to hold the signals back; to be called before any thread is started.
    pub fn watch() -> Result<Self, Fail> {
        let cannot = |e: nix::Error| Fail::unknown("cannot hold signals back").because(e.desc());
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.add(Signal::SIGTERM);
        signals.thread_block().map_err(cannot)?;
        SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map(Self)
            .map_err(cannot)
    }

    /// The name of the signal that came since the last time, if one did.
    pub fn asked(&self) -> Option<&'static str> {
        let signal = self.0.read_signal().ok().flatten()?;
        i32::try_from(signal.ssi_signo)
            .ok()
            .and_then(|number| Signal::try_from(number).ok())
            .map(Signal::as_str)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_waits_until_it_is_asked_for() {
        let stop = Stop::watch().unwrap();
        assert_eq!(stop.asked(), None);
        nix::sys::signal::raise(Signal::SIGTERM).unwrap(); // to this thread, which holds it back
        assert_eq!((stop.asked(), stop.asked()), (Some("SIGTERM"), None));
    }
}

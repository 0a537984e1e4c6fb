//! SIGINT and SIGTERM as something to ask for between two steps, instead of an end in the middle of one.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Fail;

/// From its making on, SIGINT and SIGTERM wait until they are asked for.
#[derive(Debug)]
pub struct Stop(SignalFd);

impl Stop {
    /// Begins to hold the signals back; to be called before any thread is started.
    pub fn watch() -> Result<Self, Fail> {
        let cannot = |e: nix::Error| Fail::unknown("cannot hold signals back").because(e.desc());
        let signals = held();
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

    /// Lets the signals do again what they do; one that came and was not asked for does it now.
    pub fn end(self) {
        // They were held back by the same call, which cannot fail for such a set.
        let _ = held().thread_unblock();
    }

    /// Waits for at most so long; says whether a signal has come, which stays to be asked for.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut fds = [PollFd::new(self, PollFlags::IN)];
        // A wait that the kernel refuses or breaks off is a short one.
        Timespec::try_from(timeout).is_ok_and(|timeout| poll(&mut fds, Some(&timeout)).is_ok_and(|n| n > 0))
    }

    /// Whether a signal has come that nobody has asked for yet.
    pub fn is_asked(&self) -> bool {
        self.wait(Duration::ZERO)
    }
}

fn held() -> SigSet {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals
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
        assert!(!stop.wait(Duration::from_millis(1)));
        nix::sys::signal::raise(Signal::SIGTERM).unwrap(); // to this thread, which holds it back
        assert!(stop.is_asked() && stop.wait(Duration::from_secs(10)));
        assert_eq!((stop.asked(), stop.asked()), (Some("SIGTERM"), None));
        nix::sys::signal::raise(Signal::SIGINT).unwrap();
        assert_eq!(stop.asked(), Some("SIGINT"));
        stop.end();
        assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGINT));
    }
}

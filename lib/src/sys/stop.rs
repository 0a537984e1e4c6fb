//! SIGINT and SIGTERM as something to ask for between two steps, instead of an end in the middle of one.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Fail;

/// From its making on, SIGINT and SIGTERM wait until they are asked for.
#[derive(Debug)]
pub struct Stop {
    signals: SignalFd,
    /// The one that ends the run.
    first: OnceLock<&'static str>,
}

impl Stop {
    /// Begins to hold the signals back; to be called before any thread is started.
    pub fn watch() -> Result<Self, Fail> {
        let cannot = |e: nix::Error| Fail::unknown("cannot hold signals back").because(e.desc());
        let signals = held();
        signals.thread_block().map_err(cannot)?;
        let signals =
            SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(cannot)?;
        Ok(Self { signals, first: OnceLock::new() })
    }

    /// The name of the signal that came since the last time, if one did.
    pub fn asked(&self) -> Option<&'static str> {
        let signal = self.signals.read_signal().ok().flatten()?;
        i32::try_from(signal.ssi_signo)
            .ok()
            .and_then(|number| Signal::try_from(number).ok())
            .map(Signal::as_str)
    }

    /// The name of the first signal that came: the same whoever asks, of several threads, and however often.
    ///
    /// A thread that waits for the signal as it is asked for by another learns of it when its wait is over.
    pub fn ended_by(&self) -> Option<&'static str> {
        if self.first.get().is_none()
            && let Some(signal) = self.asked()
        {
            return Some(self.first.get_or_init(|| signal));
        }
        self.first.get().copied()
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
        self.signals.as_fd()
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
        assert_eq!(stop.ended_by(), None);
        nix::sys::signal::raise(Signal::SIGTERM).unwrap();
        assert_eq!((stop.ended_by(), stop.ended_by()), (Some("SIGTERM"), Some("SIGTERM")));
        stop.end();
        assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGINT));
    }
}

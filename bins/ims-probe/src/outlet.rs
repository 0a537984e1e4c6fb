//! Whether somebody takes what is printed. A reader that has stopped reading must not stop the probes, nor keep
//! a signal from ending the run; one that has gone ends it, even between two probes.

use std::io;

use ims::{Exit, Fail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use tokio::task::{JoinHandle, spawn_blocking};

/// Waits until a line can be written without waiting.
pub async fn takes_a_line() -> Result<(), Fail> {
    if stdout_is(PollFlags::OUT, Some(&Timespec::default())).map_err(lost)?.is_empty() {
        // Blocked in a thread that a signal can leave behind.
        spawn_blocking(|| stdout_is(PollFlags::OUT, None))
            .await
            .map_err(|e| Fail::unknown("cannot wait for stdout").because(e))?
            .map_err(lost)?;
    }
    Ok(())
}

/// Waits, while probes come and go, for the moment in which nobody is left to read.
pub struct Reader(Option<JoinHandle<Result<PollFlags, Errno>>>);

impl Reader {
    /// Watches stdout from now on; must be called inside the runtime.
    pub fn watch() -> Self {
        // poll(2) tells errors and hang-ups unasked; a file has neither and is watched in vain.
        Self(Some(spawn_blocking(|| stdout_is(PollFlags::empty(), None))))
    }

    /// Leaves it to the next write to find out.
    pub const fn unwatched() -> Self {
        Self(None)
    }

    /// Ends with the failure that a write would meet.
    pub async fn gone(&mut self) -> Fail {
        match &mut self.0 {
            Some(watching) => match watching.await {
                Ok(Ok(_)) => lost(Errno::PIPE),
                Ok(Err(errno)) => lost(errno),
                Err(error) => Fail::unknown("cannot watch stdout").because(error),
            },
            None => std::future::pending().await,
        }
    }
}

/// What is true of stdout, waiting for it when there is time.
fn stdout_is(flags: PollFlags, wait: Option<&Timespec>) -> Result<PollFlags, Errno> {
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, flags)];
    retry_on_intr(|| poll(&mut asked, wait))?;
    let [asked] = asked;
    Ok(asked.revents())
}

fn lost(errno: Errno) -> Fail {
    Fail::io(Exit::Unknown, "cannot write to stdout", &errno.into())
}

//! SIGINT and SIGTERM as a question that is asked between two steps. SIGHUP, a terminal that goes away, stops nothing:
//! who sat there is not there to finish what would be left half-way.
//!
//! They are caught, not blocked: a blocked signal would stay blocked in every server that is started from here,
//! and such a server could not be asked to end.

use std::future::poll_fn;
use std::io::PipeReader;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use ims::{Exit, Fail};
use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody wants the run to stop.
#[derive(Debug, Clone)]
pub struct Interrupt {
    came: Arc<OnceLock<&'static str>>,
    /// Ends when a signal comes.
    pipe: Arc<PipeReader>,
}

impl Interrupt {
    /// Catches the signals from now on.
    pub fn watch() -> Result<Self, Fail> {
        let cannot = |e: std::io::Error| Fail::io(Exit::Unknown, "cannot catch signals", &e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(cannot)?;
        let (mut term, mut int, hup) = {
            let _inside = runtime.enter();
            (
                signal(SignalKind::terminate()).map_err(cannot)?,
                signal(SignalKind::interrupt()).map_err(cannot)?,
                signal(SignalKind::hangup()).map_err(cannot)?,
            )
        };
        let (pipe, writer) = std::io::pipe().map_err(cannot)?;
        let came = Arc::new(OnceLock::new());
        let told = Arc::clone(&came);
        std::thread::spawn(move || {
            let _caught = hup;
            let name = runtime.block_on(poll_fn(|context| {
                if term.poll_recv(context).is_ready() {
                    Poll::Ready("SIGTERM")
                } else if int.poll_recv(context).is_ready() {
                    Poll::Ready("SIGINT")
                } else {
                    Poll::Pending
                }
            }));
            // The first one counts; there is nothing else to set.
            let _ = told.set(name);
            drop(writer);
        });
        Ok(Self { came, pipe: Arc::new(pipe) })
    }

    /// The signal that came, if one did.
    pub fn came(&self) -> Option<&'static str> {
        self.came.get().copied()
    }
}

impl AsFd for Interrupt {
    /// A descriptor that is readable once a signal came.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

//! Work inside other namespaces: a thread of its own enters them, does the work and ends.
//!
//! A namespace belongs to a thread, so nothing else of the test process ever leaves the host's. What a thread
//! starts is born where the thread is; a program started so costs no more than anywhere.

use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use super::must::Must;

/// Runs `work` on a thread that has the given namespaces for itself.
pub fn apart<T: Send>(new: CloneFlags, work: impl FnOnce() -> T + Send) -> T {
    on_its_own(|| {
        unshare(new | CloneFlags::CLONE_FS).must("make namespaces");
        work()
    })
}

/// Runs `work` on a thread inside one namespace held by a file descriptor of it (`/proc/PID/ns/…`), or inside
/// those of a process held by its pidfd.
pub fn inside<T: Send>(at: impl AsFd, which: CloneFlags, work: impl FnOnce() -> T + Send) -> T {
    try_inside(at, which, work).must("enter the namespaces")
}

/// The same, for namespaces that may be gone.
pub fn try_inside<T: Send>(
    at: impl AsFd,
    which: CloneFlags,
    work: impl FnOnce() -> T + Send,
) -> nix::Result<T> {
    let at = at.as_fd();
    on_its_own(|| {
        unshare(CloneFlags::CLONE_FS)?;
        setns(at, which)?;
        Ok(work())
    })
}

/// Runs `work` on a thread, which may then be anywhere, and waits for it; a panic there is a panic here.
pub fn on_its_own<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

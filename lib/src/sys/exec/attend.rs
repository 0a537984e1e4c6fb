//! A child attended to: fed and drained until it ends, its process group ended when time is up.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::Ended;
use crate::ahead::ended;
use crate::sys::stop::Stop;

/// The most that is kept of each of a program's two outputs unless somebody wants more, in bytes; the rest is read
/// and dropped.
pub(super) const KEPT: usize = 1024 * 1024;

/// The most that a pipe holds (`fs.pipe-max-size`), in bytes.
const PIPE: usize = 1024 * 1024;

/// How long the kernel may take to end a program that was killed; one that waits for a dead disk is left to it.
const KILLED: Duration = Duration::from_secs(1);

pub(super) fn kill_group(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // The group may be gone already, which is what is wanted.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let pidfd = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    if pidfd.is_some_and(|pidfd| wait_readable(&pidfd, KILLED).unwrap_or(false)) {
        // Reaps it, which does not wait any more.
        let _ = child.wait();
    }
}

/// What came of attending to a child.
pub(super) enum Attended {
    /// It ended.
    Ended(Ended),
    /// It said with what status it ends, and its process is still to go.
    Ending(Ended),
    /// The deadline came first.
    Late,
    /// A signal asks us to stop.
    Stopped,
}

/// Feeds and drains a child until it ends, the deadline comes, or a signal waits in `stop`, which stays to be asked for. One
/// that tells its end ([`crate::ahead`]) is not waited for once it has.
pub(super) fn attend(
    child: &mut Child,
    stdin: &[u8],
    keeps: usize,
    end: Instant,
    stop: Option<&Stop>,
    tells_end: bool,
) -> io::Result<Attended> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let mut feed = child.stdin.take().map(|pipe| (OwnedFd::from(pipe), stdin));
    let mut pipes = [child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from)];
    let mut kept = [Vec::new(), Vec::new()];
    for fd in pipes.iter().flatten().chain(feed.iter().map(|(fd, _)| fd)) {
        rustix::fs::fcntl_setfl(fd, rustix::fs::OFlags::NONBLOCK)?;
    }
    loop {
        if let Some((pipe, rest)) = feed.take() {
            feed = pour(pipe, rest)?;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Attended::Late);
        }
        if stop.is_some_and(Stop::is_asked) {
            return Ok(Attended::Stopped);
        }
        let mut fds = vec![PollFd::new(&pidfd, PollFlags::IN)];
        fds.extend(pipes.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(feed.iter().map(|(fd, _)| PollFd::new(fd, PollFlags::OUT)));
        fds.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
        let wait = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut fds, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let is_over = fds.first().is_some_and(|fd| !fd.revents().is_empty());
        for (pipe, kept) in pipes.iter_mut().zip(&mut kept) {
            if let Some(fd) = pipe.take() {
                *pipe = drain(fd, kept, keeps)?;
            }
        }
        let [stdout, _] = &kept;
        if let Some(status) = ended(stdout).filter(|_| tells_end) {
            let [stdout, stderr] = kept;
            let status = Some(status.into());
            return Ok(Attended::Ending(Ended { status, signal: None, stdout, stderr }));
        }
        // A daemon that the program left behind may hold the pipes open: the program's own end counts.
        if is_over {
            let status = child.wait()?;
            let [stdout, stderr] = kept;
            let (status, signal) = (status.code(), status.signal());
            return Ok(Attended::Ended(Ended { status, signal, stdout, stderr }));
        }
    }
}

/// Writes what the pipe takes; gives back what is left, or closes the pipe when nothing is.
fn pour(pipe: OwnedFd, rest: &[u8]) -> io::Result<Option<(OwnedFd, &[u8])>> {
    let mut file = std::fs::File::from(pipe);
    let mut rest = rest;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(n) => rest = rest.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Some((file.into(), rest))),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(None), // it does not care for its stdin
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// Reads what is there, but no more at once than a pipe holds: one that is filled as fast as it is read would keep us
/// from the deadline. Gives the pipe back unless it is at its end.
fn drain(pipe: OwnedFd, kept: &mut Vec<u8>, keeps: usize) -> io::Result<Option<OwnedFd>> {
    let mut file = std::fs::File::from(pipe);
    let mut buffer = [0u8; 16 * 1024];
    for _ in 0..PIPE / buffer.len() {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(n) => {
                let room = keeps.saturating_sub(kept.len()).min(n);
                kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Some(file.into())),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(Some(file.into()))
}

/// Waits, for as long as it takes, until one of two file descriptors can be read or has ended.
pub fn wait_either(one: impl AsFd, other: impl AsFd) -> io::Result<()> {
    let mut fds = [PollFd::new(&one, PollFlags::IN), PollFd::new(&other, PollFlags::IN)];
    loop {
        match poll(&mut fds, None) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Waits until one of some file descriptors can be read or has ended, or the time is up; says of each whether it can.
pub fn wait_any(fds: &[BorrowedFd<'_>], timeout: Duration) -> io::Result<Vec<bool>> {
    let mut fds: Vec<PollFd<'_>> =
        fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let wait = Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
    match poll(&mut fds, Some(&wait)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// Waits until a file descriptor can be read or the time is up; says whether it can.
pub fn wait_readable(fd: impl AsFd, timeout: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let wait = Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(poll(&mut fds, Some(&wait))? > 0)
}

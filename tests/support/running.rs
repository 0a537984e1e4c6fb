//! Programs that run in a node: heard while they run, reaped when they end, never waited for without a deadline.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use super::lock;
use super::must::Must;

/// How a program ended, and what it said.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The node and the command line.
    pub line: String,
    /// Its exit status, `None` when a signal ended it.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
    /// From its start to its end.
    pub took: Duration,
}

impl Ran {
    /// Whether its exit status is 0.
    pub fn is_ok(&self) -> bool {
        self.status == Some(0)
    }

    /// Ends the test unless the exit status is 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.status_is(0)
    }

    /// Ends the test unless the exit status is this one.
    #[track_caller]
    pub fn status_is(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }

    /// The records that it printed.
    #[track_caller]
    pub fn records(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).must(format!("read a record of {self}")))
            .collect()
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut end = String::new();
        match (self.status, self.signal) {
            (Some(status), _) => write!(end, "status {status}")?,
            (None, signal) => write!(end, "signal {signal:?}")?,
        }
        write!(
            f,
            "{}\n  {end} after {:?}\n  stdout: {}\n  stderr: {}",
            self.line, self.took, self.stdout, self.stderr
        )
    }
}

/// A program that runs in a node. Dropping it kills it, unless it was told to stay.
#[must_use = "a program ends when its handle is dropped; `stay` leaves it to the node"]
pub struct Running {
    line: String,
    id: u32,
    pidfd: OwnedFd,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    stays: bool,
}

#[derive(Default)]
struct Heard {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    end: Option<(ExitStatus, Duration)>,
}

impl Running {
    pub(super) fn of(child: Child, line: String, started: Instant, stdin: Vec<u8>) -> Self {
        let id = child.id();
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).must(format!("hold {line}"));
        let heard = Arc::new((Mutex::new(Heard::default()), Condvar::new()));
        let (ours, theirs) = (Arc::clone(&heard), pidfd.try_clone().must("hold a program twice"));
        std::thread::spawn(move || attend(child, &theirs, &ours, started, &stdin));
        Self { line, id, pidfd, heard, stays: false }
    }

    /// Its pid as the host sees it.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Sends it a signal; one that has ended hears nothing.
    pub fn signal(&self, signal: Signal) {
        let sent = pidfd_send_signal(&self.pidfd, signal);
        assert!(
            matches!(sent, Ok(()) | Err(rustix::io::Errno::SRCH)),
            "cannot signal {}: {sent:?}",
            self.line
        );
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        lock(&self.heard.0).end.is_none()
    }

    /// What it has printed on stdout until now.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&lock(&self.heard.0).stdout).into_owned()
    }

    /// What it has printed on stderr until now.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&lock(&self.heard.0).stderr).into_owned()
    }

    /// Waits until its stdout is as wanted; false when the time is up or it ended without.
    pub fn until_stdout(&self, at_most: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let is_there = |heard: &Heard| wanted(&String::from_utf8_lossy(&heard.stdout));
        let (mutex, news) = &*self.heard;
        let woken =
            news.wait_timeout_while(lock(mutex), at_most, |heard| heard.end.is_none() && !is_there(heard));
        is_there(&woken.unwrap().0)
    }

    /// Waits for its end. Past the deadline it is killed, and the test ends.
    #[track_caller]
    pub fn wait(mut self, at_most: Duration) -> Ran {
        let ended = self.ended(at_most);
        self.stays = ended.is_some();
        let Some(ran) = ended else {
            panic!(
                "{} is not over after {at_most:?}\n  stdout: {}\n  stderr: {}",
                self.line,
                self.stdout(),
                self.stderr()
            );
        };
        ran
    }

    /// Kills it, with what it started unless that left its process group, and waits for its end.
    pub fn kill(self) -> Ran {
        self.kill_group();
        self.wait(Duration::from_secs(30))
    }

    fn kill_group(&self) {
        // While it is not reaped, the number is its own.
        if lock(&self.heard.0).end.is_none() {
            let group = Pid::from_raw(self.id.cast_signed()).unwrap();
            let _ = kill_process_group(group, Signal::KILL); // it may have ended this moment
        }
    }

    /// Leaves it to the node: it runs until the node ends.
    pub fn stay(mut self) {
        self.stays = true;
    }

    fn ended(&self, at_most: Duration) -> Option<Ran> {
        let (mutex, news) = &*self.heard;
        let woken = news.wait_timeout_while(lock(mutex), at_most, |heard| heard.end.is_none());
        let heard = woken.unwrap().0;
        let (status, took) = heard.end?;
        Some(Ran {
            line: self.line.clone(),
            status: status.code(),
            signal: status.signal(),
            stdout: String::from_utf8_lossy(&heard.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&heard.stderr).into_owned(),
            took,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.stays {
            self.kill_group();
        }
    }
}

/// Feeds and hears a program until it ends, then reaps it: a node's pid 1 cannot end before that is done.
fn attend(
    mut child: Child,
    pidfd: &OwnedFd,
    heard: &(Mutex<Heard>, Condvar),
    started: Instant,
    stdin: &[u8],
) {
    let mut feed = child.stdin.take().map(|pipe| (File::from(OwnedFd::from(pipe)), stdin));
    let mut pipes = [child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from)]
        .map(|fd| fd.map(File::from));
    for fd in pipes.iter().flatten().chain(feed.iter().map(|(fd, _)| fd)) {
        rustix::fs::fcntl_setfl(fd, rustix::fs::OFlags::NONBLOCK).must("make a pipe non-blocking");
    }
    loop {
        feed = feed.and_then(|(pipe, rest)| pour(pipe, rest));
        let mut fds = vec![PollFd::new(pidfd, PollFlags::IN)];
        fds.extend(pipes.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(feed.iter().map(|(fd, _)| PollFd::new(fd, PollFlags::OUT)));
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => panic!("cannot poll: {e}"),
        }
        // Looked at before the pipes are: what a program wrote is there when its end is.
        let is_over = fds.first().is_some_and(|fd| !fd.revents().is_empty());
        let [out, err] = &mut pipes;
        let (said, complained) = (drain(out), drain(err));
        let end = is_over.then(|| (child.wait().must("reap a program"), started.elapsed()));
        let mut now = lock(&heard.0);
        now.stdout.extend(said);
        now.stderr.extend(complained);
        now.end = end;
        heard.1.notify_all();
        if end.is_some() {
            return;
        }
    }
}

fn pour(mut pipe: File, mut rest: &[u8]) -> Option<(File, &[u8])> {
    while !rest.is_empty() {
        match pipe.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Some((pipe, rest)),
            Err(_) => return None, // it does not care for its stdin
        }
    }
    None
}

fn drain(pipe: &mut Option<File>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Some(file) = pipe else { return bytes };
    match file.read_to_end(&mut bytes) {
        Err(e) if e.kind() == ErrorKind::WouldBlock => {}
        Ok(_) | Err(_) => *pipe = None,
    }
    bytes
}

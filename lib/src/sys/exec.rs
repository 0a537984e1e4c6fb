//! Programs run with a deadline: their output bounded, their whole process group ended when time is up.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::{Exit, Fail};

/// The most that is kept of each of a program's two outputs unless somebody wants more, in bytes; the rest is read
/// and dropped.
const KEPT: usize = 1024 * 1024;

/// A command line, as an operator would type it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    words: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    keeps: usize,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status, or `None` when a signal ended it.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed on stdout.
    pub stdout: Vec<u8>,
    /// What it printed on stderr.
    pub stderr: Vec<u8>,
}

impl Ended {
    /// Whether it exited with 0.
    pub fn is_success(&self) -> bool {
        self.status == Some(0)
    }

    /// The last line it printed on stderr, else on stdout: usually the reason.
    pub fn last_words(&self) -> String {
        let last = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .lines()
                .map(str::trim)
                .rfind(|line| !line.is_empty())
                .map(ToOwned::to_owned)
        };
        last(&self.stderr).or_else(|| last(&self.stdout)).unwrap_or_else(|| {
            match (self.status, self.signal) {
                (Some(status), _) => format!("exit status {status}"),
                (None, Some(signal)) => format!("ended by signal {signal}"),
                (None, None) => "ended".to_owned(),
            }
        })
    }
}

impl Line {
    /// A command line of a program and its arguments.
    pub fn new<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), env: Vec::new(), keeps: KEPT }
    }

    /// Adds a word at the end.
    #[must_use]
    pub fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    /// The same arguments for another program.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<OsString>) -> Self {
        if let Some(first) = self.words.first_mut() {
            *first = program.into();
        }
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Puts this line behind another's words: `ssh root@mail-2` and `ims-registry list`.
    #[must_use]
    pub fn behind(mut self, reach: &[String]) -> Self {
        let mut words: Vec<OsString> = reach.iter().map(OsString::from).collect();
        words.append(&mut self.words);
        Self { words, ..self }
    }

    /// Keeps so many bytes of each of its two outputs.
    #[must_use]
    pub const fn keeping(mut self, bytes: usize) -> Self {
        self.keeps = bytes;
        self
    }

    /// The words.
    pub fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The program's name, for messages.
    pub fn program(&self) -> String {
        self.words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
    }

    #[allow(clippy::disallowed_methods)] // this is the place
    fn command(&self) -> Result<std::process::Command, Fail> {
        let (program, args) = self.words.split_first().ok_or_else(|| Fail::usage("an empty command line"))?;
        let mut command = std::process::Command::new(program);
        command.args(args).envs(self.env.iter().map(|(k, v)| (k, v)));
        Ok(command)
    }

    /// Starts the program with the given standard streams, in a process group of its own.
    pub fn spawn(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child, Fail> {
        self.command()?
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .map_err(|e| Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), &e))
    }

    /// Runs the program to its end or the deadline; then its process group is killed and the answer is unknown.
    pub fn run(&self, timeout: Duration) -> Result<Ended, Fail> {
        self.run_with(b"", timeout)
    }

    /// The same, with something on its stdin (a secret belongs there and never among the arguments).
    pub fn run_with(&self, stdin: &[u8], timeout: Duration) -> Result<Ended, Fail> {
        self.end_of(self.spawn(Stdio::piped(), Stdio::piped(), Stdio::piped())?, stdin, timeout)
    }

    /// The same, with an open file as its stdin: what it holds, a lock above all, is held while the program runs.
    pub fn run_holding(&self, held: &std::fs::File, timeout: Duration) -> Result<Ended, Fail> {
        let held = held
            .try_clone()
            .map_err(|e| Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), &e))?;
        self.end_of(self.spawn(held.into(), Stdio::piped(), Stdio::piped())?, b"", timeout)
    }

    /// Starts a daemon: what it prints goes to a file, since it may go on printing when nobody reads any more. Its
    /// stdin is an open file, or nothing.
    pub fn run_to(
        &self,
        printed: &std::fs::File,
        held: Option<&std::fs::File>,
        timeout: Duration,
    ) -> Result<Ended, Fail> {
        let same = |file: &std::fs::File| {
            file.try_clone()
                .map_err(|e| Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), &e))
        };
        let stdin = held.map_or_else(|| Ok(Stdio::null()), |held| same(held).map(Stdio::from))?;
        self.end_of(self.spawn(stdin, same(printed)?.into(), same(printed)?.into())?, b"", timeout)
    }

    /// The same line under a shell that waits for it and keeps what is on its own stdin to itself: a lock that is
    /// held there is held while the line runs, and by none of the daemons that it leaves behind.
    #[must_use]
    pub fn waited_for(self) -> Self {
        let words = ["/bin/sh", "-c", r#""$@" </dev/null"#, "sh"];
        self.behind(&words.map(ToOwned::to_owned))
    }

    fn end_of(&self, mut child: Child, stdin: &[u8], timeout: Duration) -> Result<Ended, Fail> {
        let end = Instant::now() + timeout;
        let finished = attend(&mut child, stdin, self.keeps, end);
        match finished {
            Ok(Some(ended)) => Ok(ended),
            Ok(None) => {
                kill_group(&mut child);
                Err(Fail::unknown(format!("{} did not end within {timeout:?}", self.program()))
                    .hint("it was killed"))
            }
            Err(e) => {
                kill_group(&mut child);
                Err(Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), &e))
            }
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}", quoted(word))?;
        }
        Ok(())
    }
}

/// A word as a shell takes it back.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn kill_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // The group may be gone already, which is what is wanted.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    // Reaps it; after SIGKILL this returns as soon as the kernel lets go of it.
    let _ = child.wait();
}

/// Feeds and drains a child until it ends, `None` when the deadline comes first.
fn attend(child: &mut Child, stdin: &[u8], keeps: usize, end: Instant) -> io::Result<Option<Ended>> {
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
            return Ok(None);
        }
        let mut fds = vec![PollFd::new(&pidfd, PollFlags::IN)];
        fds.extend(pipes.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(feed.iter().map(|(fd, _)| PollFd::new(fd, PollFlags::OUT)));
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
        // A daemon that the program left behind may hold the pipes open: the program's own end counts.
        if is_over {
            let status = child.wait()?;
            let [stdout, stderr] = kept;
            return Ok(Some(Ended { status: status.code(), signal: status.signal(), stdout, stderr }));
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

/// Reads what is there; gives the pipe back unless it is at its end.
fn drain(pipe: OwnedFd, kept: &mut Vec<u8>, keeps: usize) -> io::Result<Option<OwnedFd>> {
    let mut file = std::fs::File::from(pipe);
    let mut buffer = [0u8; 16 * 1024];
    loop {
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
}

/// Waits until a file descriptor can be read or the time is up; says whether it can.
pub fn wait_readable(fd: impl AsFd, timeout: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let wait = Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(poll(&mut fds, Some(&wait))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_program_ends_with_its_status_and_its_words() {
        let ended = Line::new(["sh", "-c", "cat; echo oops >&2; exit 4"]).run_with(b"hello", SOON).unwrap();
        assert_eq!(
            (ended.status, ended.stdout.as_slice(), ended.last_words().as_str()),
            (Some(4), &b"hello"[..], "oops")
        );
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_its_children() {
        let started = Instant::now();
        let fail = Line::new(["sh", "-c", "sleep 60 & sleep 60"]).run(Duration::from_millis(50)).unwrap_err();
        assert_eq!(fail.exit(), Exit::Unknown);
        assert!(started.elapsed() < SOON);
    }

    #[test]
    fn a_daemon_left_behind_does_not_hold_its_starter() {
        let started = Instant::now();
        let ended = Line::new(["sh", "-c", "sleep 2 & echo up"]).run(SOON).unwrap();
        assert_eq!(ended.stdout, b"up\n");
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn what_is_held_on_stdin_is_held_while_a_line_runs_and_not_by_its_daemons() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let lock = crate::sys::lock::Lock::take(&path, Duration::ZERO).unwrap();
        let busy = |patience| crate::sys::lock::Lock::take(&path, patience).is_err();
        let line = Line::new(["sh", "-c", "sleep 3 >/dev/null & read -r x; sleep 0.3"]).waited_for();
        let mut child =
            line.spawn(lock.file().file().try_clone().unwrap().into(), Stdio::null(), Stdio::null()).unwrap();
        drop(lock);
        assert!(busy(Duration::ZERO), "the line runs");
        child.wait().unwrap();
        assert!(!busy(Duration::ZERO), "its daemon does not hold it");
    }

    #[test]
    fn endless_output_is_bounded() {
        let ended = Line::new(["sh", "-c", "head -c 3000000 /dev/zero"]).run(SOON).unwrap();
        assert_eq!(ended.stdout.len(), KEPT);
    }

    #[test]
    fn a_line_is_shown_as_a_shell_takes_it() {
        assert_eq!(Line::new(["ls", "-l", "a b", "it's"]).to_string(), r"ls -l 'a b' 'it'\''s'");
    }
}

//! Programs run with a deadline: their output bounded, their whole process group ended when time is up.

mod attend;
mod bound;
mod waiting;

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use attend::{Attended, KEPT, attend, kill_group};
pub use attend::{wait_any, wait_either, wait_readable};
pub use waiting::Waiting;

use crate::span::Span;
use crate::sys::stop::Stop;
use crate::{Exit, Fail};

/// Held alone while a file is open that a child is to inherit, for every child that is started then does.
static INHERITANCE: RwLock<()> = RwLock::new(());

/// A command line, as an operator would type it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    words: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    keeps: usize,
    is_bound: bool,
    tells_end: bool,
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
        Self {
            words: words.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            keeps: KEPT,
            is_bound: false,
            tells_end: false,
        }
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

    /// The environment variables that are added.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.env.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
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
        if self.is_bound {
            bound::bind(&mut command);
        }
        Ok(command)
    }

    /// Starts the program with the given standard streams, in a process group of its own.
    pub fn spawn(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child, Fail> {
        self.spawn_keeping(None, stdin, stdout, stderr)
    }

    /// The same; the program has a file of ours open, a lock above all, for as long as it runs. No other program that
    /// another thread starts this moment has.
    pub fn spawn_keeping(
        &self,
        held: Option<&std::fs::File>,
        stdin: Stdio,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Result<Child, Fail> {
        let Some(held) = held else {
            let _others = INHERITANCE.read().unwrap_or_else(PoisonError::into_inner);
            return self.started(stdin, stdout, stderr);
        };
        let cannot =
            |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), e);
        let _alone = INHERITANCE.write().unwrap_or_else(PoisonError::into_inner);
        let copy = held.try_clone().map_err(|e| cannot(&e))?;
        rustix::io::fcntl_setfd(&copy, rustix::io::FdFlags::empty()).map_err(|e| cannot(&e.into()))?;
        self.started(stdin, stdout, stderr)
    }

    fn started(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child, Fail> {
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
        self.end_of(self.spawn(Stdio::piped(), Stdio::piped(), Stdio::piped())?, stdin, timeout, None)
    }

    /// The same for a program that means nothing without us: a signal that waits in `stop` ends its process group too,
    /// and it does not outlive us whatever ends us.
    pub fn run_bound(mut self, stdin: &[u8], timeout: Duration, stop: &Stop) -> Result<Ended, Fail> {
        self.is_bound = true;
        let child = self.spawn(Stdio::piped(), Stdio::piped(), Stdio::piped())?;
        self.end_of(child, stdin, timeout, Some(stop))
    }

    /// The same; what is under way when a signal comes is let end.
    pub fn run_bound_to_its_end(mut self, stdin: &[u8], timeout: Duration) -> Result<Ended, Fail> {
        self.is_bound = true;
        self.run_with(stdin, timeout)
    }

    /// The same, with an open file as its stdin: what it holds, a lock above all, is held while the program runs.
    pub fn run_holding(&self, held: &std::fs::File, timeout: Duration) -> Result<Ended, Fail> {
        let held = held
            .try_clone()
            .map_err(|e| Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), &e))?;
        self.end_of(self.spawn(held.into(), Stdio::piped(), Stdio::piped())?, b"", timeout, None)
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
        self.end_of(self.spawn(stdin, same(printed)?.into(), same(printed)?.into())?, b"", timeout, None)
    }

    /// The same line under a shell that waits for it and keeps what is on its own stdin to itself: a lock that is
    /// held there is held while the line runs, and by none of the daemons that it leaves behind.
    #[must_use]
    pub fn waited_for(self) -> Self {
        // Without its last words some shells would become the line.
        let words = ["/bin/sh", "-c", r#""$@" </dev/null; exit $?"#, "sh"];
        self.behind(&words.map(ToOwned::to_owned))
    }

    fn end_of(
        &self,
        mut child: Child,
        stdin: &[u8],
        timeout: Duration,
        stop: Option<&Stop>,
    ) -> Result<Ended, Fail> {
        let end = Instant::now() + timeout;
        let fail = match attend(&mut child, stdin, self.keeps, end, stop, self.tells_end) {
            Ok(Attended::Ended(ended)) => return Ok(ended),
            Ok(Attended::Ending(ended)) => {
                // Reaped beside what follows, or where there is no room for a thread by nobody; it has nothing more to do.
                let _ = std::thread::Builder::new().spawn(move || child.wait());
                return Ok(ended);
            }
            Ok(Attended::Late) => {
                Fail::unknown(format!("{} did not end within {}", self.program(), Span(timeout)))
                    .hint("it was killed")
            }
            Ok(Attended::Stopped) => {
                Fail::unknown(format!("{} was killed, as a signal asks us to stop", self.program()))
                    .hint("run it again")
            }
            Err(e) => Fail::io(Exit::Unknown, format!("cannot run {}", self.program()), &e),
        };
        kill_group(&mut child);
        Err(fail)
    }
}

/// Whether a program is there, by the folders of `PATH`.
pub fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
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

#[cfg(test)]
mod tests;

//! Programs run with a deadline: their output bounded, their whole process group ended when time is up.

mod attend;

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use attend::{KEPT, attend, kill_group};
pub use attend::{wait_either, wait_readable};

use crate::{Exit, Fail};

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

#[cfg(test)]
mod tests {
    use rustix::process::{Pid, Signal};

    use super::*;
    use crate::sys::lock::Lock;

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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let lock = Lock::take(&path, Duration::ZERO).unwrap();
        // Whoever of them lives has the lock.
        let line = Line::new(["sh", "-c", "exec 3<&0; sleep 60 & sleep 60"]);
        let fail = line.run_holding(lock.file().file(), Duration::from_millis(50)).unwrap_err();
        assert_eq!(fail.exit(), Exit::Unknown);
        drop(lock);
        assert!(Lock::take(&path, SOON).is_ok(), "a child lives");
    }

    #[test]
    fn a_program_that_never_stops_printing_is_ended_too() {
        let started = Instant::now();
        let fail = Line::new(["cat", "/dev/zero"]).run(Duration::from_millis(50)).unwrap_err();
        assert_eq!(fail.exit(), Exit::Unknown);
        assert!(started.elapsed() < SOON);
    }

    #[test]
    fn a_daemon_left_behind_does_not_hold_its_starter() {
        let ended = Line::new(["sh", "-c", "sleep 60 & echo $!"]).run(SOON).unwrap();
        end(&ended.stdout);
    }

    #[test]
    fn what_is_held_on_stdin_is_held_while_a_line_runs_and_not_by_its_daemons() {
        let folder = tempfile::tempdir().unwrap();
        let (path, go) = (folder.path().join("x.lock"), folder.path().join("go"));
        nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let lock = Lock::take(&path, Duration::ZERO).unwrap();
        let script = r#"sleep 60 >/dev/null & echo $!; read -r x; read -r x <"$0""#;
        let line = Line::new(["sh", "-c", script]).arg(&go).waited_for();
        let held = lock.file().file().try_clone().unwrap();
        let child = line.spawn(held.into(), Stdio::piped(), Stdio::null()).unwrap();
        drop(lock);
        assert!(Lock::take(&path, Duration::ZERO).is_err(), "the line runs");
        let mut go = std::fs::File::options().read(true).write(true).open(&go).unwrap();
        std::io::Write::write_all(&mut go, b"\n").unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(Lock::take(&path, SOON).is_ok(), "its daemon holds it");
        end(&ended.stdout);
    }

    /// Ends the daemon that printed its pid, which must be there still.
    fn end(printed: &[u8]) {
        let pid = std::str::from_utf8(printed).unwrap().trim().parse().unwrap();
        rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
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

//! Command lines for a node: what is to run, and the process that waits in the node to become it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::must::Must;
use super::node::Node;
use super::running::{Ran, Running};

/// Where programs are looked for in a node: the six commands of this build first.
pub const PATH: &str = "/run/ims-bed/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a program may take unless the test says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Joins the node's control group, as whatever a node starts is in it, hears which call it is for, and becomes
/// the program.
const STARTER: &str = r#"echo 0 >/sys/fs/cgroup/cgroup.procs; read -r call && . "/run/ims-bed/calls/$call""#;

/// The calls of this process: part of the names of their files.
static CALLS: AtomicU32 = AtomicU32::new(1);

/// A command line that a node is to run.
pub struct Call<'n> {
    node: &'n Node,
    words: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    deadline: Duration,
}

impl<'n> Call<'n> {
    pub(super) fn new<W: Into<OsString>>(node: &'n Node, words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self { node, words, env: Vec::new(), stdin: Vec::new(), deadline: DEADLINE }
    }

    /// Gives it something on stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets an environment variable; nothing of the test's own environment is passed on.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Says how long it may take.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ran {
        let deadline = self.deadline;
        self.spawn().wait(deadline)
    }

    /// Starts it.
    pub fn spawn(self) -> Running {
        let line = self.words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let line = format!("{}: {line}", self.node.name());
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        let file = self.node.rack().path(format!("shared/calls/{number}"));
        fs::write(&file, self.text()).must(format!("write down {line}"));
        let mut stdin = format!("{number}\n").into_bytes();
        stdin.extend(&self.stdin);
        let starter = self.node.starter();
        Running::of(starter, line, Instant::now(), stdin)
    }

    /// The call as a file for sh.
    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (key, value) in &self.env {
            text.extend([b"export ", key.as_bytes(), b"=", &quoted(value), b"\n"].concat());
        }
        text.extend(b"exec");
        for word in &self.words {
            text.extend([b" ", &*quoted(word)].concat());
        }
        text.push(b'\n');
        text
    }
}

fn quoted(word: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// Starts what will become a program of a node; to be called inside the node.
///
/// Joining a control group costs the kernel some 15 ms (it waits for all CPUs), so a node has the next one
/// waiting, and a call costs no more than its own program.
pub(super) fn starter() -> std::io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", STARTER, "sh"]);
    command.env_clear().env("PATH", PATH).env("HOME", "/root").env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.spawn()
}

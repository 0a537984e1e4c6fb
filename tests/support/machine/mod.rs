//! A machine with a kernel of its own: user-mode Linux from Debian, over the host's files and memory of its own. It has what
//! the host's kernel may lack: device mapper, MD, DRBD, SCSI targets with persistent reservations.
//!
//! Disks are the files of [`Disk`], written through the host's page cache, so that what one machine wrote another reads.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use super::disk::Disk;
use super::must::Must;
use super::rack::programs;
use super::running::Ran;

/// Where Debian's package has the kernel and its modules.
const KERNEL: &str = "/usr/bin/linux.uml";
const MODULES: &str = "/usr/lib/uml/modules";
const INIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/machine/init.sh");
/// How long it may take to come up, and a command to end.
const UP: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(120);

/// A machine, which ends with its last use.
pub struct Machine {
    name: String,
    process: Child,
    console: ChildStdin,
    answers: Receiver<Answer>,
    asked: u32,
}

struct Answer {
    number: u32,
    status: i32,
    out: String,
    err: String,
}

impl Machine {
    /// Boots one with these disks, the first of which is `/dev/ubda`.
    pub fn boot(name: &str, disks: &[&Disk]) -> Self {
        let mut command = Command::new("setpriv");
        // In a namespace of pids of its own, so that its end is the end of all its processes.
        command.args([
            "--pdeathsig",
            "KILL",
            "--",
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--",
            KERNEL,
        ]);
        command.args([
            "mem=256M",
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            "quiet",
            "con=null",
            "con0=fd:0,fd:1",
        ]);
        command.arg(format!("init={INIT}")).arg(format!("ims_name={name}"));
        command.arg(format!("ims_bins={}", programs().display()));
        command.arg(format!("ims_modules={}", modules().display()));
        for (number, disk) in disks.iter().enumerate() {
            // Written at once, and without a lock: the other machine has it too.
            command.arg(format!("ubd{number}sc={}", disk.image().display()));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().must(format!("start {KERNEL}"));
        let console = process.stdin.take().unwrap();
        let said = process.stdout.take().unwrap();
        let (hear, answers) = channel();
        std::thread::spawn(move || listen(said, &hear));
        let machine = Self { name: name.to_owned(), process, console, answers, asked: 0 };
        machine.answer(0, UP, "boot");
        machine
    }

    /// Its host name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a script of POSIX sh to its end.
    pub fn sh(&mut self, script: &str) -> Ran {
        self.asked += 1;
        let started = Instant::now();
        let line = format!("{} {}\n", self.asked, BASE64_STANDARD.encode(script));
        self.console.write_all(line.as_bytes()).must(format!("ask {}", self.name));
        let Answer { status, out, err, .. } = self.answer(self.asked, DEADLINE, script);
        let line = format!("{}: {script}", self.name);
        Ran { line, status: Some(status), signal: None, stdout: out, stderr: err, took: started.elapsed() }
    }

    /// Stops it as a whole: its clock goes on, and nothing of it runs.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal to the process that is its kernel, and to all that are its processes.
    fn signal(&self, signal: Signal) {
        let parents = parents();
        let mut pids = vec![self.process.id()];
        let mut next = 0;
        while let Some(pid) = pids.get(next).copied() {
            pids.extend(parents.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| child));
            next += 1;
        }
        for pid in pids {
            let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal); // it may have ended by itself
        }
    }

    /// Cuts its power: what its kernel had not written is lost.
    pub fn power_cut(mut self) {
        self.end();
    }

    fn answer(&self, number: u32, at_most: Duration, what: &str) -> Answer {
        let end = Instant::now() + at_most;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(answer) if answer.number == number => return answer,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("{}: not over after {at_most:?}: {what}", self.name),
                Err(RecvTimeoutError::Disconnected) => panic!("{} went down: {what}", self.name),
            }
        }
    }

    fn end(&mut self) {
        let _ = self.process.kill(); // it may have ended by itself
        self.process.wait().must(format!("wait for the end of {}", self.name));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end();
    }
}

/// Hears a console to its end; what the kernel says there is passed over.
fn listen(said: ChildStdout, hear: &Sender<Answer>) {
    for line in BufReader::new(said).lines() {
        let Ok(line) = line else { return };
        if let Some(answer) = answer(&line) {
            let _ = hear.send(answer); // nobody waits for it any more
        }
    }
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = fs_err::read_dir("/proc").must("read /proc").flatten();
    let stats = processes.filter_map(|process| fs_err::read_to_string(process.path().join("stat")).ok());
    stats
        .filter_map(|stat| {
            // The name in brackets may have blanks in it.
            let pid = stat.split(' ').next()?.parse().ok()?;
            let parent = stat.rsplit(')').next()?.split(' ').nth(2)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect()
}

fn answer(line: &str) -> Option<Answer> {
    let mut words = line.trim_end().strip_prefix('=')?.split(' ');
    let (number, status) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut text = || {
        let bytes = BASE64_STANDARD.decode(words.next().unwrap_or(".").trim_end_matches('.')).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (out, err) = (text()?, text()?);
    Some(Answer { number, status, out, err })
}

/// The modules of the one kernel that is there.
fn modules() -> PathBuf {
    let mut found = fs_err::read_dir(MODULES).must("find the modules of user-mode Linux");
    found.next().unwrap().must("find a kernel's modules").path()
}

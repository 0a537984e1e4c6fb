//! Processes that cannot be mistaken for others: a pid counts only together with the time its process began.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Signal, getpriority_process, pidfd_open, pidfd_send_signal, setpriority_process,
};
use serde::{Deserialize, Serialize};

/// The kernel's ticks in a second as it tells them (`USER_HZ`), the same wherever Rust's standard library runs.
const TICKS: u64 = 100;

/// One process: its pid, and when it began in the kernel's ticks since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Process {
    /// The pid.
    pub pid: i32,
    /// When it began, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub began: u64,
}

/// What `/proc/PID/stat` says.
struct Stat {
    letter: char,
    parent: i32,
    /// The process group; 0 when its leader cannot be seen from here.
    group: i32,
    began: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, a ')' too; the fields follow the last one.
    let rest = text.get(text.rfind(')')? + 1..)?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Stat {
        letter: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        began: fields.get(19)?.parse().ok()?,
    })
}

impl Process {
    /// The process that has this pid now, unless it has ended (a zombie has).
    pub fn of(pid: i32) -> Option<Self> {
        let stat = stat(pid).filter(|_| pid > 0)?;
        (!matches!(stat.letter, 'Z' | 'X')).then_some(Self { pid, began: stat.began })
    }

    /// Whether it still runs: the same process, not another under the same pid.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// When it began, by the clock of the wall; `None` when the kernel does not tell.
    pub fn since(&self) -> Option<Timestamp> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let booted: i64 = text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        let after = self.began / TICKS;
        Timestamp::from_second(booted.checked_add(i64::try_from(after).ok()?)?).ok()
    }

    /// What it waits for in the kernel, as far as the kernel tells, and whether nothing can wake it: a process that
    /// waits for a dead disk.
    pub fn waits(&self) -> (String, bool) {
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.pid)).unwrap_or_default();
        let stack = read("stack");
        let top = stack.lines().filter_map(|line| line.split_whitespace().nth(1)).take(3);
        let top: Vec<&str> = top.filter_map(|call| call.split('+').next()).collect();
        let place = if top.is_empty() { read("wchan") } else { top.join(" < ") };
        (place.trim_matches(['0', '\n']).to_owned(), stat(self.pid).is_some_and(|stat| stat.letter == 'D'))
    }

    /// The user that it runs as in every respect; `None` when it is several, or has ended.
    pub fn user(&self) -> Option<u32> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let ids: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let (first, others) = ids.split_first()?;
        (others.len() == 3 && others.iter().all(|id| id == first)).then_some(*first)
    }

    /// The pid of its parent.
    pub fn parent(&self) -> Option<i32> {
        stat(self.pid).filter(|stat| stat.began == self.began).map(|stat| stat.parent)
    }

    /// The executable it runs.
    pub fn executable(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    /// Whether it works for something below a folder: by its command line, its current folder or an open file.
    pub fn belongs_below(&self, folder: &Path) -> bool {
        let proc = PathBuf::from(format!("/proc/{}", self.pid));
        let below = |link: PathBuf| fs::read_link(link).is_ok_and(|path| path.starts_with(folder));
        if ["cwd", "root", "exe"].iter().any(|link| below(proc.join(link))) {
            return true;
        }
        let words = fs::read(proc.join("cmdline")).unwrap_or_default();
        let named = words
            .split(|byte| *byte == 0)
            .any(|word| std::str::from_utf8(word).is_ok_and(|word| Path::new(word).starts_with(folder)));
        named
            || fs::read_dir(proc.join("fd"))
                .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| below(entry.path()))))
    }

    /// A handle that stays this very process's and is readable once it has ended (`pidfd_open(2)`), `None` when it
    /// has.
    pub fn handle(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            // Looked at after the handle was made: it is the handle of the process that was meant, or of none.
            Ok(handle) => Ok(self.is_alive().then_some(handle)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Sends it a signal; says whether it was still there to get it.
    pub fn signal(&self, signal: i32) -> io::Result<bool> {
        self.signal_if(signal, || true)
    }

    /// Sends it a signal if something still holds of it, asked once it is sure that no other process can get the
    /// signal; says whether it was sent.
    pub fn signal_if(&self, signal: i32, holds: impl FnOnce() -> bool) -> io::Result<bool> {
        let signal = Signal::from_named_raw(signal).ok_or(io::ErrorKind::InvalidInput)?;
        let Some(handle) = self.handle()? else { return Ok(false) };
        // That the process is alive afterwards makes sure that it was the one asked about.
        if !holds() || !self.is_alive() {
            return Ok(false);
        }
        match pidfd_send_signal(&handle, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Waits until it has ended or the deadline comes; says whether it has.
    pub fn wait(&self, end: Instant) -> io::Result<bool> {
        let Some(handle) = self.handle()? else { return Ok(true) };
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&handle, PollFlags::IN)];
            let wait = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut fds, Some(&wait)) {
                Ok(0) if left == Duration::ZERO => return Ok(false),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// As long as it is there, this process comes before every other of the machine that is not of real time: for what is
/// short and must not stand still half-way. Without the right to, it comes when it comes.
#[derive(Debug)]
pub struct Hurry(Option<i32>);

impl Hurry {
    /// From now on.
    pub fn begin() -> Self {
        let before = getpriority_process(None).ok();
        Self(before.filter(|_| setpriority_process(None, -20).is_ok()))
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            let _ = setpriority_process(None, before); // who may raise it may lower it
        }
    }
}

/// Whether every process of this node can be looked at, whoever it belongs to.
pub fn sees_all() -> bool {
    rustix::process::geteuid().is_root()
}

/// Every process of this node.
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(Process::of)
        .collect()
}

/// The children of a process, their children, and so on.
pub fn descendants(first: &Process) -> Vec<Process> {
    let all: Vec<(Process, i32)> =
        all().into_iter().filter_map(|process| Some((process, process.parent()?))).collect();
    let mut found: Vec<Process> = Vec::new();
    let mut waiting = vec![first.pid];
    while let Some(parent) = waiting.pop() {
        for (process, _) in all.iter().filter(|(_, of)| *of == parent) {
            if !found.contains(process) {
                found.push(*process);
                waiting.push(process.pid);
            }
        }
    }
    found
}

/// The processes of the process group that a process leads or led; none when its number is another's by now.
pub fn group_of(leader: &Process) -> Vec<Process> {
    if stat(leader.pid).is_some_and(|stat| stat.began != leader.began) {
        return Vec::new();
    }
    let is_member = |process: &Process| {
        stat(process.pid).is_some_and(|stat| stat.began == process.began && stat.group == leader.pid)
    };
    all().into_iter().filter(is_member).collect()
}

/// The parent of a process, its parent, and so on.
pub fn ancestors(last: Option<Process>) -> Vec<Process> {
    let parent = |of: &Process| of.parent().and_then(Process::of);
    std::iter::successors(last.as_ref().and_then(parent), parent).collect()
}

/// The pid in a pid file's first line.
pub fn pid_in(file: &Path) -> Option<i32> {
    let bytes = crate::sys::file::read(file).ok()??;
    std::str::from_utf8(&bytes).ok()?.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::exec::Line;
    use std::process::Stdio;

    fn sleeper() -> (std::process::Child, Process) {
        let child = Line::new(["sleep", "60"]).spawn(Stdio::null(), Stdio::null(), Stdio::null()).unwrap();
        let process = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        (child, process)
    }

    #[test]
    fn a_pid_without_its_start_time_is_not_the_process() {
        let (mut child, process) = sleeper();
        let other = Process { began: process.began + 1, ..process };
        assert!(process.is_alive() && !other.is_alive());
        assert!(!other.signal(9).unwrap(), "another process is never signalled");
        assert!(process.is_alive());
        assert!(process.signal(9).unwrap());
        assert!(process.wait(Instant::now() + Duration::from_secs(30)).unwrap());
        child.wait().unwrap();
        assert!(!process.is_alive());
        assert!(process.wait(Instant::now()).unwrap(), "one that is gone needs no waiting");
    }

    #[test]
    fn waiting_has_a_deadline() {
        let (mut child, process) = sleeper();
        assert!(!process.wait(Instant::now() + Duration::from_millis(20)).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_belongs_where_its_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("x")).unwrap();
        let mut child = Line::new(["sleep", "60"]).spawn(Stdio::null(), file.into(), Stdio::null()).unwrap();
        let process = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        // The child execs first; its stdout is there from the beginning.
        assert!(process.belongs_below(folder.path()));
        let own = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(descendants(&own).contains(&process));
        assert!(!process.belongs_below(Path::new("/nowhere")));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_group_is_known_by_its_leader_also_after_that_has_ended() {
        let line = Line::new(["sh", "-c", "sleep 60 & echo $!; exec sleep 61"]);
        let mut child = line.spawn(Stdio::null(), Stdio::piped(), Stdio::null()).unwrap();
        let leader = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        let mut told = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut told)
            .unwrap();
        let other = Process::of(told.trim().parse().unwrap()).unwrap();
        let mut group = group_of(&leader);
        group.sort_by_key(|process| process.pid != leader.pid);
        assert_eq!(group, [leader, other]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(group_of(&leader), [other]);
        assert!(other.signal(9).unwrap() && other.wait(Instant::now() + Duration::from_secs(30)).unwrap());
        assert_eq!(group_of(&leader), []);
        let own = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert_eq!(group_of(&Process { began: own.began + 1, ..own }), [], "another has that number");
    }

    #[test]
    fn a_pid_file_may_hold_anything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        for (text, pid) in [
            ("123\n", Some(123)),
            ("  77\nx\n", Some(77)),
            ("", None),
            ("x", None),
            ("-1", None),
            ("1", None),
        ] {
            crate::sys::file::replace(&path, text.as_bytes()).unwrap();
            assert_eq!(pid_in(&path), pid, "{text:?}");
        }
        assert_eq!(pid_in(&folder.path().join("none")), None);
    }
}

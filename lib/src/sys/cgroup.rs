//! Control groups (version 2), one for each program that we start, so that stopping it ends exactly its processes.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::sys::exec::Line;
use crate::sys::process::Process;
use crate::{Exit, Fail};

/// A control group of ours, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    path: PathBuf,
}

/// Where a cgroup2 file system is mounted for writing.
fn mount() -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").ok()?;
    text.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let is_ours = after.split(' ').next() == Some("cgroup2");
        let fields: Vec<&str> = before.split(' ').collect();
        let is_writable = fields.get(5)?.split(',').any(|option| option == "rw");
        (is_ours && is_writable).then(|| fields.get(4).map(PathBuf::from)).flatten()
    })
}

/// The control group that everything on this node is in: that of pid 1, or its parent where pid 1 has one of its
/// own (systemd's `init.scope`).
fn top() -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/1/cgroup").ok()?;
    let path = Path::new(text.lines().find_map(|line| line.strip_prefix("0::/"))?);
    if path.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
        return None; // pid 1 is outside what this namespace shows
    }
    let path = if path.ends_with("init.scope") { path.parent()? } else { path };
    Some(mount()?.join(path))
}

impl Cgroup {
    /// The control group of these names below `ims` on this node; `None` where there is no cgroup2.
    pub fn named(names: &[&str]) -> Option<Self> {
        let mut path = top()?;
        path.push("ims");
        path.extend(names);
        Some(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it, unless it is there.
    pub fn create(&self) -> Result<(), Fail> {
        fs::create_dir_all(&self.path)
            .map_err(|e| Fail::io(Exit::Failed, format!("cannot make {}", self.path.display()), &e))
    }

    /// A command line that runs in this group from its first instruction on, under a shell that waits for it and
    /// keeps its own stdin to itself (see [`Line::waited_for`]).
    #[must_use]
    pub fn enter(&self, line: Line) -> Line {
        let procs = self.path.join("cgroup.procs").to_string_lossy().into_owned();
        let words = ["/bin/sh", "-c", r#"echo 0 >"$0" && "$@" </dev/null"#, &procs];
        line.behind(&words.map(ToOwned::to_owned))
    }

    fn events(&self) -> io::Result<Option<fs::File>> {
        match fs::File::open(self.path.join("cgroup.events")) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Whether any process is in it; one that is not there has none.
    pub fn is_populated(&self) -> io::Result<bool> {
        self.events()?.map_or(Ok(false), |mut file| populated(&mut file))
    }

    /// The processes in it.
    pub fn processes(&self) -> io::Result<Vec<Process>> {
        let text = match fs::read_to_string(self.path.join("cgroup.procs")) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        Ok(text.lines().filter_map(|line| Process::of(line.trim().parse().ok()?)).collect())
    }

    /// The first process: the one whose parent is in no group of ours.
    pub fn first(&self) -> io::Result<Option<Process>> {
        let all = self.processes()?;
        let is_inside = |pid: i32| all.iter().any(|process| process.pid == pid);
        Ok(all
            .iter()
            .filter(|process| process.parent().is_some_and(|pid| !is_inside(pid)))
            .min_by_key(|p| p.began)
            .copied())
    }

    /// Whether a process is in it, or in one below it.
    pub fn has(&self, process: &Process) -> bool {
        let text = fs::read_to_string(format!("/proc/{}/cgroup", process.pid)).unwrap_or_default();
        let path = text.lines().find_map(|line| line.strip_prefix("0::/"));
        path.zip(mount()).is_some_and(|(path, mount)| mount.join(path).starts_with(&self.path))
    }

    /// Waits until no process is in it or the deadline comes; says whether none is. The kernel tells, nobody polls.
    pub fn wait_empty(&self, end: Instant) -> io::Result<bool> {
        let Some(mut file) = self.events()? else { return Ok(true) };
        loop {
            if !populated(&mut file)? {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Ok(false);
            }
            let mut fds = [PollFd::new(&file, PollFlags::PRI)];
            let wait = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut fds, Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Kills every process in it at once, unless one of them is of another pid namespace and so not ours.
    pub fn kill(&self) -> io::Result<()> {
        let procs = fs::read_to_string(self.path.join("cgroup.procs"))?;
        if procs.lines().any(|line| line.trim() == "0") {
            return Err(io::Error::other("processes of another pid namespace are in it"));
        }
        fs::OpenOptions::new().write(true).open(self.path.join("cgroup.kill")).and_then(|mut file| {
            use std::io::Write;
            file.write_all(b"1")
        })
    }

    /// Removes it when it is empty.
    pub fn remove(&self) {
        // An empty group left behind does no harm, and one that is in use again must stay.
        let _ = fs::remove_dir(&self.path);
    }
}

fn populated(file: &mut fs::File) -> io::Result<bool> {
    let mut text = String::new();
    file.rewind()?;
    match file.read_to_string(&mut text) {
        Ok(_) => Ok(!text.lines().any(|line| line == "populated 0")),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => Ok(false), // removed meanwhile
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn ours(name: &str) -> Option<Cgroup> {
        let own = format!("test-{}", std::process::id());
        let cgroup = Cgroup::named(&[&own, name]).filter(|_| rustix::process::geteuid().is_root())?;
        cgroup.create().ok().map(|()| cgroup)
    }

    #[test]
    fn a_daemon_and_what_it_left_behind_end_together() {
        let Some(cgroup) = ours("daemon") else { return assert!(std::env::var("CI").is_err(), "no cgroup2") };
        assert!(!cgroup.is_populated().unwrap());
        let line = cgroup.enter(Line::new(["sh", "-c", "setsid sleep 60 & setsid sleep 60 & echo up"]));
        assert_eq!(line.run(SOON).unwrap().stdout, b"up\n");
        assert!(cgroup.is_populated().unwrap());
        assert_eq!(cgroup.processes().unwrap().len(), 2);
        assert!(!cgroup.wait_empty(Instant::now() + Duration::from_millis(20)).unwrap());
        cgroup.kill().unwrap();
        assert!(cgroup.wait_empty(Instant::now() + SOON).unwrap());
        cgroup.remove();
        assert!(!cgroup.is_populated().unwrap(), "one that is not there is empty");
        let _ = fs::remove_dir(cgroup.path().parent().unwrap());
    }

    #[test]
    fn a_command_line_that_enters_is_one_that_can_be_typed() {
        let cgroup = Cgroup { path: PathBuf::from("/sys/fs/cgroup/ims/IMS-RG/mail/postfix") };
        assert_eq!(
            cgroup.enter(Line::new(["postfix", "start"])).to_string(),
            r#"/bin/sh -c 'echo 0 >"$0" && "$@" </dev/null' /sys/fs/cgroup/ims/IMS-RG/mail/postfix/cgroup.procs postfix start"#
        );
    }
}

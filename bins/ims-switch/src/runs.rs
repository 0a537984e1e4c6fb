//! The commands of `ims-switch run` on this node: each is remembered while it runs, so that one whose run was killed
//! counts all the same, and whoever moves the group waits for all of them or ends those that may be ended.
//!
//! No command holds a lock itself, so nothing that it leaves behind does. Its run shares one; a move takes the turn
//! first, which keeps new commands back and tells those that end for it, and then that lock alone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ims::name::GroupName;
use ims::sys::file;
use ims::sys::lock::{self, Lock};
use ims::sys::process::{self, Process};
use ims::{Exit, Fail, Host};
use serde::{Deserialize, Serialize};

/// Where they are remembered, below the node's own memory: a folder for each group.
const FOLDER: &str = "/run/ims/runs";

/// SIGTERM.
const SIGTERM: i32 = 15;

/// SIGKILL.
const SIGKILL: i32 = 9;

/// How long the kernel may take to end what was killed.
const KILLED: Duration = Duration::from_secs(5);

/// The lock that a command's run shares, and a run that moves the group takes alone.
pub fn lock_path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(lock::FOLDER).join(format!("switch-{group}.run.lock"))
}

/// The lock of whoever waits for that one.
pub fn turn_path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(lock::FOLDER).join(format!("switch-{group}.turn.lock"))
}

/// A command, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The command line, for people.
    pub line: String,
    /// Its process, once there is one.
    pub process: Option<Process>,
    /// How long it has to end when the group moves; none when the move waits for it.
    pub grace_ms: Option<u64>,
}

/// Where a command is remembered.
#[derive(Debug, Clone)]
pub struct Place {
    path: PathBuf,
}

impl Place {
    /// The place of a command line, by a name that tells it from others.
    pub fn of(host: &Host, group: &GroupName, name: &str) -> Self {
        Self { path: host.path(FOLDER).join(group.as_str()).join(format!("{name}.json")) }
    }

    /// Remembers it.
    pub fn keep(&self, command: &Command) -> Result<(), Fail> {
        let cannot =
            |e: &dyn std::fmt::Display| Fail::failed(format!("cannot remember {}", command.line)).because(e);
        let text = serde_json::to_vec(command).map_err(|e| cannot(&e))?;
        if let Some(folder) = self.path.parent() {
            fs_err::create_dir_all(folder).map_err(|e| cannot(&e))?;
        }
        file::replace(&self.path, &text)
    }

    /// Forgets it, once it has ended.
    pub fn forget(&self) -> Result<(), Fail> {
        if file::is_there(&self.path)? { file::remove(&self.path).map(drop) } else { Ok(()) }
    }

    /// The command that a run which was killed left here and that still runs, with its process.
    pub fn left(&self) -> Result<Option<(Command, Process)>, Fail> {
        let Some(text) = file::read_text(&self.path)? else { return Ok(None) };
        let unknown = |why: &str| {
            Fail::unknown(format!("whether a command of ims-switch run still runs is unknown: {why}"))
                .hint(format!("look, then remove {}", self.path.display()))
        };
        let command: Command = serde_json::from_str(&text).map_err(|e| unknown(&e.to_string()))?;
        match command.process {
            Some(process) => Ok(process.is_alive().then_some((command, process))),
            None => Err(unknown(&format!("its run was killed as it started {}", command.line))),
        }
    }
}

fn places(host: &Host, group: &GroupName) -> Result<Vec<Place>, Fail> {
    let folder = host.path(FOLDER).join(group.as_str());
    let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot list {}", folder.display()), e);
    match fs_err::read_dir(&folder) {
        Ok(entries) => entries
            .map(|entry| Ok(Place { path: entry.map_err(|e| cannot(&e))?.path() }))
            .filter(|place| {
                place.as_ref().is_ok_and(|place| place.path.extension().is_some_and(|e| e == "json"))
            })
            .collect(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(cannot(&e)),
    }
}

/// Waits until no command runs here, ending those that end for a move; none begins as long as the lock is held that
/// this gives.
pub fn hold(host: &Host, group: &GroupName, patience: Duration) -> Result<Lock, Fail> {
    let deadline = Instant::now() + patience;
    let left = || deadline.saturating_duration_since(Instant::now());
    let turn = Lock::take(&turn_path(host, group), patience)?;
    turn.announce()?;
    let lock = Lock::take(&lock_path(host, group), left())?;
    // Their runs are gone, for those would share the lock.
    for place in places(host, group)? {
        if let Some((command, process)) = place.left()? {
            match command.grace_ms {
                Some(grace) => end(&process, Duration::from_millis(grace))?,
                None if !process.wait(deadline).map_err(|e| cannot_wait(&command.line, &e))? => {
                    return Err(Fail::busy(format!("{} still runs as pid {}", command.line, process.pid))
                        .hint("the run that started it was killed; it is waited for all the same"));
                }
                None => {}
            }
        }
        place.forget()?;
    }
    Ok(lock)
}

/// The failure to wait for a command.
pub fn cannot_wait(line: &str, error: &std::io::Error) -> Fail {
    Fail::io(Exit::Unknown, format!("cannot wait for {line}"), error)
}

/// Ends a command with all of its process group: asked first, killed after the grace.
pub fn end(leader: &Process, grace: Duration) -> Result<(), Fail> {
    let cannot = |e: &std::io::Error| Fail::io(Exit::Failed, format!("cannot end pid {}", leader.pid), e);
    for (signal, patience) in [(SIGTERM, grace), (SIGKILL, KILLED)] {
        let deadline = Instant::now() + patience;
        loop {
            let members = process::group_of(leader);
            for member in &members {
                member.signal(signal).map_err(|e| cannot(&e))?;
            }
            let mut are_gone = true;
            for member in &members {
                are_gone &= member.wait(deadline).map_err(|e| cannot(&e))?;
            }
            if members.is_empty() {
                return Ok(());
            }
            if !are_gone {
                break; // its time is over
            }
        }
    }
    Err(Fail::failed(format!("pid {} still runs after SIGKILL", leader.pid)))
}

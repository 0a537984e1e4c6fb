//! What a program of an instance is: the command line that starts it, how it is asked to end, and what it needs on the
//! node.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sys::exec::Line;
use crate::sys::file;
use crate::{Fail, Host};

/// Which half of an instance is meant: a `messaging-server` or a `directory-server` resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The mail servers, below `<root>/msg-<name>` or, in `messaging-6`, below the root itself.
    Mail,
    /// The directory server below `<root>/slapd-<ldap>`.
    Directory,
}

/// How a program is asked to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// By a signal to its first process.
    Signal(i32),
    /// By a signal to every one of its processes at once, the first among them. Only when the last is gone is it
    /// stopped: sessions outlive the first process and hold files on the volume. Once the first is alone, which may
    /// take its time to notice, it is killed and its pid file removed.
    SignalAll(i32),
    /// By SIGKILL to its first process alone, upon which the others finish what they are at and exit; those that
    /// run one of `agents` are given `moment`, then whatever is left gets SIGTERM.
    ///
    /// This is `postfix drain`. SIGTERM to Postfix's master would end its delivery agents in the middle, and a
    /// message that Dovecot has saved by then would be delivered again by the next start.
    Drain {
        /// The executables of its delivery agents.
        agents: Vec<PathBuf>,
        /// How long the agents may take, at most.
        moment: Duration,
    },
    /// By a command of its own, such as `stop-msg`.
    Command(Line),
}

/// A program of an instance that is started and stopped as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its short name: `postfix`, `dovecot`, `slapd`, `msg` (all of the iPlanet or Sun mail server).
    pub name: &'static str,
    /// The command line that starts it and returns once it listens.
    pub start: Line,
    /// How it is asked to end.
    pub stop: Stop,
    /// Where it writes the pid of its first process, when it does.
    pub pid_file: Option<PathBuf>,
    /// The executable its first process runs, by which a pid file that is out of date is told.
    pub executable: Option<PathBuf>,
    /// How long it may take to end before it is killed.
    pub patience: Duration,
    /// Folders it needs outside the server root, which a node that just booted does not have
    /// (path, owner's user name, mode).
    pub folders: Vec<(PathBuf, String, u32)>,
}

/// The first of some paths that is there, or the first of all where none is: a standby node may do without.
pub(crate) fn first_there<'a, const N: usize>(host: &Host, paths: [&'a str; N]) -> Result<&'a str, Fail> {
    for path in paths {
        if file::is_there(&host.path(path))? {
            return Ok(path);
        }
    }
    Ok(paths.first().copied().unwrap_or_default())
}

/// The folders a program needs on the way to a path that a node loses when it boots, outermost first; the last
/// belongs to `owner`.
pub(crate) fn runtime_folders(folder: &Path, owner: &str, mode: u32) -> Vec<(PathBuf, String, u32)> {
    let is_runtime =
        ["/run", "/var/run"].iter().any(|run| folder.starts_with(run) && folder != Path::new(run));
    if !is_runtime {
        return Vec::new();
    }
    let mut folders: Vec<(PathBuf, String, u32)> = folder
        .ancestors()
        .skip(1)
        .take_while(|above| !["/run", "/var/run"].iter().any(|run| *above == Path::new(run)))
        .map(|above| (above.to_owned(), "root".to_owned(), 0o755))
        .collect();
    folders.reverse();
    folders.push((folder.to_owned(), owner.to_owned(), mode));
    folders
}

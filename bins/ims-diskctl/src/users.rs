//! Who uses a volume, which of them may be ended, and the signal to those; asked of a hand, for /proc may hang with a
//! process that does.

use std::path::PathBuf;

use ims::sys::block::Number;
use ims::sys::mount::Search;
use ims::sys::process::Process;
use ims::{Exit, Fail};
use serde::{Deserialize, Serialize};

use crate::owner::Owner;
use crate::record::User;

/// Who may be ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Right {
    /// The processes of these instances.
    Instances(Vec<Owner>),
    /// Everybody.
    Everybody,
}

/// Whose users are looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// The number of the file system.
    pub device: Number,
    /// Where it is mounted.
    pub point: PathBuf,
    /// Who may be ended.
    pub right: Right,
    /// Only what the kernel does not tell of when it unmounts: mount namespaces that this does not reach, and overlays.
    pub apart: bool,
}

/// A signal for users.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signal {
    /// What they use.
    pub wanted: Wanted,
    /// To whom.
    pub to: Vec<Process>,
    /// Its number.
    pub number: i32,
}

/// The users of a volume.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Users {
    /// Processes, and which each is.
    pub processes: Vec<(Process, User)>,
    /// What the kernel itself uses, in words.
    pub kernel: Vec<String>,
}

impl Wanted {
    /// Looks for them.
    pub fn find(&self) -> Result<Users, Fail> {
        let search = Search::of(self.device)?;
        let found = if self.apart {
            ims::sys::mount::Users { processes: search.apart(&self.point), kernel: search.overlays() }
        } else {
            search.users(&self.point)?
        };
        let whose = Whose::of(&self.right);
        let user = |found: ims::sys::mount::User| {
            let process = Process::of(i32::try_from(found.pid).ok()?)?;
            let instance = whose.instance(&process);
            Some((process, User { process: found, instance, signal: None }))
        };
        Ok(Users { processes: found.processes.into_iter().filter_map(user).collect(), kernel: found.kernel })
    }
}

impl Signal {
    /// Signals those who use it still and may be ended still; a process that took the pid of one of them is not.
    pub fn send(&self) -> Result<Vec<Process>, Fail> {
        let now = self.wanted.find()?;
        let search = Search::of(self.wanted.device)?;
        let whose = Whose::of(&self.wanted.right);
        let mut signalled = Vec::new();
        for process in &self.to {
            let Some((_, user)) = now.processes.iter().find(|(found, _)| found == process) else { continue };
            let is_apart = user.process.uses.iter().any(|word| word == "namespace" || word == "socket");
            let may = || {
                (is_apart || !search.uses(user.process.pid).is_empty())
                    && (self.wanted.right == Right::Everybody || whose.instance(process).is_some())
            };
            let cannot = |e| Fail::io(Exit::Failed, format!("cannot signal pid {}", process.pid), &e);
            if process.signal_if(self.number, may).map_err(cannot)? {
                signalled.push(*process);
            }
        }
        Ok(signalled)
    }
}

/// The instances with the users that their folders belong to.
struct Whose(Vec<(Owner, Vec<u32>)>);

impl Whose {
    fn of(right: &Right) -> Self {
        Self(match right {
            Right::Instances(owners) => owners.iter().cloned().map(Owner::with_users).collect(),
            Right::Everybody => Vec::new(),
        })
    }

    /// The instance that a process belongs to.
    fn instance(&self, process: &Process) -> Option<String> {
        let is_its = |(owner, users): &&(Owner, Vec<u32>)| {
            owner.has(process) || process.user().is_some_and(|user| user != 0 && users.contains(&user))
        };
        self.0.iter().find(is_its).map(|(owner, _)| owner.instance.clone())
    }
}

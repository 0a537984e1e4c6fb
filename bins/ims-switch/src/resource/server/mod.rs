//! The servers of an instance as one resource: its programs, each in a control group of its own.

mod kept;
mod slot;
mod start;
mod stop;

use std::path::PathBuf;
use std::time::Duration;

use ims::group::{Kind, Resource};
use ims::instance::Instance;
use ims::layout::{self, Part, Program};
use ims::name::InstanceName;
use ims::registry::Registry;
use ims::sys::exec::{Ended, Line};
use ims::sys::process::Process;
use ims::sys::{file, memory};
use ims::{Exit, Fail, State};

use crate::resource::{Here, Looked, tool};
pub use slot::First;
use slot::Slot;
pub use slot::records;
pub use start::start;
pub use stop::stop;

/// How long a server may take to answer when it is only looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What a resource stands for in the registry.
#[derive(Debug, Clone)]
pub struct Served {
    /// The registry's entry.
    pub instance: Instance,
    /// Which half of it.
    pub part: Part,
}

impl Served {
    /// Finds what a resource stands for; a `directory-server` is the entry with that `ldap`.
    pub fn find(here: &Here<'_>, resource: &Resource) -> Result<Self, Fail> {
        let registry = Registry::load(here.host)?;
        match &resource.kind {
            Kind::MessagingServer { instance } => {
                let found = registry.find(instance)?;
                if !found.mail {
                    return Err(Fail::usage(format!(
                        "{instance} has no mail server in {}",
                        ims::registry::PATH
                    )));
                }
                Ok(Self { instance: found.clone(), part: Part::Mail })
            }
            Kind::DirectoryServer { instance } => registry
                .instances()
                .find(|entry| entry.ldap.as_ref() == Some(instance))
                .map(|entry| Self { instance: entry.clone(), part: Part::Directory })
                .ok_or_else(|| {
                    Fail::usage(format!("no instance with ldap = {instance} in {}", ims::registry::PATH))
                        .hint("add it with ims-registry add")
                }),
            Kind::Nic { .. }
            | Kind::LogicalIp { .. }
            | Kind::DiskGroup { .. }
            | Kind::Volume(_)
            | Kind::Command(_)
            | Kind::Ocf(_) => Err(Fail::usage(format!("{} is no server", resource.name))),
        }
    }

    /// The folder the servers work in.
    pub fn folder(&self) -> PathBuf {
        match self.part {
            Part::Mail => self.instance.mail_dir(),
            Part::Directory => self.instance.ldap_dir().unwrap_or_else(|| self.instance.root.clone()),
        }
    }

    fn name(&self) -> &InstanceName {
        &self.instance.name
    }

    /// The command line that asks the servers for their greeting.
    fn probe(&self, timeout: Duration) -> Line {
        let part = match self.part {
            Part::Mail => "mail",
            Part::Directory => "directory",
        };
        Line::new(["ims-probe", self.name().as_str(), "--part", part, "--level", "greet"])
            .arg("--timeout")
            .arg(format!("{}ms", timeout.as_millis().max(1)))
    }

    /// Asks the servers once.
    fn asked(&self, here: &Here<'_>, timeout: Duration) -> Result<(Line, Ended), Fail> {
        let line = self.probe(timeout);
        let mut command = tool::beside(&line).arg("--output").arg("json");
        if here.host.is_elsewhere() {
            command = command.arg("--root").arg(here.host.path("/"));
        }
        // The prober keeps its own deadline; this one is for a prober that hangs.
        Ok((line, command.run(timeout + Duration::from_secs(2))?))
    }
}

/// The programs of a resource, or why they cannot be told, and what of it was started here before.
struct Programs {
    served: Served,
    told: Result<Vec<Program>, Fail>,
}

impl Programs {
    fn of(here: &Here<'_>, resource: &Resource) -> Result<Self, Fail> {
        let served = Served::find(here, resource)?;
        let told = layout::programs(here.host, &served.instance, served.part);
        Ok(Self { served, told })
    }

    /// Whether the folder that they work in is surely not here, but on a volume that is mounted elsewhere; a disk that
    /// fails says nothing of the kind.
    fn are_elsewhere(&self, here: &Here<'_>) -> bool {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        match std::fs::metadata(here.host.path(self.served.folder())) {
            Ok(found) => !found.is_dir(),
            Err(e) => matches!(e.kind(), NotFound | NotADirectory),
        }
    }

    /// The slots of all programs, with those that were started before and are described no more.
    fn slots(&self, here: &Here<'_>, resource: &Resource) -> Vec<Slot> {
        let folder = here.host.path(self.served.folder());
        let mut slots: Vec<Slot> = self
            .told
            .iter()
            .flatten()
            .map(|program| Slot::of(here, resource, program.name, Some(program.clone()), &folder))
            .collect();
        for name in slot::left_behind(here, resource) {
            if slots.iter().all(|slot| slot.name != name) {
                slots.push(Slot::of(here, resource, &name, None, &folder));
            }
        }
        slots
    }
}

/// Looks at the servers: whether their processes are there, and then whether they answer.
pub fn look(here: &Here<'_>, resource: &Resource) -> Result<Looked, Fail> {
    let programs = Programs::of(here, resource)?;
    let mut states = Vec::new();
    let mut missing = Vec::new();
    for slot in programs.slots(here, resource) {
        let state = if slot.running()?.is_any() { State::Up } else { State::Down };
        if state == State::Down {
            missing.push(slot.name.clone());
        }
        states.push(state);
    }
    let state = State::of_parts(states.iter().copied());
    if let Err(fail) = &programs.told {
        // Without its volume nothing of it can run; what was started here is known all the same.
        let is_elsewhere = programs.are_elsewhere(here);
        return Ok(match state {
            State::Down if is_elsewhere => (State::Down, None),
            State::Down | State::Unknown => (State::Unknown, Some(fail.to_string())),
            State::Up | State::Partial => (State::Partial, Some(fail.to_string())),
        });
    }
    match state {
        State::Up => {}
        State::Partial => return Ok((state, Some(format!("{} does not run", missing.join(", "))))),
        State::Down | State::Unknown => return Ok((state, None)),
    }
    let (line, ended) = programs.served.asked(here, LOOK)?;
    Ok(match ended.status.and_then(Exit::from_code) {
        Some(Exit::Ok) => (State::Up, None),
        Some(Exit::No) => (State::Partial, Some(silent(&ended))),
        _ => (State::Unknown, Some(tool::failure(&line, &ended).to_string())),
    })
}

/// The first process of each program that was started here and not asked to end. Only what is remembered in memory is
/// read: a disk that hangs does not keep it.
pub fn watched(here: &Here<'_>, resource: &Resource) -> Vec<(String, Process)> {
    let folder = PathBuf::new();
    slot::left_behind(here, resource)
        .into_iter()
        .filter_map(|name| {
            let first = Slot::of(here, resource, &name, None, &folder).remembered()?;
            Some((name, first))
        })
        .collect()
}

/// What has become of the first process of a program.
pub fn first(here: &Here<'_>, resource: &Resource, program: &str) -> Result<First, Fail> {
    let slots = Programs::of(here, resource)?.slots(here, resource);
    Ok(slots.iter().find(|slot| slot.name == program).map_or(First::Unknown, Slot::first))
}

/// Whether any process of the servers runs, or may run; they are not asked.
pub fn may_run(here: &Here<'_>, resource: &Resource) -> bool {
    let Ok(programs) = Programs::of(here, resource) else { return true };
    let may_be = programs.told.is_err() && !programs.are_elsewhere(here);
    may_be
        || programs
            .slots(here, resource)
            .iter()
            .any(|slot| slot.running().map_or(true, |running| running.is_any()))
}

/// Which of the servers did not answer, from the prober's records.
fn silent(ended: &Ended) -> String {
    #[derive(serde::Deserialize)]
    struct Answer {
        endpoint: String,
        state: State,
        words: Option<String>,
    }
    let text = String::from_utf8_lossy(&ended.stdout);
    let told: Vec<String> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Answer>(line).ok())
        .filter(|answer| answer.state != State::Up)
        .map(|answer| {
            format!("{}: {}", answer.endpoint, answer.words.unwrap_or_else(|| "no answer".to_owned()))
        })
        .collect();
    if told.is_empty() { ended.last_words() } else { told.join("; ") }
}

/// The executables that the servers need, told where their volume is: the other node must have them too.
pub fn needs(here: &Here<'_>, resource: &Resource) -> Vec<PathBuf> {
    let Ok(programs) = Programs::of(here, resource) else { return Vec::new() };
    let root = &programs.served.instance.root;
    let mut needs: Vec<PathBuf> = programs
        .told
        .iter()
        .flatten()
        .flat_map(|program| [Some(PathBuf::from(program.start.program())), program.executable.clone()])
        .flatten()
        .filter(|path| path.is_absolute() && !path.starts_with(root))
        .collect();
    needs.sort();
    needs.dedup();
    needs
}

/// The folder that the servers work in.
pub fn folder(here: &Here<'_>, resource: &Resource) -> Option<PathBuf> {
    Served::find(here, resource).ok().map(|served| here.host.path(served.folder()))
}

/// The memory that the servers use, in bytes; none where they are in no control group of ours.
pub fn memory(here: &Here<'_>, resource: &Resource) -> Option<u64> {
    let slots = Programs::of(here, resource).ok()?.slots(here, resource);
    let processes = slots.iter().filter_map(|slot| slot.cgroup.as_ref()?.processes().ok()).flatten();
    let used: Vec<u64> = processes.filter_map(|process| memory::of(process.pid)).collect();
    (!used.is_empty()).then(|| used.iter().sum())
}

/// What keeps the servers from starting here, as far as that can be told without their volume.
pub fn obstacles(here: &Here<'_>, resource: &Resource, needs: &[PathBuf]) -> Vec<String> {
    let mut found = Vec::new();
    if let Err(fail) = Served::find(here, resource) {
        found.push(fail.to_string());
    }
    for path in needs {
        match file::is_there(&here.host.path(path)) {
            Ok(true) => {}
            Ok(false) => found.push(format!("{} is not there", path.display())),
            Err(fail) => found.push(fail.to_string()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use ims::Host;
    use ims::group::Group;

    use super::*;

    #[test]
    fn servers_are_elsewhere_only_where_their_folder_is_surely_not_here() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::below(folder.path());
        let path = std::path::Path::new("IMS-RG.toml");
        let text =
            "nodes = [\"mail-1\"]\n[resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\n";
        let group = Group::parse("IMS-RG".parse().unwrap(), text, path).unwrap();
        let here = Here { host: &host, group: &group, lock: None, ahead: None };
        fs_err::create_dir_all(folder.path().join("etc")).unwrap();
        file::replace(&folder.path().join("file"), b"").unwrap();
        std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();
        for (root, are_elsewhere) in [("/none", true), ("/file/below", true), ("/loop/below", false)] {
            let entry = format!("[stork]\nlayout = postfix-dovecot\nroot = {root}\n");
            file::replace(&folder.path().join("etc/msgregistry.inf"), entry.as_bytes()).unwrap();
            let programs = Programs::of(&here, group.find(&"mail".parse().unwrap()).unwrap()).unwrap();
            assert_eq!(programs.are_elsewhere(&here), are_elsewhere, "{root}");
        }
    }
}

//! The place of one program on this node: its control group, what is remembered of its start, and which
//! processes are certainly its own.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::group::Resource;
use ims::layout::{Program, Stop};
use ims::sys::cgroup::Cgroup;
use ims::sys::file;
use ims::sys::process::{self, Process};
use ims::{Exit, Fail};

use super::kept::{Kept, KeptStop};
use crate::resource::Here;

/// Where it is remembered what was started, below the node's own memory: a boot forgets it.
const FOLDER: &str = "/run/ims-switch";

/// SIGTERM, which every daemon takes for a request to end.
const SIGTERM: i32 = 15;

/// A program's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// The one that is asked to end; none where it died and left others behind.
    pub first: Option<Process>,
    /// The first one's children, for those that are in no control group of ours.
    pub others: Vec<Process>,
    /// Whether the control group has any process.
    pub in_cgroup: bool,
}

impl Running {
    /// Whether there is any.
    pub const fn is_any(&self) -> bool {
        self.first.is_some() || self.in_cgroup
    }
}

/// What has become of the first process of a program that was started here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// It runs, or another one in its place.
    Runs(Process),
    /// It ended and nobody had asked it to; others of its processes may be left.
    Died(Process),
    /// Nothing was started, or it was asked to end.
    Unknown,
}

/// The place of one program.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The program's short name.
    pub name: String,
    /// Its description, unless that cannot be read now.
    pub program: Option<Program>,
    /// Its control group, unless this node has none.
    pub cgroup: Option<Cgroup>,
    record: PathBuf,
    printed: PathBuf,
    folder: PathBuf,
}

/// Where it is remembered what was started of a resource here.
pub fn records(here: &Here<'_>, resource: &Resource) -> PathBuf {
    here.host.path(FOLDER).join(here.group.name.as_str()).join(resource.name.as_str())
}

fn cgroup(here: &Here<'_>, resource: &Resource, name: Option<&str>) -> Option<Cgroup> {
    let names: Vec<&str> =
        [here.group.name.as_str(), resource.name.as_str()].into_iter().chain(name).collect();
    Cgroup::named(&names)
}

/// The names of the programs that were started here before, by what is remembered and by their control groups.
pub fn left_behind(here: &Here<'_>, resource: &Resource) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let listed = |folder: &Path| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
    };
    for file in listed(&records(here, resource)) {
        names.extend(file.strip_suffix(".json").map(ToOwned::to_owned));
    }
    if let Some(parent) = cgroup(here, resource, None) {
        names.extend(listed(parent.path()).filter(|name| parent.path().join(name).is_dir()));
    }
    names.sort();
    names.dedup();
    names
}

impl Slot {
    /// The place of a program of a resource.
    pub fn of(
        here: &Here<'_>,
        resource: &Resource,
        name: &str,
        program: Option<Program>,
        folder: &Path,
    ) -> Self {
        let records = records(here, resource);
        Self {
            name: name.to_owned(),
            program,
            cgroup: cgroup(here, resource, Some(name)),
            record: records.join(format!("{name}.json")),
            printed: records.join(format!("{name}.out")),
            folder: folder.to_owned(),
        }
    }

    fn kept(&self) -> Option<Kept> {
        let bytes = file::read(&self.record).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// Its processes: those of its control group, else the one that was remembered, else that of its pid file when
    /// its executable and its files say that it is the one.
    pub fn running(&self) -> Result<Running, Fail> {
        let cannot =
            |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot look for {}", self.name), e);
        if let Some(cgroup) = &self.cgroup
            && cgroup.is_populated().map_err(|e| cannot(&e))?
        {
            let first = match self.kept().and_then(|kept| kept.first) {
                Some(first) if first.is_alive() => Some(first),
                // Of those whom it left behind none is the first but one that took its place.
                Some(_) => self.by_pid_file(),
                None => cgroup.first().map_err(|e| cannot(&e))?,
            };
            return Ok(Running { first, others: Vec::new(), in_cgroup: true });
        }
        let remembered = self.kept().and_then(|kept| kept.first).filter(Process::is_alive);
        let first = remembered.or_else(|| self.by_pid_file());
        let others = first.map(|first| process::descendants(&first)).unwrap_or_default();
        Ok(Running { first, others, in_cgroup: false })
    }

    /// The process of the pid file. A pid alone proves nothing: the file may be older than the process.
    fn by_pid_file(&self) -> Option<Process> {
        let program = self.program.as_ref()?;
        let process = Process::of(process::pid_in(program.pid_file.as_ref()?)?)?;
        let is_it = match &program.executable {
            Some(executable) => {
                let real = std::fs::canonicalize(executable).ok()?;
                process.executable().is_some_and(|runs| runs == real)
            }
            None => true,
        };
        (is_it && process.belongs_below(&self.folder)).then_some(process)
    }

    /// Removes the pid file of a first process that was killed; one that names another stays.
    pub fn drop_pid_file(&self, first: &Process) -> Result<(), Fail> {
        if let Some(path) = self.program.as_ref().and_then(|program| program.pid_file.as_ref())
            && process::pid_in(path) == Some(first.pid)
        {
            file::remove(path)?;
        }
        Ok(())
    }

    /// How it is asked to end, and how long it may take.
    pub fn stop(&self) -> (Stop, Duration) {
        if let Some(program) = &self.program {
            return (program.stop.clone(), program.patience);
        }
        match self.kept() {
            Some(kept) => (kept.stop.into(), Duration::from_millis(kept.patience_ms)),
            None => (Stop::Signal(SIGTERM), Duration::from_secs(10)),
        }
    }

    /// Every process of it that runs now.
    pub fn processes(&self, running: &Running) -> Result<Vec<Process>, Fail> {
        let mut all: Vec<Process> = running
            .first
            .iter()
            .chain(&running.others)
            .filter(|process| process.is_alive())
            .copied()
            .collect();
        if let Some(cgroup) = &self.cgroup {
            let inside = cgroup
                .processes()
                .map_err(|e| Fail::io(Exit::Unknown, format!("cannot look for {}", self.name), &e))?;
            all.extend(inside.into_iter().filter(|process| Some(*process) != running.first));
        }
        Ok(all)
    }

    /// The file that takes what the program prints while it starts.
    pub fn printed(&self) -> Result<std::fs::File, Fail> {
        self.make_folder()?;
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&self.printed)
            .map_err(|e| Fail::io(Exit::Failed, format!("cannot start {}", self.name), &e))
    }

    fn make_folder(&self) -> Result<(), Fail> {
        let folder = self.record.parent().unwrap_or_else(|| Path::new("/"));
        std::fs::create_dir_all(folder)
            .map_err(|e| Fail::io(Exit::Failed, format!("cannot make {}", folder.display()), &e))
    }

    /// The last line it printed while it started.
    pub fn last_words(&self) -> Option<String> {
        let bytes = file::read(&self.printed).ok()??;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(ToOwned::to_owned)
    }

    /// Remembers a program that was started.
    pub fn remember(&self, program: &Program, first: Option<Process>) -> Result<(), Fail> {
        let stop = KeptStop::from(&program.stop);
        self.keep(&Kept { first, stop, patience_ms: ims::span::millis(program.patience), is_ending: false })
    }

    fn keep(&self, kept: &Kept) -> Result<(), Fail> {
        let text = serde_json::to_vec(kept)
            .map_err(|e| Fail::failed(format!("cannot remember {}", self.name)).because(e))?;
        self.make_folder()?;
        file::replace(&self.record, &text)
    }

    /// Remembers that it is asked to end, unless it was never remembered.
    pub fn ends(&self) -> Result<(), Fail> {
        self.kept().map_or(Ok(()), |kept| self.keep(&Kept { is_ending: true, ..kept }))
    }

    /// Remembers a program that runs already, unless it is remembered rightly.
    pub fn adopt(&self, program: &Program) -> Result<(), Fail> {
        if self.remembered().is_some_and(|first| first.is_alive()) {
            return Ok(());
        }
        self.remember(program, self.running()?.first)
    }

    /// The first process that is remembered and was not asked to end, whether it lives or not.
    pub fn remembered(&self) -> Option<Process> {
        self.kept().filter(|kept| !kept.is_ending)?.first
    }

    /// What has become of the first process that is remembered.
    pub fn first(&self) -> First {
        let remembered = self.remembered();
        match remembered.filter(Process::is_alive).or_else(|| self.by_pid_file()) {
            Some(process) => First::Runs(process),
            None => remembered.map_or(First::Unknown, First::Died),
        }
    }

    /// Forgets it, once it is certainly stopped.
    pub fn forget(&self) -> Result<(), Fail> {
        if self.record.parent().is_some_and(Path::is_dir) {
            file::remove(&self.record)?;
        }
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
        Ok(())
    }
}

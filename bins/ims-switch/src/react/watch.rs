//! The first processes of the group's servers on this node, watched so that the end of one is seen at once, and the
//! ends of the group's runs: the kernel tells both.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use ims::group::{Group, Resource};
use ims::name::ResourceName;
use ims::sys::lock::{self, Lock};
use ims::sys::news::News;
use ims::sys::process::Process;
use ims::{Exit, Fail, Host};

use crate::resource::{Here, server};
use crate::seat::desk::lock_path;

/// What is watched.
#[derive(Debug)]
pub struct Watch {
    lock: PathBuf,
    news: News,
    living: Vec<Living>,
    /// The ends that were dealt with.
    told: Vec<Process>,
}

#[derive(Debug)]
struct Living {
    resource: ResourceName,
    program: String,
    process: Process,
    handle: OwnedFd,
}

impl Living {
    fn is_of(&self, resource: &ResourceName, program: &str) -> bool {
        self.resource == *resource && self.program == program
    }
}

/// The end of a first process that nobody asked to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// The resource that it was of.
    pub resource: ResourceName,
    /// The program's short name.
    pub program: String,
    /// The process.
    pub process: Process,
}

fn servers(group: &Group) -> impl Iterator<Item = &Resource> {
    group.resources.iter().filter(|resource| resource.kind.instance().is_some())
}

impl Watch {
    /// Begins to watch what starts and ends on this node.
    pub fn begin(host: &Host, group: &Group) -> Result<Self, Fail> {
        let mut news = News::new()?;
        news.follow(&host.path(lock::FOLDER))?;
        let here = Here { host, group, lock: None, ahead: None };
        servers(group).try_for_each(|resource| news.follow(&server::records(&here, resource)))?;
        Ok(Self { lock: lock_path(host, &group.name), news, living: Vec::new(), told: Vec::new() })
    }

    /// What is readable when something started, ended or changed.
    pub fn handles(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(self.news.as_fd()).chain(self.living.iter().map(|living| living.handle.as_fd()))
    }

    /// Whether a run of the group ended since this was asked last.
    pub fn run_ended(&self) -> Result<bool, Fail> {
        let happened = self.news.read();
        happened
            .map(|happened| happened.to(&self.lock))
            .map_err(|e| Fail::io(Exit::Unknown, "cannot watch what starts here", &e))
    }

    /// Whether a run of the group is under way.
    pub fn is_under_change(&self) -> Result<bool, Fail> {
        Lock::is_held(&self.lock)
    }

    /// Looks which first processes there are, and gives those that ended and were not dealt with.
    pub fn ends(&mut self, host: &Host, group: &Group) -> Result<Vec<Death>, Fail> {
        let here = Here { host, group, lock: None, ahead: None };
        let mut remembered = Vec::new();
        for resource in servers(group) {
            for (program, process) in server::watched(&here, resource) {
                remembered.push(Death { resource: resource.name.clone(), program, process });
            }
        }
        self.told.retain(|process| remembered.iter().any(|one| one.process == *process));
        // One that was found in the place of another is not remembered, and is watched all the same.
        self.living.retain(|living| {
            living.process.is_alive()
                && remembered.iter().any(|one| living.is_of(&one.resource, &one.program))
        });
        let mut ends = Vec::new();
        for one in remembered {
            let is_known = self.living.iter().any(|living| living.is_of(&one.resource, &one.program));
            if !is_known
                && !self.told.contains(&one.process)
                && !self.follow(&one.resource, &one.program, one.process)?
            {
                ends.push(one);
            }
        }
        Ok(ends)
    }

    /// Watches the first process of a program; says whether it lives.
    pub fn follow(&mut self, resource: &ResourceName, program: &str, process: Process) -> Result<bool, Fail> {
        let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot watch {program}"), e);
        let Some(handle) = process.handle().map_err(|e| cannot(&e))? else { return Ok(false) };
        self.living.retain(|living| !living.is_of(resource, program));
        self.living.push(Living { resource: resource.clone(), program: program.to_owned(), process, handle });
        Ok(true)
    }

    /// Notes that an end is dealt with, so that it is not told again.
    pub fn deal_with(&mut self, death: &Death) {
        self.told.push(death.process);
    }
}

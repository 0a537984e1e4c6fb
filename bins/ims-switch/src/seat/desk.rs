//! Requests answered on this node.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ims::fencing::Fenced;
use ims::group::{Group, Kind, Resource, Volume};
use ims::name::{GroupName, NodeName, ResourceName};
use ims::registry;
use ims::sys::file;
use ims::sys::lock::{self, Lock};
use ims::{Fail, Host, State};

use super::claim;
use super::wire::{Ask, Hello, Say, VERSION};
use crate::around::Asker;
use crate::guards;
use crate::lap::{Done, Laps};
use crate::marks::{self, Kept};
use crate::plan::line;
use crate::rehearse;
use crate::resource::{self, Ahead, Here, Looked, legs, server};
use crate::runs;

/// How long writing volumes out may take before their servers are stopped.
const SYNCS: Duration = Duration::from_secs(110);

/// This node's side of a group.
#[derive(Debug)]
pub struct Desk {
    host: Host,
    node: NodeName,
    group: Group,
    lock: OnceLock<Lock>,
    runs: OnceLock<Lock>,
    claim: OnceLock<Lock>,
    ahead: Ahead,
}

/// The lock that every run of a group takes on each node.
pub fn lock_path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(lock::FOLDER).join(format!("switch-{group}.lock"))
}

/// The lock of `ims-switch react`: one of a group on each node.
pub fn react_path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(lock::FOLDER).join(format!("switch-{group}.react.lock"))
}

/// Takes the locks of these groups on this node; in one order, so that two runs that want the same ones do not hold what
/// the other waits for.
pub fn take_locks<'a>(
    host: &Host,
    groups: impl Iterator<Item = &'a GroupName>,
    patience: Duration,
) -> Result<Vec<Lock>, Fail> {
    let in_order: BTreeSet<&GroupName> = groups.collect();
    in_order.into_iter().map(|group| Lock::take(&lock_path(host, group), patience)).collect()
}

impl Desk {
    /// The desk of this node.
    pub fn new(host: &Host, group: Group) -> Result<Self, Fail> {
        let node: NodeName = host.name().parse()?;
        Ok(Self {
            host: host.clone(),
            node,
            group,
            lock: OnceLock::new(),
            runs: OnceLock::new(),
            claim: OnceLock::new(),
            ahead: Ahead::default(),
        })
    }

    /// This node.
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// Who this is, and what its files say.
    pub fn hello(&self) -> Result<Hello, Fail> {
        // A comment may be no UTF-8; where it stands no key does.
        let registry = file::read(&self.host.path(registry::PATH))?.unwrap_or_default();
        let registry = String::from_utf8_lossy(&registry).into_owned();
        Ok(Hello { version: VERSION, node: self.node.clone(), group: self.group.text.clone(), registry })
    }

    /// Does what is asked for.
    pub fn perform(&self, ask: Ask) -> Result<Say, Fail> {
        match ask {
            Ask::Hello => self.hello().map(Say::Hello),
            Ask::Beat => Ok(Say::Done(Done::default())),
            Ask::Lock { patience_ms } => {
                let path = lock_path(&self.host, &self.group.name);
                let say = hold(&self.lock, || Lock::take(&path, Duration::from_millis(patience_ms)))?;
                self.refuse_replaced().map(|()| say)
            }
            Ask::HoldRuns { patience_ms } => hold(&self.runs, || {
                runs::hold(&self.host, &self.group.name, Duration::from_millis(patience_ms))
            }),
            Ask::Reacts => {
                let reacts = Lock::is_held(&react_path(&self.host, &self.group.name))?;
                Ok(Say::Reacts { has_any: self.may_have(), reacts })
            }
            Ask::Marks => {
                marks::file::load(&self.host, &self.group.name).map(|kept| Say::Marks(Box::new(kept)))
            }
            Ask::Keep { kept } => self.locked().and_then(|_| self.remember(kept)),
            Ask::Look => {
                let (began, looked) = (Instant::now(), self.looked());
                self.ahead.saw(began, &looked);
                Ok(Say::Looked(looked))
            }
            Ask::Others { groups } => Ok(Say::Others(claim::states(&self.host, &groups))),
            Ask::Claim { around, by_fault } => {
                let asker = if by_fault { Asker::Fault } else { Asker::Person };
                claim::take(&self.host, &self.group, *around, asker, &self.claim)
            }
            Ask::Needs => Ok(Say::Needs(self.needs())),
            Ask::Check { needs, degraded } => {
                let findings = self.findings(&needs);
                if findings.is_empty() {
                    self.volumes().try_for_each(|volume| legs::may_start(&self.here(), volume, degraded))?;
                }
                Ok(Say::Findings(findings))
            }
            Ask::Bearing { target } => {
                let bearing = rehearse::bearing(&self.here(), &self.node, &target)?;
                Ok(Say::Bearing(Box::new(bearing)))
            }
            Ask::Rehearse { bearing } => Ok(Say::Rehearsed(rehearse::points(&self.here(), bearing.as_ref()))),
            Ask::Sync => self.sync().map(Say::Done),
            Ask::Ahead { starts, stops } => {
                self.ahead.start(&self.locked()?, &starts, &stops);
                Ok(Say::Done(Done::default()))
            }
            Ask::Prove { fenced } => self.keep(&fenced).map(Say::Done),
            Ask::Put { .. } | Ask::Remove { .. } => Err(Fail::usage("the group's file is not served here")),
            Ask::Start { resource, hints } => {
                let resource = self.group.find(&resource)?;
                self.locked()?.start(resource, &hints).map(Say::Done)
            }
            Ask::Stop { resource } => {
                let resource = self.group.find(&resource)?;
                self.locked()?.stop(resource).map(Say::Done)
            }
        }
    }

    fn here(&self) -> Here<'_> {
        Here { host: &self.host, group: &self.group, lock: self.lock.get(), ahead: Some(&self.ahead) }
    }

    fn locked(&self) -> Result<Here<'_>, Fail> {
        match self.lock.get() {
            Some(_) => Ok(self.here()),
            None => {
                Err(Fail::refused(format!("the lock of {} is not held on {}", self.group.name, self.node)))
            }
        }
    }

    /// Refuses to act by a file that another run replaced, or took away, while its lock was waited for.
    fn refuse_replaced(&self) -> Result<(), Fail> {
        let path = Group::path(&self.group.name);
        if file::read_text(&self.host.path(&path))?.as_ref() == Some(&self.group.text) {
            return Ok(());
        }
        Err(Fail::refused(format!("{} was changed while another run was waited for", path.display()))
            .hint("look at it, then run the same command again"))
    }

    fn remember(&self, kept: Kept) -> Result<Say, Fail> {
        marks::file::keep(&self.host, &self.group.name, &kept)?;
        Ok(Say::Marks(Box::new(kept)))
    }

    /// Looks at all resources at once.
    pub fn looked(&self) -> BTreeMap<ResourceName, Looked> {
        let here = self.here();
        std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .group
                .resources
                .iter()
                .map(|resource| (&resource.name, scope.spawn(move || here.look(resource))))
                .collect();
            threads
                .into_iter()
                .map(|(name, thread)| {
                    let lost = || (ims::State::Unknown, Some("looking at it failed".to_owned()));
                    (name.clone(), thread.join().unwrap_or_else(|_| lost()))
                })
                .collect()
        })
    }

    /// Whether anything of the group is, or may be, up here that may be up on one node only. Servers are not asked, so
    /// one that hangs costs no time.
    pub fn may_have(&self) -> bool {
        let here = self.here();
        let mut own = self.group.resources.iter().filter(|resource| !resource.kind.is_persistent());
        own.any(|resource| match resource.kind.instance() {
            Some(_) => server::may_run(&here, resource),
            None => here.look(resource).0 != State::Down,
        })
    }

    fn servers(&self) -> impl Iterator<Item = &Resource> {
        self.group.resources.iter().filter(|resource| resource.kind.instance().is_some())
    }

    fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.group.resources.iter().filter_map(|resource| match &resource.kind {
            Kind::Volume(volume) => Some(volume),
            Kind::Nic { .. }
            | Kind::LogicalIp { .. }
            | Kind::DiskGroup { .. }
            | Kind::DirectoryServer { .. }
            | Kind::MessagingServer { .. }
            | Kind::Command(_)
            | Kind::Ocf(_) => None,
        })
    }

    fn needs(&self) -> BTreeMap<ResourceName, Vec<PathBuf>> {
        let here = self.here();
        self.servers().map(|resource| (resource.name.clone(), server::needs(&here, resource))).collect()
    }

    /// What would keep the group from starting here, all resources asked at once.
    fn findings(&self, needs: &BTreeMap<ResourceName, Vec<PathBuf>>) -> Vec<String> {
        let here = self.here();
        let none = Vec::new();
        let disabled = marks::file::load(&self.host, &self.group.name).unwrap_or_default().lasting.disabled;
        std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .group
                .resources
                .iter()
                .filter(|resource| !disabled.contains_key(&resource.name))
                .map(|resource| {
                    let needs = needs.get(&resource.name).unwrap_or(&none);
                    (resource, scope.spawn(move || here.obstacles(resource, needs)))
                })
                .collect();
            let mut findings = Vec::new();
            for (resource, thread) in threads {
                let found = thread.join().unwrap_or_else(|_| vec!["cannot be checked".to_owned()]);
                findings.extend(found.into_iter().map(|what| format!("{}: {what}", resource.name)));
            }
            findings
        })
    }

    /// Writes the volumes' file systems out, all at once; whoever still writes meanwhile leaves little for later.
    fn sync(&self) -> Result<Done, Fail> {
        let (laps, here) = (Laps::begin(), self.here());
        std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .volumes()
                .map(|volume| {
                    let (laps, name) = (&laps, format!("sync {}", volume.mount.display()));
                    let sync = move || resource::run(&here, &line::presync(volume), SYNCS);
                    scope.spawn(move || laps.time(name, sync))
                })
                .collect();
            let gone = |_| Err(Fail::unknown("a thread ended too early"));
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(gone).map(drop))
        })?;
        Ok(laps.done(false))
    }

    /// Keeps the proof that a node was fenced, with the guards of the group's volumes as they are seen from here.
    fn keep(&self, fenced: &Fenced) -> Result<Done, Fail> {
        let guards = guards::seen(&self.group);
        Fenced { guards, ..fenced.clone() }.keep(&self.host)?;
        Ok(Laps::begin().done(true))
    }
}

/// Takes a lock and keeps it for the rest of the session.
pub fn hold(place: &OnceLock<Lock>, take: impl FnOnce() -> Result<Lock, Fail>) -> Result<Say, Fail> {
    if place.get().is_none() {
        // Held already by a request that came at the same time: one lock is enough.
        drop(place.set(take()?));
    }
    Ok(Say::Done(Done::default()))
}

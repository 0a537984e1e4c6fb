//! A node's side of adding and removing a group: there may be no file of it yet, or none any more.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ims::change::Change;
use ims::group::{Group, Resource};
use ims::name::{GroupName, NodeName};
use ims::registry::{self, Registry};
use ims::sys::file;
use ims::sys::lock::Lock;
use ims::{Exit, Fail, Host, State};

use super::desk::{Desk, hold, lock_path};
use super::wire::{Ask, Hello, Say, VERSION};
use crate::lap::Done;
use crate::marks;
use crate::shared;

/// This node's side of a group's file.
#[derive(Debug)]
pub struct Clerk {
    host: Host,
    node: NodeName,
    group: GroupName,
    lock: OnceLock<Lock>,
}

impl Clerk {
    /// The clerk of this node.
    pub fn new(host: &Host, group: &GroupName) -> Result<Self, Fail> {
        let node = host.name().parse()?;
        Ok(Self { host: host.clone(), node, group: group.clone(), lock: OnceLock::new() })
    }

    /// Does what is asked for.
    pub fn perform(&self, ask: Ask) -> Result<Say, Fail> {
        match ask {
            Ask::Hello => Ok(Say::Hello(Hello {
                version: VERSION,
                node: self.node.clone(),
                group: file::read_text(&self.path())?.unwrap_or_default(),
                registry: String::new(),
            })),
            Ask::Lock { patience_ms } => {
                let path = lock_path(&self.host, &self.group);
                hold(&self.lock, || Lock::take(&path, Duration::from_millis(patience_ms)))
            }
            Ask::Put { text, dry_run } => self.put(&text, dry_run).map(Say::Changed),
            Ask::Remove { dry_run } => self.remove(dry_run).map(Say::Changed),
            Ask::Beat => Ok(Say::Done(Done::default())),
            Ask::HoldRuns { .. }
            | Ask::Reacts
            | Ask::Marks
            | Ask::Keep { .. }
            | Ask::Look
            | Ask::Others { .. }
            | Ask::Claim { .. }
            | Ask::Needs
            | Ask::Check { .. }
            | Ask::Bearing { .. }
            | Ask::Rehearse { .. }
            | Ask::Sync
            | Ask::Ahead { .. }
            | Ask::Prove { .. }
            | Ask::Start { .. }
            | Ask::Stop { .. } => Err(Fail::usage("only the group's file is served here")),
        }
    }

    fn path(&self) -> PathBuf {
        self.host.path(Group::path(&self.group))
    }

    fn change(&self, old: Option<&str>, new: Option<&str>, dry_run: bool) -> Change {
        Change::of(&Group::path(&self.group), old.map(str::as_bytes), new.map(str::as_bytes), dry_run)
    }

    /// Puts the file there. What is up here must be the same in it.
    fn put(&self, text: &str, dry_run: bool) -> Result<Change, Fail> {
        let path = self.path();
        let new = Group::parse(self.group.clone(), text, &path)?;
        if new.nodes.contains(&self.node) {
            self.refuse_unknown_instances(&new)?;
        }
        let old = file::read_text(&path)?;
        let change = self.change(old.as_deref(), Some(text), dry_run);
        // A file that was not valid was good for nothing that could be up.
        if let Some(Ok(before)) = old.map(|old| Group::parse(self.group.clone(), &old, &path)) {
            let is_other = |resource: &Resource| {
                let kept = new.get(&resource.name).filter(|_| new.nodes.contains(&self.node));
                kept.is_none_or(|kept| kept.kind != resource.kind)
            };
            self.refuse_up(&before, is_other, "and is not the same in the new file")?;
        }
        if change.changed && !dry_run {
            if let Some(folder) = path.parent() {
                fs_err::create_dir_all(folder)
                    .map_err(|e| Fail::io(Exit::Failed, format!("cannot make {}", folder.display()), &e))?;
            }
            file::replace(&path, text.as_bytes())?;
        }
        Ok(change)
    }

    /// Takes the file away, with what was said of the group. Nothing of it may be up here.
    fn remove(&self, dry_run: bool) -> Result<Change, Fail> {
        let path = self.path();
        let Some(old) = file::read_text(&path)? else { return Ok(self.change(None, None, dry_run)) };
        marks::file::load(&self.host, &self.group)?.refuse_frozen(&self.group)?;
        self.refuse_up(&Group::parse(self.group.clone(), &old, &path)?, |_| true, "")?;
        if !dry_run {
            marks::file::forget(&self.host, &self.group)?;
            file::remove(&path)?;
        }
        Ok(self.change(Some(&old), None, dry_run))
    }

    fn refuse_up(&self, group: &Group, is_meant: impl Fn(&Resource) -> bool, why: &str) -> Result<(), Fail> {
        // What another group has as it stands here is that group's, whichever of the two brought it up.
        let mut others = shared::others(&self.host, group)?;
        others.retain(|other| other.nodes.contains(&self.node));
        let is_own = |r: &&Resource| !r.kind.is_persistent() && !shared::has_it(&others, r);
        let meant: Vec<&Resource> = group.resources.iter().filter(|r| is_own(r) && is_meant(r)).collect();
        if meant.is_empty() || !group.nodes.contains(&self.node) {
            return Ok(());
        }
        let looked = Desk::new(&self.host, group.clone())?.looked();
        for resource in meant {
            let state = looked.get(&resource.name).map_or(State::Unknown, |(state, _)| *state);
            if state != State::Down {
                let what = format!("{} is {state} {why}", resource.name);
                return Err(Fail::refused(what.trim_end()).hint(format!("ims-switch offline {}", group.name)));
            }
        }
        Ok(())
    }

    fn refuse_unknown_instances(&self, group: &Group) -> Result<(), Fail> {
        let known = Registry::load(&self.host)?;
        let is_known = |name: &str| {
            known.instances().any(|entry| {
                entry.name.as_str() == name || entry.ldap.as_ref().is_some_and(|ldap| ldap.as_str() == name)
            })
        };
        match group.resources.iter().filter_map(|r| r.kind.instance()).find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => Err(Fail::refused(format!("{} has no entry for {name}", registry::PATH))
                .hint("ims-registry replicate puts this node's entries on another")),
        }
    }
}

//! `ims-switch react`: probe records and ended servers in, decisions out, and what was decided is done: a restart,
//! then the group goes to the next node.

mod act;
mod clock;
mod feed;
mod finding;
mod marked;
mod part;
pub mod policy;
mod reactor;
mod silence;
mod watch;

use std::net::IpAddr;
use std::time::Duration;

use ims::group::{Group, Kind, Resource};
use ims::name::{GroupName, InstanceName, ResourceName};
use ims::registry::Registry;
use ims::sys::lock::Lock;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, Record, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::React;
use crate::interrupt::Interrupt;
use crate::seat::desk::react_path;
use feed::Feed;
pub use policy::Choice;
use reactor::Reactor;
use watch::Watch;

/// What is read of a probe's record.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Answer {
    endpoint: String,
    instance: Option<InstanceName>,
    service: String,
    #[serde(default)]
    address: Option<IpAddr>,
    state: State,
    words: Option<String>,
    #[serde(default)]
    attempt: Option<u64>,
    time: Timestamp,
}

impl Record for Answer {
    const SCHEMA: &'static str = "ims.answer/1";
}

/// A decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// The group.
    pub group: GroupName,
    /// The resource it is about.
    pub resource: ResourceName,
    /// The endpoint that was probed; `process:PROGRAM` for a server whose first process ended.
    pub endpoint: String,
    /// What was found.
    pub state: State,
    /// What the server said, or the error, or which process ended.
    pub words: Option<String>,
    /// What is decided.
    pub decision: Choice,
    /// Why.
    pub reason: String,
    /// The exit status of what was done, as a word; absent when nothing was.
    pub status: Option<String>,
    /// Whether it was only told.
    pub dry_run: bool,
    /// When the probe was answered, or the end was seen.
    pub time: Timestamp,
}

impl Record for Decision {
    const SCHEMA: &'static str = "ims.decision/1";

    fn columns() -> &'static [&'static str] {
        &["time", "resource", "endpoint", "state", "decision", "status", "reason"]
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.time.to_string(),
            self.resource.to_string(),
            self.endpoint.clone(),
            self.state.to_string(),
            format!("{:?}", self.decision).to_lowercase(),
            self.status.clone().unwrap_or_else(|| "-".to_owned()),
            self.reason.clone(),
        ]
    }
}

/// Reacts to what comes on stdin, and to servers that end, until stdin does.
pub fn react(host: &Host, asked: &React, interrupt: &Interrupt, out: &mut Out) -> Result<Exit, Fail> {
    let group = Group::load(host, &asked.group)?;
    // Of two that see the same fault one acts.
    let _only = if asked.dry_run { None } else { Some(alone(host, &group.name)?) };
    let watch = if asked.dry_run { None } else { Some(Watch::begin(host, &group)?) };
    let feed = Feed::open(interrupt)?;
    let exit = Reactor::new(host, asked, group, interrupt, out)?.attend(feed, watch)?;
    if let Some(signal) = interrupt.came() {
        stderr::say("ims-switch", format_args!("stopped by {signal}"));
    }
    Ok(exit)
}

/// The lock of the only run that reacts to this group on this node.
fn alone(host: &Host, group: &GroupName) -> Result<Lock, Fail> {
    Lock::take(&react_path(host, group), Duration::ZERO).map_err(|fail| {
        Fail::new(fail.exit(), format!("another ims-switch react watches {group} on this node")).because(fail)
    })
}

/// The resource that an endpoint belongs to.
fn resource_of<'a>(group: &'a Group, registry: &Registry, answer: &Answer) -> Option<&'a Resource> {
    let is_directory = answer.service.starts_with("ldap");
    let Some(name) = answer.instance.as_ref() else {
        return at_address(group, answer.address?, is_directory);
    };
    let entry = registry.get(name);
    group.resources.iter().find(|resource| match &resource.kind {
        Kind::MessagingServer { instance } => !is_directory && instance == name,
        Kind::DirectoryServer { instance } => {
            is_directory && entry.is_some_and(|entry| entry.ldap.as_ref() == Some(instance))
        }
        Kind::Nic { .. }
        | Kind::LogicalIp { .. }
        | Kind::DiskGroup { .. }
        | Kind::Volume(_)
        | Kind::Command(_)
        | Kind::Ocf(_) => false,
    })
}

/// The directory server or the mail servers behind an address of the group, when there is only one that it can be: an
/// answer from a URL names no instance, and on a node without the volume there is nothing else to probe.
fn at_address(group: &Group, at: IpAddr, is_directory: bool) -> Option<&Resource> {
    let has_it = |resource: &Resource| matches!(&resource.kind, Kind::LogicalIp { address, .. } if address.address().ip() == at);
    let is_meant = |resource: &&Resource| {
        matches!(
            (&resource.kind, is_directory),
            (Kind::DirectoryServer { .. }, true) | (Kind::MessagingServer { .. }, false)
        )
    };
    let mut meant = group.resources.iter().filter(is_meant);
    let one = meant.next().filter(|_| group.resources.iter().any(has_it))?;
    meant.next().is_none().then_some(one)
}

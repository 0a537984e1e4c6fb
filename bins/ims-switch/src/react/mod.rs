//! `ims-switch react`: probe records in, decisions out, and what was decided is done: a restart, then the group
//! goes to the next node.

mod act;
mod marked;
pub mod policy;
mod stdin;

use std::net::IpAddr;

use ims::group::{Group, Kind, Resource};
use ims::input::records;
use ims::name::{GroupName, InstanceName, ResourceName};
use ims::registry::Registry;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, Record, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::React;
use crate::interrupt::Interrupt;
pub use policy::Choice;
use policy::{Counts, Heard};

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

    fn columns() -> &'static [&'static str] {
        &[]
    }

    fn row(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// The group.
    pub group: GroupName,
    /// The resource it is about.
    pub resource: ResourceName,
    /// The endpoint that was probed.
    pub endpoint: String,
    /// What the probe found.
    pub state: State,
    /// What the server said, or the error.
    pub words: Option<String>,
    /// What is decided.
    pub decision: Choice,
    /// Why.
    pub reason: String,
    /// The exit status of what was done, as a word; absent when nothing was.
    pub status: Option<String>,
    /// Whether it was only told.
    pub dry_run: bool,
    /// When the probe was answered.
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

/// Reacts to what comes on stdin until it ends.
pub fn react(host: &Host, react: &React, interrupt: &Interrupt, out: &mut Out) -> Result<Exit, Fail> {
    let group = Group::load(host, &react.group)?;
    let registry = Registry::load(host)?;
    let mut counts = Counts::default();
    let mut exit = Exit::Ok;
    let mut strangers: Vec<String> = Vec::new();
    for answer in records::<Answer>("ims-switch", stdin::until(interrupt)?) {
        // What is half read then is nobody's fault.
        if interrupt.came().is_some() {
            break;
        }
        let answer = answer?.record;
        let Some(resource) = resource_of(&group, &registry, &answer) else {
            if !strangers.contains(&answer.endpoint) {
                stderr::say("ims-switch", format_args!("{} is no part of {}", answer.endpoint, group.name));
                strangers.push(answer.endpoint);
            }
            continue;
        };
        let heard = Heard { state: answer.state, round: answer.attempt, time: answer.time };
        let stays = if answer.state == State::Up { None } else { marked::stays(host, &group.name, resource) };
        let (choice, reason) = match stays {
            Some(why) => (Choice::Nothing, why),
            None => counts.decide(&resource.name, &resource.policy, &heard),
        };
        if answer.state == State::Up {
            continue;
        }
        let mut decision = Decision {
            group: group.name.clone(),
            resource: resource.name.clone(),
            endpoint: answer.endpoint,
            state: answer.state,
            words: answer.words,
            decision: choice,
            reason,
            status: None,
            dry_run: react.dry_run,
            time: answer.time,
        };
        if !react.dry_run {
            let done = act::act(host, react, &resource.name, choice, interrupt, out);
            if let Some((done, besides)) = done {
                exit = exit.gravest(done);
                decision.reason.extend(besides.map(|besides| format!("; {besides}")));
                if choice == Choice::Giveover && marked::is_final(done) {
                    let why = format!("{}, and that ended as {}", decision.reason, done.word());
                    marked::give_up(host, &group.name, &resource.name, &why, react.timeout.0);
                }
                decision.status = Some(done.word().to_owned());
            }
        }
        let time = if react.dry_run { answer.time } else { Timestamp::now() };
        counts.acted(&resource.name, choice, time);
        out.record(&decision)?;
        out.flush()?;
    }
    if let Some(signal) = interrupt.came() {
        stderr::say("ims-switch", format_args!("stopped by {signal}"));
    }
    Ok(exit)
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

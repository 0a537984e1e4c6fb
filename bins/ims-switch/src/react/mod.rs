//! `ims-switch react`: probe records in, decisions out, and what was decided is done: a restart, then the group
//! goes to the next node.

mod marked;
pub mod policy;
mod stdin;

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
use crate::drive::{Asked, drive};
use crate::interrupt::Interrupt;
use crate::plan::Wish;
pub use policy::Choice;
use policy::{Counts, Heard};

/// What is read of a probe's record.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Answer {
    endpoint: String,
    instance: Option<InstanceName>,
    service: String,
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
            let done = act(host, react, &resource.name, choice, interrupt, out);
            if let Some(done) = done {
                exit = exit.gravest(done);
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
    let name = answer.instance.as_ref()?;
    let is_directory = answer.service.starts_with("ldap");
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

/// Does what was decided; when no other node can have the group, its resource is restarted once more.
fn act(
    host: &Host,
    react: &React,
    resource: &ResourceName,
    choice: Choice,
    interrupt: &Interrupt,
    out: &mut Out,
) -> Option<Exit> {
    let asked = |wish| Asked {
        group: react.group.clone(),
        wish,
        dry_run: false,
        timeout: react.timeout.0,
        confirm_fenced: Vec::new(),
        degraded: false,
        reason: None,
        shown_before: Vec::new(),
    };
    let restart = || asked(Wish::Restart(resource.clone()));
    let mut attempt = |asked: &Asked| match drive(host, asked, interrupt, out) {
        Ok(exit) => exit,
        Err(fail) => {
            stderr::say("ims-switch", &fail);
            fail.exit()
        }
    };
    match choice {
        Choice::Nothing | Choice::Tolerate => None,
        Choice::Restart => Some(attempt(&restart())),
        Choice::Giveover => Some(match attempt(&asked(Wish::Giveover)) {
            Exit::Refused => attempt(&restart()),
            exit @ (Exit::Ok
            | Exit::No
            | Exit::Usage
            | Exit::Unknown
            | Exit::Failed
            | Exit::Broken
            | Exit::Busy) => exit,
        }),
    }
}

//! What can be done with one resource on this node: look at it, start it, stop it, say whether it could start.

mod agent;
mod ahead;
pub mod legs;
pub mod server;
mod tool;

use ims::group::{Group, Kind, Resource};
use ims::sys::lock::Lock;
use ims::{Fail, Host, State};

use crate::lap::{Done, Laps};
use crate::plan::{Hints, Verb, line};

pub use ahead::Ahead;
pub use tool::{ask, beside, run};

/// A node's side of a group: where it is, and the lock that its steps hold.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// This node.
    pub host: &'a Host,
    /// The group.
    pub group: &'a Group,
    /// The group's lock, inherited by what must not outlive it unnoticed.
    pub lock: Option<&'a Lock>,
    /// What was done ahead of its steps.
    pub ahead: Option<&'a Ahead>,
}

/// A state, and what makes it so when it is not plain.
pub type Looked = (State, Option<String>);

impl Here<'_> {
    /// Looks at a resource.
    pub fn look(&self, resource: &Resource) -> Looked {
        let looked = match &resource.kind {
            Kind::Nic { .. } | Kind::LogicalIp { .. } | Kind::Volume(_) | Kind::DiskGroup { .. } => {
                tool::look(self, resource)
            }
            Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => server::look(self, resource),
            Kind::Command(commands) => agent::look(self, resource, &[0], &commands.offline_status),
            Kind::Ocf(_) => agent::look(self, resource, &[0, 190], &[7]),
        };
        looked.unwrap_or_else(|fail| (State::Unknown, Some(fail.to_string())))
    }

    /// Starts a resource and returns once it is up.
    pub fn start(&self, resource: &Resource, hints: &Hints) -> Result<Done, Fail> {
        let laps = Laps::begin();
        let changed = match &resource.kind {
            Kind::Nic { device } => tool::must_be_up(self, resource, device)?,
            Kind::LogicalIp { .. } | Kind::Volume(_) | Kind::DiskGroup { .. } => tool::step(
                self,
                resource,
                &line::of(self.group, resource, Verb::Start, hints),
                resource.limits.online_timeout,
            )?,
            Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => again(
                resource,
                || server::start(self, resource, &laps),
                || server::stop(self, resource, &laps).map(drop),
            )?,
            Kind::Command(_) | Kind::Ocf(_) => again(
                resource,
                || agent::start(self, resource, &laps),
                || agent::stop(self, resource, &laps).map(drop),
            )?,
        };
        Ok(laps.done(changed))
    }

    /// Stops a resource and returns once it is certainly down.
    pub fn stop(&self, resource: &Resource) -> Result<Done, Fail> {
        let laps = Laps::begin();
        let changed = match &resource.kind {
            Kind::Nic { .. } => false,
            Kind::LogicalIp { .. } | Kind::Volume(_) | Kind::DiskGroup { .. } => {
                let line = line::of(self.group, resource, Verb::Stop, &Hints::default());
                tool::step(self, resource, &line, resource.limits.offline_timeout)?
            }
            Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => {
                server::stop(self, resource, &laps)?
            }
            Kind::Command(_) | Kind::Ocf(_) => agent::stop(self, resource, &laps)?,
        };
        Ok(laps.done(changed))
    }

    /// Says what would keep a resource from starting here, as far as that can be told without touching anything.
    pub fn obstacles(&self, resource: &Resource, needs: &[std::path::PathBuf]) -> Vec<String> {
        match &resource.kind {
            Kind::Nic { .. } | Kind::LogicalIp { .. } | Kind::Volume(_) | Kind::DiskGroup { .. } => {
                tool::obstacles(self, resource)
            }
            Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => {
                server::obstacles(self, resource, needs)
            }
            Kind::Command(_) | Kind::Ocf(_) => agent::obstacles(self, resource),
        }
    }
}

/// Starts, and after a failure cleans and starts again, as often as `online_retry_limit` says.
///
/// What was refused, or what is wrong with a file, is not tried again: it would end the same way.
fn again(
    resource: &Resource,
    start: impl Fn() -> Result<bool, Fail>,
    clean: impl Fn() -> Result<(), Fail>,
) -> Result<bool, Fail> {
    let mut tries = resource.policy.online_retry_limit;
    loop {
        let fail = match start() {
            Ok(changed) => return Ok(changed),
            Err(fail) => fail,
        };
        let cleaned = clean();
        let is_worth_it = matches!(fail.exit(), ims::Exit::Failed | ims::Exit::Unknown | ims::Exit::No);
        match cleaned {
            Ok(()) if tries > 0 && is_worth_it => tries -= 1,
            Ok(()) => return Err(fail),
            Err(undo) => return Err(fail.and_undo_failed(undo)),
        }
    }
}

//! Whether a group could be moved at all: its file is valid, its nodes answer, and all of them say the same.

use ims::fail::FailRecord;
use ims::group::{Group, Kind};
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;
use ims::registry::Registry;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, Record, State};
use schemars::JsonSchema;
use serde::Serialize;

use crate::drive::team::Team;
use crate::found::Seen;
use crate::shared;
use crate::status::chosen;

/// What `check` found of a group on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupCheck {
    /// The group.
    pub group: GroupName,
    /// The node.
    pub node: NodeName,
    /// Up when all is well there, down when it is not, unknown when it cannot be reached.
    pub state: State,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

impl Record for GroupCheck {
    const SCHEMA: &'static str = "ims.group-check/1";

    fn columns() -> &'static [&'static str] {
        &["group", "node", "state", "findings"]
    }

    fn row(&self) -> Vec<String> {
        let findings = if self.findings.is_empty() { "-".to_owned() } else { self.findings.join("; ") };
        vec![self.group.to_string(), self.node.to_string(), self.state.to_string(), findings]
    }
}

/// Checks the groups on all of their nodes. One that nothing can be told of keeps no other from being checked.
pub fn check(host: &Host, named: &[GroupName], out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    let mut fails: Vec<Fail> = Vec::new();
    for name in chosen(host, named)? {
        match of(host, &name) {
            Ok(checks) => {
                for check in checks {
                    exit = exit.gravest(check.state.into());
                    out.record(&check)?;
                }
            }
            Err(fail) => fails.push(fail),
        }
    }
    for fail in fails {
        stderr::say("ims-switch", &fail);
        out.record(&FailRecord::from(&fail))?;
        exit = exit.gravest(fail.exit());
    }
    Ok(exit)
}

/// Checks one group.
fn of(host: &Host, name: &GroupName) -> Result<Vec<GroupCheck>, Fail> {
    let team = Team::gather(host, Group::load(host, name)?, Nodes::load(host)?, None)?;
    let differences = team.differences(host)?;
    let mut everywhere = unbound(host, &team.group)?;
    everywhere.extend(strangers(host, &team.group)?);
    everywhere.extend(shared::with(&team.group, &shared::others(host, &team.group)?));
    let (found, _) = team.look();
    let check = |(node, seen): (&NodeName, &Seen)| {
        let mut findings: Vec<String> =
            differences.iter().filter(|(of, _)| of == node).map(|(_, what)| what.clone()).collect();
        let state = match seen {
            Seen::Lost { why, .. } => {
                findings.push(format!("it cannot be reached: {why}"));
                State::Unknown
            }
            Seen::Reached(_) | Seen::Fenced => {
                findings.extend(everywhere.iter().cloned());
                if findings.is_empty() { State::Up } else { State::Down }
            }
        };
        GroupCheck { group: name.clone(), node: node.clone(), state, findings }
    };
    Ok(found.nodes().map(check).collect())
}

/// Groups that it is kept together with or apart from and that this node has no file of.
fn strangers(host: &Host, group: &Group) -> Result<Vec<String>, Fail> {
    let known = Group::names(host)?;
    let named =
        group.bonds.lists().into_iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name)));
    let missing = named.filter(|(_, name)| !known.contains(name));
    Ok(missing
        .map(|(key, name)| format!("{key} names {name}, which has no file in {}", ims::group::FOLDER))
        .collect())
}

/// Instances that are bound to an address which the group does not bring along.
fn unbound(host: &Host, group: &Group) -> Result<Vec<String>, Fail> {
    let registry = Registry::load(host)?;
    let brought: Vec<_> = group
        .resources
        .iter()
        .filter_map(|resource| match &resource.kind {
            Kind::LogicalIp { address, .. } => Some(address.address()),
            Kind::Nic { .. }
            | Kind::DiskGroup { .. }
            | Kind::Volume(_)
            | Kind::DirectoryServer { .. }
            | Kind::MessagingServer { .. }
            | Kind::Command(_)
            | Kind::Ocf(_) => None,
        })
        .collect();
    let mut findings = Vec::new();
    for resource in &group.resources {
        let Kind::MessagingServer { instance } = &resource.kind else { continue };
        for address in registry.get(instance).map(|entry| entry.addresses.clone()).unwrap_or_default() {
            if !brought.is_empty() && !brought.contains(&address) {
                findings
                    .push(format!("{instance} is bound to {address}, which is no logical-ip of the group"));
            }
        }
    }
    Ok(findings)
}

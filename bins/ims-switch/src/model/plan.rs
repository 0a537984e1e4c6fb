//! Which instance runs where, on what, and with which port: decided from what was asked alone.

use std::path::{Path, PathBuf};

use ims::Fail;
use ims::address::LogicalIp;
use ims::instance::Instance;
use ims::layout::{Layout, messaging};
use ims::name::{GroupName, InstanceName, NodeName};

use super::fits::{fits, has_work_for_each, meant};
use super::storage::{Stand, Storage};
use crate::cli::model::{Kind, Model, Wanted};

/// Everything that a model is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// The model.
    pub model: Kind,
    /// Every node; of n+1 the last is the standby.
    pub nodes: Vec<NodeName>,
    /// The instances, in the order in which they were named.
    pub instances: Vec<Placed>,
    /// How the volumes are made.
    pub storage: Storage,
    /// How many groups the standby of n+1 can run at once.
    pub capacity: Option<u64>,
    /// What nobody said, and how it was decided.
    pub decided: Vec<String>,
}

/// An instance, its group and its volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// What the registry is to say.
    pub instance: Instance,
    /// Its group.
    pub group: GroupName,
    /// The node it is to run on, and then its backup.
    pub nodes: Vec<NodeName>,
    /// The groups that must be online first.
    pub requires_groups: Vec<GroupName>,
    /// Its addresses.
    pub addresses: Vec<LogicalIp>,
    /// The interface they are put on.
    pub interface: String,
    /// What its volume stands on.
    pub stand: Stand,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The port of its Job Controller, no other instance's; `None` in a layout that has none.
    pub job_controller: Option<u16>,
}

/// Decides everything. What was asked and does not fit the model is told with what would.
pub fn plan(asked: &Model) -> Result<Laid, Fail> {
    fits(asked)?;
    let mut decided = Vec::new();
    let layout = asked.layout.unwrap_or_else(|| {
        decided.push("layout postfix-dovecot (--layout)".to_owned());
        Layout::PostfixDovecot
    });
    let interface = asked.interface.clone().unwrap_or_else(|| {
        decided.push("interface eth0 (--interface)".to_owned());
        "eth0".to_owned()
    });
    let mounts = asked.mounts.clone().unwrap_or_else(|| {
        decided.push("volumes below /global (--mounts)".to_owned());
        PathBuf::from("/global")
    });
    let storage = Storage::of(asked, &mut decided)?;
    let mut instances = Vec::new();
    for (index, wanted) in asked.instances.iter().enumerate() {
        let name = &wanted.name;
        let mount = mounts.join(name.as_str());
        let instance = instance(asked, wanted, layout, &mount)?;
        if instance.ldap.is_none() && layout != Layout::Messaging6 {
            decided.push(format!("no directory server below the root of {name} (--ldap)"));
        }
        let nodes = nodes_of(asked, wanted, index)?;
        if wanted.node.is_none() && asked.model != Kind::Asymmetric {
            let node = nodes.first().map(ToString::to_string).unwrap_or_default();
            decided.push(format!("{name} on {node} (@NODE)"));
        }
        instances.push(Placed {
            group: format!("{name}-RG").parse()?,
            job_controller: job_controller(&instance, index)?,
            instance,
            nodes,
            requires_groups: asked.requires_groups.clone(),
            addresses: wanted.addresses.clone(),
            interface: interface.clone(),
            stand: storage.stand(asked, name, index)?,
            mount,
        });
    }
    let all = u64::try_from(instances.len()).unwrap_or(u64::MAX);
    let capacity = (asked.model == Kind::NPlusOne).then(|| {
        asked.capacity.unwrap_or_else(|| {
            decided.push(format!("the standby can run all {all} groups at once (--capacity)"));
            all
        })
    });
    let nodes = asked.nodes.clone();
    let laid = Laid { model: asked.model, nodes, instances, storage, capacity, decided };
    has_work_for_each(&laid)?;
    Ok(laid)
}

fn instance(asked: &Model, wanted: &Wanted, layout: Layout, mount: &Path) -> Result<Instance, Fail> {
    let is_its = |owner: &Option<InstanceName>| owner.as_ref().is_none_or(|owner| *owner == wanted.name);
    let instance = Instance {
        name: wanted.name.clone(),
        layout,
        root: mount.join(match layout {
            Layout::Iplanet5 | Layout::PostfixDovecot => "server5",
            Layout::Messaging6 => "SUNWmsgsr",
        }),
        addresses: wanted.addresses.iter().map(|address| address.address()).collect(),
        ldap: asked.directories.iter().find(|d| is_its(&d.instance)).map(|directory| directory.name.clone()),
        mail: true,
    };
    instance.fits()?;
    let is_one_ipv4 = matches!(instance.addresses.as_slice(), [address] if address.ip().is_ipv4());
    match layout {
        Layout::Iplanet5 | Layout::Messaging6 if !is_one_ipv4 => {
            Err(Fail::usage(format!("{}: servers of {layout} are bound to one IPv4 address", wanted.name))
                .hint("give that one alone, see ims-ipbind(8)"))
        }
        Layout::Iplanet5 | Layout::Messaging6 | Layout::PostfixDovecot => Ok(instance),
    }
}

/// The node that an instance is to run on, and its backup.
fn nodes_of(asked: &Model, wanted: &Wanted, index: usize) -> Result<Vec<NodeName>, Fail> {
    let primaries: Vec<&NodeName> = match asked.model {
        Kind::Asymmetric | Kind::Symmetric => asked.nodes.iter().collect(),
        Kind::NPlusOne => asked.nodes.iter().take(asked.nodes.len() - 1).collect(),
    };
    let names: Vec<&str> = primaries.iter().map(|node| node.as_str()).collect();
    if let Some(node) = wanted.node.as_ref().filter(|node| !primaries.contains(node)) {
        let fail = Fail::usage(format!("{node} is no node for {}", wanted.name));
        return Err(match asked.nodes.last() {
            Some(last) if last == node => {
                fail.hint("it is the standby; give the node of --nodes that is to be it as the last")
            }
            _ => meant(fail, node.as_str(), &names),
        });
    }
    let usual = match asked.model {
        Kind::Asymmetric => 0,
        Kind::Symmetric | Kind::NPlusOne => index % primaries.len().max(1),
    };
    let own = wanted.node.as_ref().or_else(|| primaries.get(usual).copied());
    let backup = match asked.model {
        Kind::Asymmetric | Kind::Symmetric => asked.nodes.iter().find(|node| Some(*node) != own),
        Kind::NPlusOne => asked.nodes.last(),
    };
    Ok(own.into_iter().chain(backup).cloned().collect())
}

/// A port that no other instance of the model has, wherever it may come to run.
fn job_controller(instance: &Instance, index: usize) -> Result<Option<u16>, Fail> {
    if messaging::files(instance).is_none() {
        return Ok(None);
    }
    let port = u16::try_from(index).ok().and_then(|index| messaging::JOB_CONTROLLER.checked_add(index));
    port.map(Some)
        .ok_or_else(|| Fail::usage(format!("no port is left for the Job Controller of {}", instance.name)))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

//! Which instance runs where, on what, and with which port: decided from what was asked alone.

use std::path::{Path, PathBuf};

use ims::Fail;
use ims::address::LogicalIp;
use ims::instance::Instance;
use ims::layer::Layer;
use ims::layout::{Layout, messaging};
use ims::name::{GroupName, InstanceName, NodeName};
use ims::suggest::nearest;

use crate::cli::model::{Fstype, Kind, Mirror, Model, Wanted};

/// Everything that a model is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// The model.
    pub model: Kind,
    /// Every node; of n+1 the last is the standby.
    pub nodes: Vec<NodeName>,
    /// The instances, in the order in which they were named.
    pub instances: Vec<Placed>,
    /// What keeps two copies of each volume.
    pub mirror: Mirror,
    /// The type of the volumes' file systems.
    pub fstype: Fstype,
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
    /// What its block device stands on, bottom up.
    pub layers: Vec<Layer>,
    /// Its block device.
    pub device: PathBuf,
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
    let mirror = asked.mirror.unwrap_or_else(|| {
        let mirror = mirror_of(asked.model);
        decided.push(format!("{} (--mirror)", mirror_words(mirror)));
        mirror
    });
    let fstype = asked.fstype.unwrap_or_else(|| {
        decided.push("file system ext4 (--fstype)".to_owned());
        Fstype::Ext4
    });
    let mut instances = Vec::new();
    for (index, wanted) in asked.instances.iter().enumerate() {
        let name = &wanted.name;
        let mount = mounts.join(name.as_str());
        let instance = instance(asked, wanted, layout, &mount)?;
        if instance.ldap.is_none() && layout != Layout::Messaging6 {
            decided.push(format!("no directory server below the root of {name} (--ldap)"));
        }
        let (layers, device) = disk(asked, name, mirror, fstype)?;
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
            layers,
            device,
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
    let laid = Laid { model: asked.model, nodes, instances, mirror, fstype, capacity, decided };
    has_work_for_each(&laid)?;
    Ok(laid)
}

/// Refuses what is named twice, what is not there, and a number of nodes that the model does not have.
fn fits(asked: &Model) -> Result<(), Fail> {
    let (word, count) = (asked.model.word(), asked.nodes.len());
    match asked.model {
        Kind::Asymmetric | Kind::Symmetric if count != 2 => {
            let fail = Fail::usage(format!("{word} has two nodes, not {count}"));
            return Err(fail.hint("--nodes mail-1,mail-2; with more nodes it is n+1"));
        }
        Kind::NPlusOne if count < 3 => {
            let fail =
                Fail::usage(format!("n+1 has two primaries and a standby at least, not {count} nodes"));
            return Err(fail.hint("one primary and its standby are asymmetric"));
        }
        Kind::Asymmetric | Kind::Symmetric if asked.capacity.is_some() => {
            let fail =
                Fail::usage(format!("{word} has no standby of several, whose --capacity could be said"));
            return Err(fail.hint("leave --capacity out"));
        }
        Kind::Asymmetric | Kind::Symmetric | Kind::NPlusOne => {}
    }
    let names: Vec<&str> = asked.instances.iter().map(|wanted| wanted.name.as_str()).collect();
    let addresses: Vec<String> = asked
        .instances
        .iter()
        .flat_map(|wanted| wanted.addresses.iter().map(|address| address.address().to_string()))
        .collect();
    let directories: Vec<&str> = asked.directories.iter().map(|directory| directory.name.as_str()).collect();
    once("--nodes", &asked.nodes.iter().map(NodeName::as_str).collect::<Vec<_>>())?;
    once("--instance", &names)?;
    once("--instance", &addresses.iter().map(String::as_str).collect::<Vec<_>>())?;
    once("--ldap", &directories)?;
    let owners = asked.directories.iter().filter_map(|directory| directory.instance.as_ref());
    let owners: Vec<&str> = owners.map(InstanceName::as_str).collect();
    let disks: Vec<&str> = asked.disks.iter().map(|disk| disk.instance.as_str()).collect();
    once("--ldap", &owners)?;
    once("--disk", &disks)?;
    if let Some(unknown) = owners.iter().chain(&disks).find(|name| !names.contains(name)) {
        return Err(meant(Fail::usage(format!("no --instance is called {unknown}")), unknown, &names));
    }
    if asked.directories.iter().any(|directory| directory.instance.is_none()) && names.len() > 1 {
        return Err(Fail::usage("--ldap does not say whose it is").hint("like --ldap stork=mail"));
    }
    if asked.directories.len() > names.len() {
        return Err(
            Fail::usage("an instance has one directory server at most").hint("give one --ldap for each")
        );
    }
    Ok(())
}

fn once(option: &str, names: &[&str]) -> Result<(), Fail> {
    let twice = names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|n| n == *name));
    twice.map_or(Ok(()), |(_, name)| Err(Fail::usage(format!("{name} stands twice in {option}"))))
}

fn meant(fail: Fail, word: &str, known: &[&str]) -> Fail {
    match nearest(word, known.iter().copied()) {
        Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
        None => fail.hint(format!("there are {}", known.join(", "))),
    }
}

const fn mirror_of(model: Kind) -> Mirror {
    match model {
        Kind::Symmetric => Mirror::Md,
        Kind::Asymmetric | Kind::NPlusOne => Mirror::None,
    }
}

const fn mirror_words(mirror: Mirror) -> &'static str {
    match mirror {
        Mirror::Md => "volumes mirrored by md over both disk arrays",
        Mirror::Drbd => "volumes mirrored by DRBD over both nodes",
        Mirror::None => "volumes not mirrored here",
    }
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

/// The layers and the block device of an instance's volume.
fn disk(
    asked: &Model,
    name: &InstanceName,
    mirror: Mirror,
    fstype: Fstype,
) -> Result<(Vec<Layer>, PathBuf), Fail> {
    let said = asked.disks.iter().find(|disk| &disk.instance == name).map(|disk| disk.device.clone());
    let (layers, usual): (Vec<Layer>, String) = match mirror {
        Mirror::Md => (vec![format!("md:/dev/md/{name}").parse()?], format!("/dev/md/{name}")),
        Mirror::Drbd => (vec![format!("drbd:{name}").parse()?], format!("/dev/drbd/by-res/{name}/0")),
        Mirror::None => (Vec::new(), format!("/dev/disk/by-label/{name}")),
    };
    let longest = fstype.longest_label();
    if said.is_none() && mirror == Mirror::None && name.as_str().len() > longest {
        let fstype = fstype.word();
        return Err(Fail::usage(format!(
            "{name} is too long for a label of {fstype}, at most {longest} bytes"
        ))
        .hint(format!("say --disk {name}=DEVICE")));
    }
    Ok((layers, said.unwrap_or_else(|| usual.into())))
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

/// Each node of a model but its standby runs something.
fn has_work_for_each(laid: &Laid) -> Result<(), Fail> {
    let runs = |node: &NodeName| laid.instances.iter().any(|placed| placed.nodes.first() == Some(node));
    match laid.model {
        Kind::Asymmetric => {
            let nodes: Vec<&NodeName> = laid.nodes.iter().filter(|node| runs(node)).collect();
            if nodes.len() > 1 {
                return Err(Fail::usage("only one node of asymmetric runs instances")
                    .hint("with both it is symmetric"));
            }
        }
        Kind::Symmetric | Kind::NPlusOne => {
            let primaries = laid.nodes.len() - usize::from(laid.model == Kind::NPlusOne);
            if let Some(idle) = laid.nodes.iter().take(primaries).find(|node| !runs(node)) {
                return Err(Fail::usage(format!("{idle} runs no instance"))
                    .hint(format!("add --instance NAME=ADDRESS/PREFIX@{idle}, or leave the node out")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

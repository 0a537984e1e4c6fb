//! What cannot be a model: named twice, not there, or with more or fewer nodes than it has. Pure.

use ims::Fail;
use ims::name::{InstanceName, NodeName};
use ims::suggest::nearest;

use super::plan::Laid;
use crate::cli::model::{Kind, Model};

/// Refuses what is named twice, what is not there, and a number of nodes that the model does not have.
pub fn fits(asked: &Model) -> Result<(), Fail> {
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

pub fn meant(fail: Fail, word: &str, known: &[&str]) -> Fail {
    match nearest(word, known.iter().copied()) {
        Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
        None => fail.hint(format!("there are {}", known.join(", "))),
    }
}

/// Each node of a model but its standby runs something.
pub fn has_work_for_each(laid: &Laid) -> Result<(), Fail> {
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

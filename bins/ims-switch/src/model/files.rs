//! The files of a model: group files, the registry, the nodes' file. Pure: each is read again by the reader that reads
//! it later, before it is written.

use std::path::Path;

use ims::Fail;
use ims::group::Group;
use ims::name::NodeName;
use ims::nodes::{self, Nodes};
use ims::registry::{self, Registry};

use crate::import::{Draft, DraftResource, Value};

use super::plan::{Laid, Placed};

/// The group file of an instance, with the seed's resources.
pub fn group(laid: &Laid, placed: &Placed) -> Result<String, Fail> {
    let nodes: Vec<&str> = placed.nodes.iter().map(NodeName::as_str).collect();
    let mut text = format!(
        "# The group of {} in the {} model: {}.\n",
        placed.instance.name,
        laid.model.word(),
        nodes.join(", then ")
    );
    text += &draft(laid, placed)?.to_string();
    Group::parse(placed.group.clone(), &text, &Group::path(&placed.group))?;
    Ok(text)
}

fn draft(laid: &Laid, placed: &Placed) -> Result<Draft, Fail> {
    let mut draft = Draft::new(placed.group.clone());
    draft.nodes.clone_from(&placed.nodes);
    draft.requires_groups.clone_from(&placed.requires_groups);
    let resource = |name: &str, kind: &str| Ok::<_, Fail>(DraftResource::new(name.parse()?, kind));
    let mut network = resource("network", "nic")?;
    network.set("device", placed.interface.clone());
    let mut below = Vec::new();
    for (index, address) in placed.addresses.iter().enumerate() {
        let name = if index == 0 { "logical_IP".to_owned() } else { format!("logical_IP_{}", index + 1) };
        let mut one = resource(&name, "logical-ip")?;
        one.set("address", address.to_string());
        one.set("device", placed.interface.clone());
        one.require(&network.name);
        below.push(one);
    }
    let mut volume = resource("mountshared", "volume")?;
    if !placed.layers.is_empty() {
        volume.set("layers", Value::Texts(placed.layers.iter().map(ToString::to_string).collect()));
    }
    volume.set("device", placed.device.display().to_string());
    volume.set("mount", placed.mount.display().to_string());
    volume.set("fstype", laid.fstype.word());
    below.push(volume);
    let mut servers = Vec::new();
    if let Some(ldap) = &placed.instance.ldap {
        let mut directory = resource("ldap", "directory-server")?;
        directory.set("instance", ldap.to_string());
        for one in &below {
            directory.require(&one.name);
        }
        servers.push(directory);
    }
    let mut mail = resource("mail", "messaging-server")?;
    mail.set("instance", placed.instance.name.to_string());
    let required = if servers.is_empty() { &below } else { &servers };
    for one in required {
        mail.require(&one.name);
    }
    servers.push(mail);
    draft.resources = std::iter::once(network).chain(below).chain(servers).collect();
    Ok(draft)
}

/// The registry with the model's instances, every other entry and every comment as it was. Refused are an entry that
/// says something else, unless it may be replaced, and an address or a directory server that another entry has.
pub fn registry(laid: &Laid, old: &[u8], may_replace: bool) -> Result<Vec<u8>, Fail> {
    let path = Path::new(registry::PATH);
    let mut registry = Registry::parse(old, path)?;
    for placed in &laid.instances {
        let wanted = &placed.instance;
        for other in registry.instances().filter(|other| other.name != wanted.name) {
            let address = wanted.addresses.iter().find(|address| other.addresses.contains(address));
            let ldap = wanted.ldap.as_ref().filter(|ldap| other.ldap.as_ref() == Some(ldap));
            let taken =
                address.map(ToString::to_string).or_else(|| Some(format!("directory server {}", ldap?)));
            if let Some(taken) =
                taken.filter(|_| !laid.instances.iter().any(|p| p.instance.name == other.name))
            {
                return Err(Fail::refused(format!(
                    "{taken} is the one of {} in {}",
                    other.name,
                    path.display()
                ))
                .hint(format!(
                    "give {} its own, or remove that entry with ims-registry remove",
                    wanted.name
                )));
            }
        }
        if !may_replace && registry.get(&wanted.name).is_some_and(|known| known != wanted) {
            let told = format!("{}: {} says something else", registry.place(&wanted.name), wanted.name);
            return Err(Fail::refused(told).hint(
                "nothing was written; look at the difference with --dry-run, then add --force-replace, or write \
                 elsewhere with --to",
            ));
        }
        registry.put(wanted);
    }
    let text = registry.bytes();
    Registry::parse(&text, path)?;
    Ok(text)
}

/// The nodes' file, where there is none yet: each reached by ssh, and nothing said of fencing, which nobody can guess.
pub fn nodes(laid: &Laid) -> Result<String, Fail> {
    let mut text = String::from(
        "# How each node is reached, and how it is switched off: see ims-group(5). Without a fence agent nothing is\n\
         # started elsewhere when a node is lost.\n",
    );
    text.extend(laid.nodes.iter().map(|node| {
        // A dot would make a table of tables.
        let key = if node.as_str().contains('.') { format!("\"{node}\"") } else { node.to_string() };
        let capacity = laid.capacity.filter(|_| laid.nodes.last() == Some(node));
        let capacity =
            capacity.map_or_else(String::new, |groups| format!("capacity = {{ groups = {groups} }}\n"));
        format!("\n[{key}]\nreach = [\"ssh\", \"root@{node}\"]\n{capacity}# fence = [\"fence_ipmilan\"]\n")
    }));
    Nodes::parse(&text, Path::new(nodes::PATH))?;
    Ok(text)
}

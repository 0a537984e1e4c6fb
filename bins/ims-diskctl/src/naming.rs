//! Which volumes are meant: one by flags, or those of groups by their names.

use std::str::FromStr;

use clap::ValueEnum;
use ims::group::{self, Group, Kind, Resource};
use ims::name::{GroupName, NodeName, ResourceName};
use ims::{Fail, Host};

use crate::cli::VolumeArgs;
use crate::volume::{DiskGroup, Item, Volume, Wanted};

/// A group, which stands for all its volumes, or one resource of it: `GROUP[:RESOURCE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    group: GroupName,
    resource: Option<ResourceName>,
}

impl FromStr for Name {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (group, resource) = match text.split_once(':') {
            Some((group, resource)) => (group, Some(resource.parse()?)),
            None => (text, None),
        };
        Ok(Self { group: group.parse()?, resource })
    }
}

/// The volumes and disk groups that a command line means, each once.
#[derive(Debug)]
pub struct Asked {
    /// In the order in which they were named.
    pub items: Vec<Item>,
    /// For each those, by their place in `items`, that must be taken before it is.
    pub below: Vec<Vec<usize>>,
    /// For each the volumes of its group that must be, and were not named.
    pub needs: Vec<Vec<Volume>>,
}

impl Asked {
    /// Reads the groups that are named.
    pub fn load(host: &Host, args: &VolumeArgs) -> Result<Self, Fail> {
        if let (Some(device), Some(mount)) = (&args.device, &args.mount) {
            let volume = Volume {
                name: None,
                layers: args.layers.clone(),
                device: device.clone(),
                mount: mount.clone(),
                fstype: args.fstype.clone(),
                options: args.options.clone(),
                guard: args.guard,
                lease: args.lease.clone(),
                degraded_start: false,
            };
            return Ok(Self::one(Item::Volume(volume)));
        }
        if !args.layers.is_empty() {
            return Ok(Self::one(Item::DiskGroup(DiskGroup { name: None, layers: args.layers.clone() })));
        }
        let (mut found, mut others): (Vec<(Item, Vec<String>)>, Vec<_>) = (Vec::new(), Vec::new());
        for name in &args.names {
            let group = Group::load(host, &name.group)?;
            for item in of(&group, name.resource.as_ref())? {
                if found.iter().all(|(other, _)| other.name() != item.0.name()) {
                    found.push(item);
                }
            }
            if name.resource.is_some() {
                others.extend(of(&group, None)?);
            }
        }
        others.retain(|(other, _)| found.iter().all(|(item, _)| item.name() != other.name()));
        let needs = found.iter().map(|item| needs(item, &others)).collect();
        let below = (0..found.len()).map(|index| below(&found, index)).collect();
        Ok(Self { items: found.into_iter().map(|(item, _)| item).collect(), below, needs })
    }

    /// Reads them for a node that would take them: one that is none of the group's is refused, for the group never looks
    /// for its volumes there.
    pub fn load_to_take(host: &Host, args: &VolumeArgs) -> Result<Self, Fail> {
        for name in &args.names {
            let group = Group::load(host, &name.group)?;
            if group.nodes.iter().all(|node| node.as_str() != host.name()) {
                let nodes: Vec<&str> = group.nodes.iter().map(NodeName::as_str).collect();
                return Err(Fail::refused(format!("{} is no node of {}", host.name(), group.name)).hint(
                    format!(
                        "its nodes are {}: take it there, or name the node in the group file",
                        nodes.join(", ")
                    ),
                ));
            }
        }
        Self::load(host, args)
    }

    fn one(item: Item) -> Self {
        Self { items: vec![item], below: vec![Vec::new()], needs: vec![Vec::new()] }
    }
}

/// The volumes and disk groups of a group, or the one that is named, each with the names of all that it requires.
fn of(group: &Group, named: Option<&ResourceName>) -> Result<Vec<(Item, Vec<String>)>, Fail> {
    let meant: Vec<&Resource> = match named {
        Some(name) => vec![group.find(name)?],
        None => group
            .resources
            .iter()
            .filter(|found| matches!(found.kind, Kind::Volume(_) | Kind::DiskGroup { .. }))
            .collect(),
    };
    if meant.is_empty() {
        return Err(Fail::usage(format!("no volume in {}", group.name)));
    }
    let with_requirements = |resource: &Resource| {
        let name = name(group, &resource.name);
        let item = match &resource.kind {
            Kind::Volume(described) => Item::Volume(volume(name, described)?),
            Kind::DiskGroup { layers } => {
                Item::DiskGroup(DiskGroup { name: Some(name), layers: layers.clone() })
            }
            Kind::Nic { .. }
            | Kind::LogicalIp { .. }
            | Kind::DirectoryServer { .. }
            | Kind::MessagingServer { .. }
            | Kind::Command(_)
            | Kind::Ocf(_) => {
                return Err(Fail::usage(format!("{name} is no volume, but a {}", resource.kind.word())));
            }
        };
        Ok((item, requirements(group, resource)))
    };
    meant.into_iter().map(with_requirements).collect()
}

fn name(group: &Group, resource: &ResourceName) -> String {
    format!("{}:{resource}", group.name)
}

fn volume(name: String, described: &group::Volume) -> Result<Volume, Fail> {
    let wrong = |what: String| Fail::usage(&name).because(what);
    let (fstype, options) = (described.fstype.clone(), described.options.clone());
    let guard = match &described.guard {
        None => Wanted::Auto,
        Some(word) => Wanted::from_str(word, false).map_err(|_| wrong(format!("no guard: '{word}'")))?,
    };
    let lease = described.lease.clone();
    let (device, mount) = (described.device.clone(), described.mount.clone());
    let layers = described.layers.clone();
    let degraded_start = described.degraded_start;
    Ok(Volume { name: Some(name), layers, device, mount, fstype, options, guard, lease, degraded_start })
}

/// The volumes among others that one requires, or is mounted on.
fn needs((item, requires): &(Item, Vec<String>), others: &[(Item, Vec<String>)]) -> Vec<Volume> {
    let is_needed = |other: &Volume| {
        let is_on_it =
            item.mount().is_some_and(|mount| mount != other.mount && mount.starts_with(&other.mount));
        is_on_it || other.name.as_ref().is_some_and(|name| requires.contains(name))
    };
    let volume = |(other, _): &(Item, Vec<String>)| match other {
        Item::Volume(other) if is_needed(other) => Some(other.clone()),
        Item::Volume(_) | Item::DiskGroup(_) => None,
    };
    others.iter().filter_map(volume).collect()
}

/// Everything that a resource requires, directly or by way of others.
pub fn requirements(group: &Group, resource: &Resource) -> Vec<String> {
    let mut found: Vec<&ResourceName> = resource.requires.iter().collect();
    let mut next = 0;
    while let Some(required) = found.get(next).copied() {
        next += 1;
        let further = group.get(required).into_iter().flat_map(|required| &required.requires);
        for name in further {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found.into_iter().map(|resource| name(group, resource)).collect()
}

/// Which of the volumes come before one: what it requires, what it is mounted on, and of two at one place the first.
fn below(found: &[(Item, Vec<String>)], index: usize) -> Vec<usize> {
    let Some((item, requires)) = found.get(index) else { return Vec::new() };
    let is_below = |(place, (other, _)): &(usize, &(Item, Vec<String>))| {
        let is_required = other.name().is_some_and(|name| requires.iter().any(|required| required == name));
        let is_under = item
            .mount()
            .zip(other.mount())
            .is_some_and(|(mount, other)| mount.starts_with(other) && (mount != other || *place < index));
        *place != index && (is_required || is_under)
    };
    found.iter().enumerate().filter(is_below).map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const GROUP: &str = r#"
nodes = ["mail-1"]
[resource.spool]
type = "volume"
device = "/dev/sdb1"
mount = "/global/ims/spool"
options = "noatime"
guard = "mmp"
[resource.ip]
type = "nic"
device = "eth0"
requires = ["logs"]
[resource.root]
type = "volume"
device = "/dev/sdc1"
mount = "/global/ims"
[resource.logs]
type = "volume"
device = "/dev/sdd1"
mount = "/global/logs"
[resource.index]
type = "volume"
device = "/dev/sde1"
mount = "/index"
requires = ["ip"]
"#;

    fn group(text: &str) -> Group {
        Group::parse("IMS-RG".parse().unwrap(), text, Path::new("IMS-RG.toml")).unwrap()
    }

    #[test]
    fn a_group_stands_for_its_volumes_and_each_comes_after_what_it_needs() {
        let found = of(&group(GROUP), None).unwrap();
        let names: Vec<&str> = found.iter().filter_map(|(item, _)| item.name()).collect();
        assert_eq!(names, ["IMS-RG:spool", "IMS-RG:root", "IMS-RG:logs", "IMS-RG:index"]);
        let below: Vec<Vec<usize>> = (0..4).map(|index| below(&found, index)).collect();
        assert_eq!(below, [vec![1], vec![], vec![], vec![2]]);
        let Item::Volume(spool) = &found[0].0 else { panic!("{found:?}") };
        assert_eq!((spool.options.as_str(), spool.guard), ("noatime", Wanted::Mmp));
    }

    #[test]
    fn what_is_no_volume_is_told() {
        let of = |text: &str, name: &str| {
            let name: Name = name.parse().unwrap();
            of(&group(text), name.resource.as_ref()).map(|found| found.len()).map_err(|fail| fail.to_string())
        };
        let told = |words: &str| Err(words.to_owned());
        let bare = "nodes = [\"mail-1\"]\n[resource.ip]\ntype = \"nic\"\ndevice = \"eth0\"\n";
        assert_eq!(of(GROUP, "IMS-RG:root"), Ok(1));
        assert_eq!(of(bare, "IMS-RG"), told("no volume in IMS-RG"));
        assert_eq!(of(bare, "IMS-RG:ip"), told("IMS-RG:ip is no volume, but a nic"));
        assert_eq!(of(bare, "IMS-RG:x"), told("no resource 'x' in IMS-RG (there are ip)"));
        for bad in ["", ":x", "a:", "a:b:c", "a/b"] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}

//! The command lines of `enable` and `disable`, and resources named with their group.

use std::str::FromStr;

use ims::Fail;
use ims::name::{GroupName, ResourceName};

use super::Change;
use super::freeze::reason;

/// A resource with its group: `GROUP:RESOURCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The group.
    pub group: GroupName,
    /// The resource.
    pub resource: ResourceName,
}

impl FromStr for Part {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let (group, resource) = text
            .split_once(':')
            .ok_or_else(|| Fail::usage(format!("no resource in '{text}'")).hint("like IMS-RG:mail"))?;
        Ok(Self { group: group.parse()?, resource: resource.parse()? })
    }
}

/// The resources by their groups, both in the order in which they were named first.
pub fn by_group(parts: &[Part]) -> Vec<(GroupName, Vec<ResourceName>)> {
    let mut groups: Vec<(GroupName, Vec<ResourceName>)> = Vec::new();
    for Part { group, resource } in parts {
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, resources)) if resources.contains(resource) => {}
            Some((_, resources)) => resources.push(resource.clone()),
            None => groups.push((group.clone(), vec![resource.clone()])),
        }
    }
    groups
}

/// The arguments of `enable`.
#[derive(Debug, clap::Args)]
pub struct Enable {
    /// The resources; each is started where its group is online
    #[arg(value_name = "GROUP:RESOURCE", required = true)]
    pub parts: Vec<Part>,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}

/// The arguments of `disable`.
#[derive(Debug, clap::Args)]
pub struct Disable {
    /// The resources; each is stopped where it is up
    #[arg(value_name = "GROUP:RESOURCE", required = true)]
    pub parts: Vec<Part>,
    /// Why, for whoever finds it so
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,
    /// Common to what changes something.
    #[command(flatten)]
    pub change: Change,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_with_their_group_and_put_together() {
        let part = |text: &str| text.parse::<Part>().unwrap();
        let parts = ["A:mail", "B:mail", "A:ldap", "A:mail"].map(part);
        let told: Vec<String> = by_group(&parts)
            .iter()
            .map(|(group, resources)| format!("{group} {}", resources.len()))
            .collect();
        assert_eq!(told, ["A 2", "B 1"]);
        for wrong in ["A", ":mail", "A:", "A:b:c", "A:../x"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}

//! Groups that require each other: in which order they go, and who stands on whom. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ims::group::Group;
use ims::name::GroupName;
use ims::{Fail, Host};

/// What each group of this node requires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kin(BTreeMap<GroupName, Vec<GroupName>>);

impl Kin {
    /// The groups of this node.
    pub fn load(host: &Host) -> Result<Self, Fail> {
        let names = Group::names(host)?;
        let required = |name: GroupName| {
            let needed = Group::load(host, &name)?.needed_groups().cloned().collect();
            Ok((name, needed))
        };
        names.into_iter().map(required).collect::<Result<_, Fail>>().map(Self)
    }

    /// The same; a group whose file is not valid is taken for one that requires nothing.
    pub fn of_valid(host: &Host) -> Result<Self, Fail> {
        let valid = Group::names(host)?.into_iter().filter_map(|name| Group::load(host, &name).ok());
        Ok(Self(valid.map(|group| (group.name.clone(), group.needed_groups().cloned().collect())).collect()))
    }

    /// The groups of this node that may only be where this one is, in the order of their names.
    pub fn followers(host: &Host, group: &GroupName) -> Result<Vec<GroupName>, Fail> {
        let mut followers = Vec::new();
        for name in Group::names(host)? {
            if Group::load(host, &name)?.bonds.together_with.contains(group) {
                followers.push(name);
            }
        }
        Ok(followers)
    }

    fn required(&self, group: &GroupName) -> &[GroupName] {
        self.0.get(group).map_or(&[], Vec::as_slice)
    }

    /// The groups that require this one directly, in the order of their names.
    pub fn dependents(&self, group: &GroupName) -> impl Iterator<Item = &GroupName> {
        self.0.iter().filter(move |(_, required)| required.contains(group)).map(|(name, _)| name)
    }

    /// These groups and all that they require, each after those it requires.
    pub fn with_required(&self, groups: &[GroupName]) -> Result<Vec<GroupName>, Fail> {
        let mut order = Vec::new();
        for group in groups {
            walk(group, &|group| self.required(group).to_vec(), &mut Vec::new(), &mut order)?;
        }
        Ok(order)
    }

    /// These groups and all that require them, each after those that require it.
    pub fn with_dependents(&self, groups: &[GroupName]) -> Result<Vec<GroupName>, Fail> {
        let mut order = Vec::new();
        for group in groups {
            let next = |group: &GroupName| self.dependents(group).cloned().collect();
            walk(group, &next, &mut Vec::new(), &mut order)?;
        }
        Ok(order)
    }

    /// Of these groups, those that each waits for: what it requires, however far.
    pub fn waits(&self, groups: &[GroupName]) -> Result<BTreeMap<GroupName, BTreeSet<GroupName>>, Fail> {
        let waits = |group: &GroupName| {
            let all = self.with_required(std::slice::from_ref(group))?;
            let others = all.into_iter().filter(|other| other != group && groups.contains(other));
            Ok((group.clone(), others.collect()))
        };
        groups.iter().map(waits).collect()
    }
}

/// Puts a group behind all that comes next to it, however far.
fn walk(
    group: &GroupName,
    next: &dyn Fn(&GroupName) -> Vec<GroupName>,
    path: &mut Vec<GroupName>,
    order: &mut Vec<GroupName>,
) -> Result<(), Fail> {
    if order.contains(group) {
        return Ok(());
    }
    let start = path.iter().position(|before| before == group);
    path.push(group.clone());
    if let Some(start) = start {
        let ring: Vec<&str> = path.iter().skip(start).map(GroupName::as_str).collect();
        return Err(Fail::usage(format!("groups require each other: {}", ring.join(" -> ")))
            .hint("take one of these out of requires_groups or together_with"));
    }
    for other in next(group) {
        walk(&other, next, path, order)?;
    }
    path.pop();
    order.push(group.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<GroupName> {
        text.split_whitespace().map(|name| name.parse().unwrap()).collect()
    }

    fn kin(lines: &[(&str, &str)]) -> Kin {
        Kin(lines.iter().map(|(group, required)| (group.parse().unwrap(), names(required))).collect())
    }

    #[test]
    fn what_is_required_goes_first_and_what_requires_it_ends_first() {
        let kin = kin(&[("IMS", "LDAP DNS"), ("LDAP", "DNS"), ("DNS", ""), ("WEB", "IMS"), ("X", "")]);
        assert_eq!(kin.with_required(&names("WEB")).unwrap(), names("DNS LDAP IMS WEB"));
        assert_eq!(kin.with_required(&names("X LDAP")).unwrap(), names("X DNS LDAP"));
        assert_eq!(kin.with_dependents(&names("DNS")).unwrap(), names("WEB IMS LDAP DNS"));
        assert_eq!(kin.dependents(&"DNS".parse().unwrap()).count(), 2);
        let waits = kin.waits(&names("WEB DNS X")).unwrap();
        let told: Vec<usize> = waits.values().map(BTreeSet::len).collect();
        assert_eq!(told, [0, 1, 0], "{waits:?}");
    }

    #[test]
    fn a_ring_of_groups_is_told_with_its_members() {
        let kin = kin(&[("A", "B"), ("B", "C"), ("C", "B")]);
        let fail = kin.with_required(&names("A")).unwrap_err();
        assert!(fail.to_string().contains("groups require each other: B -> C -> B"), "{fail}");
    }
}

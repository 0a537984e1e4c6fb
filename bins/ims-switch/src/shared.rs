//! What two groups both name and only one may have: each is stopped and moved under a lock of its own, so that one would
//! take from under the other what that one runs on.

use ims::group::{Group, Kind, Resource};
use ims::{Fail, Host};

/// The other groups of this node; one whose file is not valid is no reason to know none.
pub fn others(host: &Host, group: &Group) -> Result<Vec<Group>, Fail> {
    let names = Group::names(host)?.into_iter().filter(|name| *name != group.name);
    Ok(names.filter_map(|name| Group::load(host, &name).ok()).collect())
}

/// What a group has in common with others that may be on one of its nodes, in words.
pub fn with<'a>(group: &'a Group, others: &'a [Group]) -> impl Iterator<Item = String> + 'a {
    let meets = |other: &&Group| other.nodes.iter().any(|node| group.nodes.contains(node));
    others.iter().filter(meets).flat_map(move |other| {
        group.resources.iter().filter_map(move |resource| {
            let twin = other.resources.iter().find(|twin| is_one(&resource.kind, &twin.kind))?;
            Some(format!("{} is what {} of {} is, too", resource.name, twin.name, other.name))
        })
    })
}

/// Refuses a group that names what another one has.
pub fn refuse(host: &Host, group: &Group) -> Result<(), Fail> {
    match with(group, &others(host, group)?).next() {
        None => Ok(()),
        Some(what) => Err(Fail::refused(what).hint("what a group has is that of no other; see ims-group(5)")),
    }
}

/// Whether one of these groups has the very same thing, so that it stays with that one.
pub fn has_it(others: &[Group], resource: &Resource) -> bool {
    others.iter().flat_map(|other| &other.resources).any(|other| other.kind == resource.kind)
}

/// Whether two resources are one thing of which there is one alone. What command lines and agents have cannot be told.
fn is_one(one: &Kind, two: &Kind) -> bool {
    match (one, two) {
        (Kind::LogicalIp { address, .. }, Kind::LogicalIp { address: other, .. }) => {
            address.address() == other.address()
        }
        (Kind::Volume(volume), Kind::Volume(other)) => volume.device == other.device,
        (Kind::DiskGroup { .. }, Kind::DiskGroup { .. })
        | (Kind::DirectoryServer { .. }, Kind::DirectoryServer { .. })
        | (Kind::MessagingServer { .. }, Kind::MessagingServer { .. }) => one == two,
        (
            Kind::Nic { .. }
            | Kind::LogicalIp { .. }
            | Kind::DiskGroup { .. }
            | Kind::Volume(_)
            | Kind::DirectoryServer { .. }
            | Kind::MessagingServer { .. }
            | Kind::Command(_)
            | Kind::Ocf(_),
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn group(name: &str, text: &str) -> Group {
        Group::parse(name.parse().unwrap(), text, Path::new("x")).unwrap()
    }

    #[test]
    fn what_only_one_may_have_is_found_where_groups_may_meet() {
        let text = include_str!("../../../tests/data/group/IMS-RG.toml");
        let (one, copy) = (group("IMS-RG", text), group("COPY", text));
        let told: Vec<String> = with(&copy, std::slice::from_ref(&one)).collect();
        let of = |name: &str| format!("{name} is what {name} of IMS-RG is, too");
        assert_eq!(told, ["logical_IP", "mountshared", "ldap", "mail"].map(of));
        assert!(one.resources.iter().all(|resource| has_it(std::slice::from_ref(&copy), resource)));
        let elsewhere = group("COPY", &text.replace("mail-", "test-"));
        assert_eq!(with(&elsewhere, std::slice::from_ref(&one)).next(), None);
        let own = "[resource.network]\ntype = \"nic\"\ndevice = \"eth0\"\n";
        let other = group("OTHER", &format!("nodes = [\"mail-1\", \"mail-2\"]\n{own}"));
        assert_eq!(with(&other, std::slice::from_ref(&one)).next(), None);
    }
}

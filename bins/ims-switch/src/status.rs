//! Where a group is: each resource on each node, and the judgement of the whole.

use std::collections::BTreeMap;

use ims::fail::FailRecord;
use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, State};
use jiff::Timestamp;

use crate::drive::online_on;
use crate::drive::team::{Details, Team};
use crate::found::{Found, Seen, state_on};
use crate::plan::whereabouts;
use crate::record::{GroupRecord, ResourceRecord};

/// The groups that are meant: those named, else every one of this node.
pub fn chosen(host: &Host, named: &[GroupName]) -> Result<Vec<GroupName>, Fail> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let all = Group::names(host)?;
    if all.is_empty() {
        return Err(Fail::usage(format!("no group in {}", ims::group::FOLDER)).hint("see ims-group(5)"));
    }
    Ok(all)
}

/// What was seen of a group.
#[derive(Debug)]
pub struct Sight {
    /// Each resource on each node.
    pub resources: Vec<ResourceRecord>,
    /// The whole.
    pub group: GroupRecord,
    /// The judgement: online on exactly one node, offline everywhere, or neither.
    pub exit: Exit,
}

/// Prints where the groups are. One that nothing can be told of keeps no other from being told.
pub fn status(host: &Host, named: &[GroupName], out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    let mut groups = Vec::new();
    let mut fails: Vec<Fail> = Vec::new();
    for name in chosen(host, named)? {
        match of(host, &name) {
            Ok(sight) => {
                sight.resources.iter().try_for_each(|resource| out.record(resource))?;
                exit = exit.gravest(sight.exit);
                groups.push(sight.group);
            }
            Err(fail) => fails.push(fail),
        }
    }
    groups.iter().try_for_each(|group| out.record(group))?;
    for fail in fails {
        stderr::say("ims-switch", &fail);
        out.record(&FailRecord::from(&fail))?;
        exit = exit.gravest(fail.exit());
    }
    Ok(exit)
}

/// Looks where a group is.
pub fn of(host: &Host, name: &GroupName) -> Result<Sight, Fail> {
    let mut team = Team::gather(host, Group::load(host, name)?, Nodes::load(host)?, None)?;
    let (kept, _) = team.marks()?;
    kept.apply(&mut team.group);
    let (found, details) = team.look();
    let mut resources = resources(&team.group, &details);
    for record in &mut resources {
        record.disabled = kept.lasting.disabled.get(&record.resource).cloned();
        record.faulted = kept.lasting.faulted.get(&record.resource).cloned();
    }
    let (group, exit) = judge(&team.group, &found);
    let failed_on = kept.failed_of_late(team.group.pingpong_interval, Timestamp::now());
    let group = GroupRecord { frozen: kept.frozen().cloned(), failed_on, ..group };
    Ok(Sight { resources, group, exit })
}

fn resources(group: &Group, details: &Details) -> Vec<ResourceRecord> {
    let mut records = Vec::new();
    for node in &group.nodes {
        for resource in &group.resources {
            let looked = details.get(node).and_then(|looked| looked.get(&resource.name)).cloned();
            let (state, reason) = looked.unwrap_or((State::Unknown, None));
            records.push(ResourceRecord {
                group: group.name.clone(),
                resource: resource.name.clone(),
                kind: resource.kind.word(),
                node: node.clone(),
                state,
                reason,
                disabled: None,
                faulted: None,
            });
        }
    }
    records
}

/// Judges a group by what was found: online on exactly one node, offline everywhere, or neither.
pub fn judge(group: &Group, found: &Found) -> (GroupRecord, Exit) {
    let lost: Vec<NodeName> = found
        .nodes()
        .filter(|(_, seen)| matches!(seen, Seen::Lost { .. }))
        .map(|(node, _)| node.clone())
        .collect();
    let states = State::of_parts(found.reached().map(|(_, states)| state_on(group, states)));
    let holder = online_on(group, found);
    let others_are_down = found
        .reached()
        .filter(|(node, _)| Some(*node) != holder.as_ref())
        .all(|(_, states)| state_on(group, states) == State::Down);
    let record = |state, online_on, reason| GroupRecord {
        group: group.name.clone(),
        state,
        online_on,
        lost: lost.clone(),
        reason,
        frozen: None,
        failed_on: BTreeMap::new(),
    };
    if let Some(twice) = up_twice(group, found) {
        return (record(State::Partial, holder, Some(twice)), Exit::Broken);
    }
    let unreached = (!lost.is_empty()).then(|| {
        let names: Vec<&str> = lost.iter().map(NodeName::as_str).collect();
        format!("{} cannot be reached", names.join(", "))
    });
    match (holder, others_are_down, unreached) {
        (Some(node), true, None) => (record(State::Up, Some(node), None), Exit::Ok),
        (Some(node), true, reason @ Some(_)) => (record(State::Unknown, Some(node), reason), Exit::Unknown),
        (None, true, None) => (record(State::Down, None, None), Exit::No),
        (None, true, reason @ Some(_)) => (record(State::Unknown, None, reason), Exit::Unknown),
        (holder, false, _) => {
            let state = if states == State::Unknown { State::Unknown } else { State::Partial };
            (record(state, holder, Some(whereabouts(group, found))), Exit::Unknown)
        }
    }
}

/// What is up on two nodes and must be on one alone.
fn up_twice(group: &Group, found: &Found) -> Option<String> {
    group.resources.iter().filter(|resource| !resource.kind.is_persistent()).find_map(|resource| {
        let nodes: Vec<&str> = found
            .reached()
            .filter(|(_, states)| states.get(&resource.name) == Some(&State::Up))
            .map(|(node, _)| node.as_str())
            .collect();
        (nodes.len() > 1).then(|| format!("{} is up on {}", resource.name, nodes.join(" and on ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::States;
    use std::path::Path;

    #[test]
    fn a_group_is_online_on_exactly_one_node_or_it_is_not_online() {
        let text = include_str!("../../../tests/data/group/IMS-RG.toml");
        let group = Group::parse("IMS-RG".parse().unwrap(), text, Path::new("x")).unwrap();
        let seen = |letters: &str| {
            if letters == "lost" {
                return Seen::Lost { why: "no answer".to_owned(), can_be_fenced: false };
            }
            let states: States = group
                .resources
                .iter()
                .zip(letters.chars())
                .map(|(resource, letter)| {
                    let state = match letter {
                        'u' => State::Up,
                        'd' => State::Down,
                        'p' => State::Partial,
                        _ => State::Unknown,
                    };
                    (resource.name.clone(), state)
                })
                .collect();
            Seen::Reached(states)
        };
        for (one, two, state, online_on, exit) in [
            ("uuuuu", "udddd", State::Up, Some("mail-1"), Exit::Ok),
            ("udddd", "uuuuu", State::Up, Some("mail-2"), Exit::Ok),
            ("udddd", "ddddd", State::Down, None, Exit::No),
            ("uuuud", "udddd", State::Partial, None, Exit::Unknown),
            ("duuuu", "udddd", State::Partial, None, Exit::Unknown),
            ("uuu?d", "udddd", State::Unknown, None, Exit::Unknown),
            ("uuuuu", "lost", State::Unknown, Some("mail-1"), Exit::Unknown),
            ("udddd", "lost", State::Unknown, None, Exit::Unknown),
            ("lost", "lost", State::Unknown, None, Exit::Unknown),
            ("uuuuu", "uuddd", State::Partial, Some("mail-1"), Exit::Broken),
            ("uuuuu", "uuuuu", State::Partial, None, Exit::Broken),
            ("uuuuu", "udddp", State::Partial, Some("mail-1"), Exit::Unknown),
        ] {
            let found = Found::new(vec![
                ("mail-1".parse().unwrap(), seen(one)),
                ("mail-2".parse().unwrap(), seen(two)),
            ]);
            let (record, judged) = judge(&group, &found);
            let told = record.online_on.as_ref().map(NodeName::as_str);
            assert_eq!((record.state, told, judged), (state, online_on, exit), "{one} {two}");
        }
    }
}

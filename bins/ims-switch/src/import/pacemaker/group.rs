//! Which resources are one group, on which nodes, and what requires what.

use std::path::Path;

use ims::Fail;
use ims::name::{GroupName, NodeName, ResourceName};

use super::cib::{Cib, Constraint, Primitive};
use super::{agent, policy};
use crate::import::{Draft, Given, Imported, Remark, RemarkKind, Value};

/// Resources that are on one node together.
struct Team {
    /// What it is called: the id of a group in it, or of its first resource.
    name: String,
    /// The ids of its primitives.
    members: Vec<String>,
    /// The ids that constraints may name it by: its primitives and groups.
    ids: Vec<String>,
}

/// Turns a CIB into drafts.
pub fn all(cib: &Cib, given: &Given, file: &Path, imported: &mut Imported) {
    let remarks = &mut imported.remarks;
    let teams = teams(cib, file, remarks);
    let mut drafts: Vec<Draft> = Vec::new();
    for team in &teams {
        let name: GroupName = match team.name.parse() {
            Ok(name) => name,
            Err(fail) => {
                remarks.push(Remark::of(RemarkKind::Missing, file, Fail::to_string(&fail)));
                continue;
            }
        };
        let mut draft = Draft::new(name);
        for primitive in members(cib, team) {
            if let Some(mut resource) = agent::became(primitive, given, file, remarks) {
                policy::put(primitive, &mut resource, file, remarks);
                draft.resources.push(resource);
            }
        }
        if draft.resources.is_empty() {
            continue;
        }
        nodes(cib, team, given, &mut draft, file, remarks);
        load(cib, team, &mut draft, file, remarks);
        for (_, members, is_ordered) in &cib.groups {
            for (first, then) in members.iter().zip(members.iter().skip(1)).filter(|_| *is_ordered) {
                require(&mut draft, std::slice::from_ref(then), std::slice::from_ref(first));
            }
        }
        drafts.push(draft);
    }
    for colocation in &cib.colocations {
        bound(colocation, &teams, &mut drafts, file, remarks);
    }
    for order in &cib.orders {
        ordered(cib, order, &teams, &mut drafts, file, remarks);
    }
    imported.groups.append(&mut drafts);
}

fn members<'a>(cib: &'a Cib, team: &'a Team) -> impl Iterator<Item = &'a Primitive> {
    cib.primitives.iter().filter(|primitive| team.members.contains(&primitive.id))
}

/// The resources as teams: those of a group, joined by the colocations that always hold.
fn teams(cib: &Cib, file: &Path, remarks: &mut Vec<Remark>) -> Vec<Team> {
    let mut teams: Vec<Team> = Vec::new();
    for primitive in &cib.primitives {
        let group = cib.groups.iter().find(|(_, members, _)| members.contains(&primitive.id));
        let name = group.map_or(&primitive.id, |(id, ..)| id);
        match teams.iter_mut().find(|team| team.name == *name) {
            Some(team) => team.members.push(primitive.id.clone()),
            None => teams.push(Team {
                name: name.clone(),
                members: vec![primitive.id.clone()],
                ids: vec![name.clone()],
            }),
        }
    }
    for team in &mut teams {
        team.ids.extend(team.members.clone());
    }
    for colocation in &cib.colocations {
        let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, colocation.line, what));
        let told = format!("{} with {}", colocation.of, colocation.to);
        let at = |id: &String| teams.iter().position(|team| team.ids.contains(id));
        let (Some(of), Some(to)) = (at(&colocation.of), at(&colocation.to)) else {
            say(RemarkKind::Lost, format!("{told}: one of them was not carried over"));
            continue;
        };
        match colocation.weight.trim_start_matches('+') {
            "INFINITY" if of == to => {}
            "INFINITY" => {
                let (keep, gone) = (of.min(to), of.max(to));
                let is_group = |team: &Team| cib.groups.iter().any(|(id, ..)| *id == team.name);
                let gone = teams.remove(gone);
                if let Some(team) = teams.get_mut(keep) {
                    if !is_group(team) && is_group(&gone) {
                        team.name = gone.name;
                    }
                    team.members.extend(gone.members);
                    team.ids.extend(gone.ids);
                }
            }
            _ => {} // told once it is known which groups there are
        }
    }
    teams
}

/// What is on one node rather, or never: bonds between groups.
fn bound(
    colocation: &Constraint,
    teams: &[Team],
    drafts: &mut [Draft],
    file: &Path,
    remarks: &mut Vec<Remark>,
) {
    let weight = colocation.weight.trim_start_matches('+');
    let key = match (weight, weight.parse::<i64>()) {
        ("INFINITY", _) => return, // they are one group
        ("-INFINITY", _) => "apart_from",
        (_, Ok(score)) if score > 0 => "rather_with",
        (_, Ok(score)) if score < 0 => "rather_apart_from",
        (_, Ok(_)) => return,
        (_, Err(_)) => "",
    };
    let told = format!("{} with {}", colocation.of, colocation.to);
    let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, colocation.line, what));
    let team = |id: &String| teams.iter().find(|team| team.ids.contains(id));
    let (Some(of), Some(to)) = (team(&colocation.of), team(&colocation.to)) else { return };
    let name = drafts.iter().find(|draft| draft.name.as_str() == to.name).map(|draft| draft.name.clone());
    let draft = drafts.iter_mut().find(|draft| draft.name.as_str() == of.name);
    match (draft, name) {
        (Some(draft), Some(name)) if draft.name != name && !key.is_empty() => {
            draft.name_in(key, &name);
            let what = if key == "apart_from" {
                "the one that comes later is refused, and none is stopped for another"
            } else {
                "its score is not weighed against others"
            };
            say(RemarkKind::Changed, format!("{told}: {weight} is {key} of {}: {what}", draft.name));
        }
        (_, _) => say(RemarkKind::Lost, format!("{told}: {weight} between them cannot be carried over")),
    }
}

/// What the members of a group ask of their node, added up.
fn load(cib: &Cib, team: &Team, draft: &mut Draft, file: &Path, remarks: &mut Vec<Remark>) {
    let mut amounts: Vec<(String, u64)> = Vec::new();
    for pair in members(cib, team).flat_map(|primitive| &primitive.utilization) {
        match (pair.value.parse::<u64>(), amounts.iter_mut().find(|(name, _)| *name == pair.name)) {
            (Ok(amount), Some((_, sum))) => *sum = sum.saturating_add(amount),
            (Ok(amount), None) => amounts.push((pair.name.clone(), amount)),
            (Err(_), _) => {
                let what = format!("utilization {}={}: not a whole number", pair.name, pair.value);
                remarks.push(Remark::at(RemarkKind::Lost, file, pair.line, what));
            }
        }
    }
    if !amounts.is_empty() {
        draft.keys.push(("load".to_owned(), Value::Amounts(amounts)));
    }
}

/// The nodes in the order in which they are liked, without those that are forbidden.
fn nodes(cib: &Cib, team: &Team, given: &Given, draft: &mut Draft, file: &Path, remarks: &mut Vec<Remark>) {
    let mut scored: Vec<(i64, &String)> = cib.nodes.iter().map(|node| (0, node)).collect();
    let mut forbidden: Vec<&String> = Vec::new();
    let (mut likes, mut is_bound) = (0, false);
    for location in cib.locations.iter().filter(|location| team.ids.contains(&location.of)) {
        let score = match location.weight.trim_start_matches('+') {
            "INFINITY" => i64::from(u32::MAX),
            "-INFINITY" => {
                forbidden.push(&location.to);
                continue;
            }
            number => number.parse().unwrap_or(0),
        };
        is_bound |= score > 0;
        likes = likes.max(score);
        for (total, _) in scored.iter_mut().filter(|(_, node)| **node == location.to) {
            *total = total.saturating_add(score);
        }
    }
    scored.sort_by_key(|(score, _)| -score);
    for (_, node) in scored.iter().filter(|(_, node)| !forbidden.contains(node)) {
        match node.parse::<NodeName>() {
            Ok(node) => draft.nodes.push(node),
            Err(fail) => remarks.push(Remark::of(RemarkKind::Missing, file, Fail::to_string(&fail))),
        }
    }
    if draft.nodes.is_empty() {
        draft.nodes.clone_from(&given.nodes);
    }
    if draft.nodes.is_empty() {
        let what = format!("no node that {} may be on: name them with --nodes", draft.name);
        remarks.push(Remark::of(RemarkKind::Missing, file, what));
    }
    // A resource goes back to a node that is liked better unless it sticks as hard to where it is.
    let sticks = members(cib, team)
        .flat_map(|primitive| &primitive.meta)
        .filter(|pair| pair.name == "resource-stickiness")
        .map(|pair| &pair.value)
        .chain(&cib.stickiness)
        .map(|value| if value == "INFINITY" { i64::MAX } else { value.parse().unwrap_or(0) })
        .max()
        .unwrap_or(0);
    draft.failback = is_bound && likes > sticks;
}

/// Makes resources require others, of those that are in the draft.
fn require(draft: &mut Draft, then: &[String], first: &[String]) {
    let required: Vec<ResourceName> = draft
        .resources
        .iter()
        .filter(|resource| first.iter().any(|id| id == resource.name.as_str()))
        .map(|resource| resource.name.clone())
        .collect();
    for id in then {
        if let Some(resource) = draft.get(id) {
            for name in required.iter().filter(|name| name.as_str() != id) {
                resource.require(name);
            }
        }
    }
}

/// An order within a group is a requirement, one between groups a requirement of the group.
fn ordered(
    cib: &Cib,
    order: &Constraint,
    teams: &[Team],
    drafts: &mut [Draft],
    file: &Path,
    remarks: &mut Vec<Remark>,
) {
    let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, order.line, what));
    let told = format!("{} before {}", order.of, order.to);
    if !["Mandatory", "INFINITY", "+INFINITY"].contains(&order.weight.as_str()) {
        say(RemarkKind::Lost, format!("{told}: {} is an order that a group has not", order.weight));
        return;
    }
    let team = |id: &String| teams.iter().find(|team| team.ids.contains(id));
    let (Some(first), Some(then)) = (team(&order.of), team(&order.to)) else {
        say(RemarkKind::Lost, format!("{told}: one of them was not carried over"));
        return;
    };
    let meant = |id: &String| -> Vec<String> {
        let group = cib.groups.iter().find(|(known, ..)| known == id);
        group.map_or_else(|| vec![id.clone()], |(_, members, _)| members.clone())
    };
    let left_out = |team: &&Team| !drafts.iter().any(|draft| draft.name.as_str() == team.name);
    if let Some(team) = [first, then].into_iter().find(left_out) {
        say(RemarkKind::Lost, format!("{told}: {} was left out", team.name));
        return;
    }
    let Some(draft) = drafts.iter_mut().find(|draft| draft.name.as_str() == then.name) else { return };
    if first.name == then.name {
        require(draft, &meant(&order.to), &meant(&order.of));
    } else if let Ok(name) = first.name.parse::<GroupName>() {
        say(RemarkKind::Changed, format!("{told}: {} requires {name}, for its start alone", then.name));
        if !draft.requires_groups.contains(&name) {
            draft.requires_groups.push(name);
        }
    }
}

//! What disabled resources mean for a plan, restarts that take along what stands on a resource, and leaving a node.

use ims::group::{Group, Resource};
use ims::name::{NodeName, ResourceName};
use ims::{Fail, State};

use super::restart::fence_before;
use super::steps::{Want, ordered};
use super::target::{best_holder, elsewhere, known};
use super::{Plan, is_volume, on_one, online_nowhere, own, to_fence};
use crate::found::{Found, Seen, state_on};

/// Refuses to bring a group online of which something that is needed is disabled.
pub fn refuse_disabled_needs(group: &Group) -> Result<(), Fail> {
    let is_disabled = |name: &&ResourceName| group.get(name).is_some_and(|resource| resource.is_disabled);
    let needs = |resource: &Resource| resource.requires.iter().find(is_disabled).cloned();
    let mut enabled = group.resources.iter().filter(|resource| !resource.is_disabled);
    match enabled.find_map(|resource| Some((&resource.name, needs(resource)?))) {
        None => Ok(()),
        Some((name, needed)) => Err(Fail::refused(format!("{name} requires {needed}, which is disabled"))
            .hint(format!("ims-switch enable {0}:{needed}, or ims-switch disable {0}:{name}", group.name))),
    }
}

/// The resources of these names; one that is only looked at cannot be started or stopped.
fn found_in<'a>(group: &'a Group, names: &[ResourceName]) -> Result<Vec<&'a Resource>, Fail> {
    let find = |name: &ResourceName| {
        let resource = group.find(name)?;
        if resource.kind.is_persistent() {
            return Err(Fail::usage(format!("{name} is a {}: it is only looked at", resource.kind.word())));
        }
        Ok(resource)
    };
    names.iter().map(find).collect()
}

/// Plans a restart of resources, with all that stands on them, where the group is; of all of them when none is named.
pub fn renew(group: &Group, found: &Found, names: &[ResourceName]) -> Result<Plan, Fail> {
    let wanted = found_in(group, names)?;
    if let Some(disabled) = wanted.iter().find(|resource| resource.is_disabled) {
        return Err(refused_as_disabled(group, &disabled.name));
    }
    let target = best_holder(group, found).ok_or_else(|| online_nowhere(group))?;
    let mut want = Want::default();
    let mut again: Vec<&ResourceName> = Vec::new();
    for resource in own(group).filter(|resource| !resource.is_disabled) {
        let is_named = names.is_empty() || names.contains(&resource.name);
        let stands_on = resource.requires.iter().find(|name| again.contains(name));
        let why = match (is_named, stands_on) {
            (true, _) => "a restart is wanted".to_owned(),
            (false, Some(below)) if found.state(&target, &resource.name) != State::Down => {
                format!("{below} is restarted")
            }
            (false, _) => continue,
        };
        again.push(&resource.name);
        want.again(&target, &resource.name, why);
    }
    for resource in again.iter().filter_map(|name| group.get(name)) {
        let is_missing =
            |name: &&ResourceName| !again.contains(name) && found.state(&target, name) != State::Up;
        if let Some(missing) = resource.requires.iter().find(is_missing) {
            let state = found.state(&target, missing);
            let what = format!("{} requires {missing}, which is {state} on {target}", resource.name);
            return Err(Fail::refused(what).hint(format!("ims-switch online {}", group.name)));
        }
    }
    let fence = fence_before(group, found, &target, &want, again.into_iter())?;
    Ok(Plan { target: Some(target), steps: ordered(group, found, &want, &fence) })
}

/// The refusal to start what somebody disabled.
pub fn refused_as_disabled(group: &Group, resource: &ResourceName) -> Fail {
    Fail::refused(format!("{resource} is disabled"))
        .hint(format!("ims-switch enable {}:{resource}", group.name))
}

/// Plans what follows when resources were enabled: they are started where the group is, if it is anywhere.
pub fn enabled(group: &Group, found: &Found, names: &[ResourceName]) -> Result<Plan, Fail> {
    for name in names {
        group.find(name)?;
    }
    let holder = best_holder(group, found);
    let Some(target) = &holder else { return Ok(Plan { target: None, steps: Vec::new() }) };
    let mut want = Want::default();
    for resource in group.resources.iter().filter(|resource| names.contains(&resource.name)) {
        let needs = |name: &&ResourceName| {
            let is_wanted = names.contains(name) || found.state(target, name) == State::Up;
            !is_wanted || group.get(name).is_some_and(|needed| needed.is_disabled)
        };
        if let Some(missing) = resource.requires.iter().find(needs) {
            let disabled = group.get(missing).is_some_and(|needed| needed.is_disabled);
            let state =
                if disabled { "disabled".to_owned() } else { found.state(target, missing).to_string() };
            let way_out = if disabled {
                format!("ims-switch enable {0}:{missing} {0}:{1}", group.name, resource.name)
            } else {
                format!("ims-switch online {}", group.name)
            };
            return Err(Fail::refused(format!(
                "{} requires {missing}, which is {state} on {target}",
                resource.name
            ))
            .hint(way_out));
        }
        want.up(target, &resource.name, "it was enabled");
    }
    // A server that runs without its volume works on nothing.
    let is_lost = |resource: &&Resource| {
        names.contains(&resource.name)
            && is_volume(resource)
            && found.state(target, &resource.name) == State::Down
    };
    let mut lost: Vec<&ResourceName> = own(group).filter(is_lost).map(|resource| &resource.name).collect();
    for resource in own(group).filter(|resource| found.state(target, &resource.name) != State::Down) {
        if resource.requires.iter().any(|name| lost.contains(&name)) {
            want.again(target, &resource.name, "its volume is not mounted");
            lost.push(&resource.name);
        }
    }
    let started = names.iter().filter(|name| found.state(target, name) != State::Up);
    fence_before(group, found, target, &want, started.chain(lost))?;
    // What was disabled may have been left up anywhere.
    let fence = to_fence(group, found, &want)?;
    let steps = ordered(group, found, &want, &fence);
    Ok(Plan { target: holder, steps })
}

/// Plans what follows when resources were disabled: they are stopped wherever they are up, and so must what requires
/// them be.
pub fn disabled(group: &Group, found: &Found, names: &[ResourceName]) -> Result<Plan, Fail> {
    for name in names {
        group.find(name)?;
    }
    let mut want = Want::default();
    for (node, _) in found.reached() {
        let of_group = own(group).filter(|resource| names.contains(&resource.name));
        for resource in of_group.filter(|resource| found.state(node, &resource.name) != State::Down) {
            let runs =
                |other: &&Resource| !other.is_disabled && found.state(node, &other.name) != State::Down;
            if let Some(other) = group.dependents(&resource.name).find(runs) {
                let state = found.state(node, &other.name);
                return Err(Fail::refused(format!(
                    "{} requires {} and is {state} on {node}",
                    other.name, resource.name
                ))
                .hint(format!("ims-switch disable {0}:{1} {0}:{2}", group.name, other.name, resource.name)));
            }
            want.down(node, &resource.name, "it was disabled");
        }
    }
    Ok(Plan { target: None, steps: ordered(group, found, &want, &[]) })
}

/// Plans a move away from a node; nothing when the group is not there.
pub fn leave(group: &Group, found: &Found, node: &NodeName) -> Result<Plan, Fail> {
    known(group, node)?;
    match found.get(node) {
        Some(Seen::Reached(states)) if state_on(group, states) == State::Down => {
            Ok(Plan { target: None, steps: Vec::new() })
        }
        Some(Seen::Reached(_)) => on_one(group, found, elsewhere(group, found, node)?),
        Some(Seen::Fenced) => Ok(Plan { target: None, steps: Vec::new() }),
        Some(Seen::Lost { why, .. }) => {
            Err(Fail::unknown(format!("{node} cannot be reached")).because(why).hint(format!(
                "ims-switch online {} brings it online elsewhere once {node} is fenced",
                group.name
            )))
        }
        None => Err(Fail::unknown(format!("nothing is known of {node}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ims::Exit;

    use super::*;
    use crate::found::States;
    use crate::plan::{Wish, plan};

    fn group(disabled: &[&str]) -> Group {
        let text = include_str!("../../../../tests/data/group/IMS-RG.toml");
        let mut group = Group::parse("IMS-RG".parse().unwrap(), text, Path::new("x")).unwrap();
        for resource in &mut group.resources {
            resource.is_disabled = disabled.contains(&resource.name.as_str());
        }
        group
    }

    /// Letters of states in the order in which the resources start; `-` for a node that is lost.
    fn found(group: &Group, one: &str, two: &str) -> Found {
        let seen = |letters: &str| {
            if letters == "-" {
                return Seen::Lost { why: "x".to_owned(), can_be_fenced: true };
            }
            let state = |letter| if letter == 'u' { State::Up } else { State::Down };
            let states = group.resources.iter().zip(letters.chars());
            Seen::Reached(states.map(|(r, letter)| (r.name.clone(), state(letter))).collect::<States>())
        };
        Found::new(vec![("mail-1".parse().unwrap(), seen(one)), ("mail-2".parse().unwrap(), seen(two))])
    }

    fn names(names: &[&str]) -> Vec<ResourceName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_disabled_is_stopped_and_never_started() {
        let (leave, all) = (Wish::Leave("mail-1".parse().unwrap()), Wish::Renew(Vec::new()));
        // network, logical_IP, mountshared, ldap, mail
        for (disabled, one, two, wish, wanted) in [
            (&["mail"][..], "uuuud", "udddd", Wish::Online(None), Ok("")),
            (&["mail"], "uuuuu", "udddd", Wish::Online(None), Ok("-mail")),
            (
                &["mail"],
                "uuuud",
                "udddd",
                Wish::Move(None),
                Ok("-ldap -mountshared -logical_IP +logical_IP +mountshared +ldap"),
            ),
            (&["ldap"], "uuudd", "udddd", Wish::Online(None), Err(Exit::Refused)),
            (&["network"], "duuuu", "ddddd", Wish::Online(None), Err(Exit::Refused)),
            (&["mail"], "uuuud", "udddd", Wish::Restart("mail".parse().unwrap()), Err(Exit::Refused)),
            (&["mail"], "uuuud", "udddd", Wish::Renew(names(&["mail"])), Err(Exit::Refused)),
            (&["mail"], "uuuud", "udddd", Wish::Renew(names(&["ldap"])), Ok("-ldap +ldap")),
            (&["mail"], "uuuuu", "udddd", Wish::Disable(names(&["mail"])), Ok("-mail")),
            (&["ldap"], "uuuuu", "udddd", Wish::Disable(names(&["ldap"])), Err(Exit::Refused)),
            (&["ldap", "mail"], "uuuuu", "udddd", Wish::Disable(names(&["ldap", "mail"])), Ok("-mail -ldap")),
            (&[], "uuudd", "udddd", Wish::Enable(names(&["ldap", "mail"])), Ok("+ldap +mail")),
            (&[], "uuudd", "udddd", Wish::Enable(names(&["mail"])), Err(Exit::Refused)),
            (&["ldap"], "uuudd", "udddd", Wish::Enable(names(&["mail"])), Err(Exit::Refused)),
            (&[], "udddd", "udddd", Wish::Enable(names(&["mail"])), Ok("")),
            (&[], "uuuuu", "udddd", Wish::Renew(names(&["ldap"])), Ok("-mail -ldap +ldap +mail")),
            (&[], "uuuud", "udddd", Wish::Renew(names(&["ldap"])), Ok("-ldap +ldap")),
            (&[], "uuddd", "udddd", Wish::Renew(names(&["ldap"])), Err(Exit::Refused)),
            (&[], "udddd", "udddd", all.clone(), Err(Exit::Refused)),
            (&["mail"], "uuudd", "udddd", all, Ok("-mountshared -logical_IP +logical_IP +mountshared +ldap")),
            (&[], "uuudd", "-", Wish::Enable(names(&["ldap"])), Ok("fence +ldap")),
            (&[], "uuudd", "udddu", Wish::Enable(names(&["ldap", "mail"])), Err(Exit::Refused)),
            (&[], "uuuuu", "-", Wish::Renew(names(&["mail"])), Ok("-mail +mail")),
            (&[], "uuuud", "-", Wish::Renew(names(&["mail"])), Ok("+mail")), // its disk is held here
            (&[], "uuuuu", "uddud", Wish::Renew(names(&["ldap"])), Err(Exit::Refused)),
            (&[], "udddd", "uuuuu", leave.clone(), Ok("")),
            (&[], "uuddd", "uuuud", leave.clone(), Ok("-logical_IP +mail")),
            (&[], "-", "uuuuu", leave, Err(Exit::Unknown)),
        ] {
            let group = group(disabled);
            let told = plan(&group, &found(&group, one, two), &wish).map(|plan| {
                let word = |step: &crate::plan::Step| {
                    let sign = if step.verb == crate::plan::Verb::Start { '+' } else { '-' };
                    step.resource.as_ref().map_or_else(|| "fence".to_owned(), |name| format!("{sign}{name}"))
                };
                plan.steps.iter().map(word).collect::<Vec<_>>().join(" ")
            });
            let told = told.as_deref().map_err(Fail::exit);
            assert_eq!(told, wanted, "{disabled:?} disabled, {one} {two}, {wish:?}");
        }
    }
}

//! One step by hand: a resource of this node started or stopped, with the same care as in a run.

use std::time::Instant;

use ims::group::{Group, Resource};
use ims::name::ResourceName;
use ims::span::millis;
use ims::{Exit, Fail, Host, Out, State};

use crate::cli::One;
use crate::marks;
use crate::plan::{Hints, Verb, line, refused_as_disabled};
use crate::record::{Outcome, StepRecord};
use crate::seat::desk::Desk;
use crate::seat::wire::{Ask, Say};

/// Starts or stops one resource here.
pub fn step(host: &Host, one: &One, verb: Verb, out: &mut Out) -> Result<Exit, Fail> {
    let group = Group::load(host, &one.group)?;
    let resource = group.find(&one.resource)?.clone();
    let desk = Desk::new(host, group.clone())?;
    if !one.dry_run {
        desk.perform(Ask::Lock { patience_ms: millis(one.timeout.0) })?;
    }
    let looked = desk.looked();
    let state = |name: &ResourceName| looked.get(name).map_or(State::Unknown, |(state, _)| *state);
    match verb {
        Verb::Start => {
            if marks::file::load(host, &group.name)?.lasting.disabled.contains_key(&resource.name) {
                return Err(refused_as_disabled(&group, &resource.name));
            }
            needs(&group, &resource, state)?;
        }
        Verb::Stop | Verb::Fence => holds(&group, &resource, state)?,
    }
    let record = StepRecord {
        run: None,
        group: group.name.clone(),
        step: 1,
        node: desk.node().clone(),
        resource: Some(resource.name.clone()),
        verb: verb.word().to_owned(),
        command: Some(line::of(&group, &resource, verb, &Hints::default()).to_string()),
        why: "by hand".to_owned(),
        after: Vec::new(),
        outcome: Outcome::Planned,
        changed: state(&resource.name) != if verb == Verb::Start { State::Up } else { State::Down },
        at_ms: None,
        took_ms: None,
        message: None,
        parts: Vec::new(),
    };
    if one.dry_run {
        out.record(&record)?;
        return Ok(Exit::Ok);
    }
    let began = Instant::now();
    let ask = match verb {
        Verb::Start => Ask::Start { resource: resource.name.clone(), hints: Hints::default() },
        Verb::Stop | Verb::Fence => Ask::Stop { resource: resource.name.clone() },
    };
    let Say::Done(done) = desk.perform(ask)? else { return Err(Fail::unknown("it answered something else")) };
    out.record(&StepRecord {
        outcome: Outcome::Done,
        changed: done.changed,
        at_ms: Some(0),
        took_ms: Some(millis(began.elapsed())),
        parts: done.parts,
        ..record
    })?;
    Ok(Exit::Ok)
}

/// A resource starts only when what it requires is up.
fn needs(group: &Group, resource: &Resource, state: impl Fn(&ResourceName) -> State) -> Result<(), Fail> {
    match resource.requires.iter().find(|name| state(name) != State::Up) {
        None => Ok(()),
        Some(name) => {
            Err(Fail::refused(format!("{} requires {name}, which is {} here", resource.name, state(name)))
                .hint(format!("ims-switch start {} {name}", group.name)))
        }
    }
}

/// A resource stops only when nothing that requires it is up.
fn holds(group: &Group, resource: &Resource, state: impl Fn(&ResourceName) -> State) -> Result<(), Fail> {
    match group.dependents(&resource.name).find(|dependent| state(&dependent.name) != State::Down) {
        None => Ok(()),
        Some(dependent) => Err(Fail::refused(format!(
            "{} requires {} and is {} here",
            dependent.name,
            resource.name,
            state(&dependent.name)
        ))
        .hint(format!("ims-switch stop {} {}", group.name, dependent.name))),
    }
}

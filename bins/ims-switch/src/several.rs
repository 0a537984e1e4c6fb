//! The same wish of several groups, and what groups that require each other mean for it.

use ims::group::Group;
use ims::name::GroupName;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};

use crate::cli::enable::{Part, by_group};
use crate::cli::{Change, Disable, Enable, Offline, Online, Planned};
use crate::drive::{self, Asked, drive};
use crate::evacuate;
use crate::interrupt::Interrupt;
use crate::kin::Kin;
use crate::plan::Wish;
use crate::status;

/// What is asked of one group.
pub fn asked(group: &GroupName, wish: Wish, change: &Change) -> Asked {
    Asked {
        group: group.clone(),
        wish,
        dry_run: change.dry_run,
        by_fault: false,
        patience: change.timeout.0,
        timeout: change.timeout.0,
        confirm_fenced: change.confirm_fenced.clone(),
        degraded: change.degraded,
        reason: None,
        shown_before: Vec::new(),
        along: Vec::new(),
    }
}

/// Refuses groups that this node does not have, or whose file is not valid, before anything is done with another one.
pub fn known<'a>(host: &Host, groups: impl IntoIterator<Item = &'a GroupName>) -> Result<(), Fail> {
    groups.into_iter().try_for_each(|group| Group::load(host, group).map(drop))
}

/// Does the same with one group after the other; the first that fails ends it.
pub fn each(
    host: &Host,
    groups: &[GroupName],
    wish: &Wish,
    change: &Change,
    out: &mut Out,
) -> Result<Exit, Fail> {
    known(host, groups)?;
    let interrupt = Interrupt::watch()?;
    one_by_one(groups, wish, change, |asked| drive(host, asked, &interrupt, out))
}

/// Does something with what is asked of one group after the other.
fn one_by_one(
    groups: &[GroupName],
    wish: &Wish,
    change: &Change,
    mut of_one: impl FnMut(&Asked) -> Result<Exit, Fail>,
) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    for (place, group) in groups.iter().enumerate() {
        let shown = groups.get(..place).filter(|_| change.dry_run).unwrap_or_default();
        let asked = Asked {
            shown_before: shown.to_vec(),
            along: groups.to_vec(),
            ..asked(group, wish.clone(), change)
        };
        exit = exit.gravest(of_one(&asked)?);
    }
    Ok(exit)
}

/// Explains what is planned, for every group that it is about.
pub fn explain(host: &Host, planned: Planned, out: &mut Out) -> Result<Exit, Fail> {
    match planned {
        Planned::Online(online) => {
            each_online(host, &online.only_shown(), |asked| drive::explain(host, asked, out))
        }
        Planned::Offline(offline) => {
            each_offline(host, &offline.only_shown(), |asked| drive::explain(host, asked, out))
        }
        Planned::Move(moved) => {
            known(host, &moved.groups)?;
            let (wish, change) = (Wish::Move(moved.to), moved.change.only_shown());
            one_by_one(&moved.groups, &wish, &change, |asked| drive::explain(host, asked, out))
        }
        Planned::Evacuate(args) => evacuate::explain(host, &args.only_shown(), out),
    }
}

/// Brings groups online, with those that they require first when that is asked for.
pub fn online(host: &Host, args: &Online, out: &mut Out) -> Result<Exit, Fail> {
    let interrupt = Interrupt::watch()?;
    each_online(host, args, |asked| drive(host, asked, &interrupt, out))
}

/// Does something with what is asked of each group that is to go online, in their order.
fn each_online(
    host: &Host,
    args: &Online,
    mut of_one: impl FnMut(&Asked) -> Result<Exit, Fail>,
) -> Result<Exit, Fail> {
    let Online { groups, on, with_required, change } = args;
    known(host, groups)?;
    let order = if *with_required { Kin::load(host)?.with_required(groups)? } else { groups.clone() };
    let mut exit = Exit::Ok;
    let mut shown_before = Vec::new();
    for group in order {
        let is_named = groups.contains(&group);
        // What is online somewhere is left where it is, even if it would rather be elsewhere.
        if !is_named && status::of(host, &group)?.group.online_on.is_some() {
            continue;
        }
        let wish = Wish::Online(on.clone().filter(|_| is_named));
        let asked = Asked {
            shown_before: shown_before.clone(),
            along: groups.clone(),
            ..asked(&group, wish, change)
        };
        exit = exit.gravest(of_one(&asked)?);
        if change.dry_run {
            shown_before.push(group);
        }
    }
    Ok(exit)
}

/// Takes groups offline, with those that require them first when that is asked for; otherwise none that another one
/// which is online requires.
pub fn offline(host: &Host, args: &Offline, out: &mut Out) -> Result<Exit, Fail> {
    let interrupt = Interrupt::watch()?;
    each_offline(host, args, |asked| drive(host, asked, &interrupt, out))
}

/// Does something with what is asked of each group that is to go offline, in their order.
fn each_offline(
    host: &Host,
    args: &Offline,
    mut of_one: impl FnMut(&Asked) -> Result<Exit, Fail>,
) -> Result<Exit, Fail> {
    let Offline { groups, here, with_dependents, change } = args;
    known(host, groups)?;
    if *here {
        let wish = Wish::Offline(Some(host.name().parse()?));
        return one_by_one(groups, &wish, change, of_one);
    }
    let kin = Kin::load(host)?;
    let order = if *with_dependents { kin.with_dependents(groups)? } else { groups.clone() };
    let mut exit = Exit::Ok;
    for (place, group) in order.iter().enumerate() {
        // In a dry run those before it are as they were.
        let are_done = order.get(..place).filter(|_| change.dry_run).unwrap_or_default();
        for dependent in kin.dependents(group).filter(|dependent| !are_done.contains(dependent)) {
            refuse_while_online(host, group, dependent)?;
        }
        exit = exit.gravest(of_one(&asked(group, Wish::Offline(None), change))?);
    }
    Ok(exit)
}

/// Refuses to take a group offline that another needs.
fn refuse_while_online(host: &Host, group: &GroupName, dependent: &GroupName) -> Result<(), Fail> {
    let way_out = format!("ims-switch offline --with-dependents {group}");
    let (told, exit) = match status::of(host, dependent) {
        Ok(sight) => (sight.group, sight.exit),
        Err(fail) => {
            return Err(Fail::refused(format!(
                "{dependent} requires {group}, and whether it is offline is unknown"
            ))
            .because(fail));
        }
    };
    match (exit, told.online_on) {
        (Exit::No, _) => Ok(()),
        (_, Some(node)) => {
            Err(Fail::refused(format!("{dependent} requires {group} and is online on {node}")).hint(way_out))
        }
        (_, None) => Err(Fail::refused(format!("{dependent} requires {group}, and it is {}", told.state))
            .because(told.reason.unwrap_or_default())
            .hint(way_out)),
    }
}

/// The same with resources of groups.
fn known_parts(host: &Host, parts: &[Part]) -> Result<(), Fail> {
    for (group, resources) in by_group(parts) {
        let group = Group::load(host, &group)?;
        resources.iter().try_for_each(|name| group.find(name).map(drop))?;
    }
    Ok(())
}

/// Enables resources, one group after the other.
pub fn enable(host: &Host, args: &Enable, out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    known_parts(host, &args.parts)?;
    for (group, resources) in by_group(&args.parts) {
        exit = exit.gravest(each(host, &[group], &Wish::Enable(resources), &args.change, out)?);
    }
    Ok(exit)
}

/// Disables resources, one group after the other, and tells what requires them.
pub fn disable(host: &Host, args: &Disable, out: &mut Out) -> Result<Exit, Fail> {
    let interrupt = Interrupt::watch()?;
    let mut exit = Exit::Ok;
    known_parts(host, &args.parts)?;
    for (name, resources) in by_group(&args.parts) {
        let group = Group::load(host, &name)?;
        let asked = Asked {
            reason: args.reason.clone(),
            ..asked(&name, Wish::Disable(resources.clone()), &args.change)
        };
        exit = exit.gravest(drive(host, &asked, &interrupt, out)?);
        for resource in &resources {
            for other in group.dependents(resource).filter(|other| !resources.contains(&other.name)) {
                stderr::say(
                    "ims-switch",
                    format_args!(
                        "{} requires {resource} and cannot start while that is disabled",
                        other.name
                    ),
                );
            }
        }
    }
    Ok(exit)
}

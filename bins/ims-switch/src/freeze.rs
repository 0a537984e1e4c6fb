//! `freeze`, `unfreeze` and `clear`: what is only said of a group and touches nothing of it.

use ims::group::Group;
use ims::name::{GroupName, ResourceName};
use ims::{Exit, Fail, Host, Out};

use crate::cli::freeze::Say;
use crate::cli::{Clear, Freeze, Unfreeze};
use crate::marks::change::{Changed, change, said};
use crate::marks::{Kept, Mark, MarkRecord, Sort};
use crate::several::known;

/// Freezes groups.
pub fn freeze(host: &Host, args: &Freeze, out: &mut Out) -> Result<Exit, Fail> {
    let mark = said(host, args.reason.as_deref())?;
    known(host, &args.groups)?;
    let mut exit = Exit::Ok;
    for group in &args.groups {
        let changed = change(host, group, args.say.timeout.0, args.say.dry_run, |_, kept| {
            if args.persistent {
                kept.lasting.frozen.get_or_insert(mark.clone());
            } else if kept.frozen().is_none() {
                kept.until_restart.frozen = Some(mark.clone());
            }
            Ok(())
        })?;
        out.record(&of_group(group, &changed, &args.say))?;
        exit = exit.gravest(changed.exit());
    }
    Ok(exit)
}

/// Takes freezes back. One that outlasts restarts is taken back only when that is said.
pub fn unfreeze(host: &Host, args: &Unfreeze, out: &mut Out) -> Result<Exit, Fail> {
    known(host, &args.groups)?;
    let mut exit = Exit::Ok;
    for group in &args.groups {
        let changed = change(host, group, args.say.timeout.0, args.say.dry_run, |_, kept| {
            if args.persistent {
                kept.lasting.frozen = None;
            } else if kept.lasting.frozen.is_some() {
                return kept.refuse_frozen(group);
            }
            kept.until_restart.frozen = None;
            Ok(())
        })?;
        out.record(&of_group(group, &changed, &args.say))?;
        exit = exit.gravest(changed.exit());
    }
    Ok(exit)
}

/// Has faults reacted to again and, of a whole group, has it given over again to the nodes that it failed on.
pub fn clear(host: &Host, args: &Clear, out: &mut Out) -> Result<Exit, Fail> {
    known(host, args.parts.iter().map(|part| &part.group))?;
    let mut exit = Exit::Ok;
    for part in &args.parts {
        let mut resources: Vec<ResourceName> = part.resource.iter().cloned().collect();
        let changed = change(host, &part.group, args.say.timeout.0, args.say.dry_run, |group, kept| {
            if let Some(resource) = &part.resource {
                group.find(resource)?;
            } else {
                resources = faulted(group, kept);
                kept.lasting.failed.clear();
            }
            kept.set_faulted(&resources, None);
            Ok(())
        })?;
        for resource in &resources {
            let was = changed.before.lasting.faulted.contains_key(resource);
            let record = of_group(&part.group, &changed, &args.say);
            out.record(&MarkRecord {
                resource: Some(resource.clone()),
                mark: Sort::Faulted,
                persistent: true,
                changed: was,
                said: None,
                ..record
            })?;
        }
        for node in changed.before.lasting.failed.keys().filter(|_| part.resource.is_none()) {
            let record = of_group(&part.group, &changed, &args.say);
            let failed_on = Some(node.clone());
            out.record(&MarkRecord {
                failed_on,
                mark: Sort::Failed,
                persistent: true,
                changed: true,
                said: None,
                ..record
            })?;
        }
        exit = exit.gravest(changed.exit());
    }
    Ok(exit)
}

/// The resources whose fault was given up; one that the group has no more is among them.
fn faulted(group: &Group, kept: &Kept) -> Vec<ResourceName> {
    let all = kept.lasting.faulted.keys().cloned().collect::<Vec<_>>();
    if all.is_empty() && kept.lasting.failed.is_empty() {
        ims::sys::stderr::say("ims-switch", format_args!("no fault of {} was given up", group.name));
    }
    all
}

fn of_group(group: &GroupName, changed: &Changed, say: &Say) -> MarkRecord {
    let frozen: Option<&Mark> = changed.now.frozen();
    MarkRecord {
        group: group.clone(),
        resource: None,
        failed_on: None,
        mark: Sort::Frozen,
        persistent: changed.now.lasting.frozen.is_some(),
        changed: changed.now != changed.before,
        dry_run: say.dry_run,
        said: frozen.cloned(),
        lost: changed.lost.clone(),
    }
}

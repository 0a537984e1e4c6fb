//! What was said of a group as far as faults go: when it keeps them from being reacted to, and the fault that is given
//! up.

use std::time::Duration;

use ims::group::Resource;
use ims::name::{GroupName, ResourceName};
use ims::sys::stderr;
use ims::{Exit, Fail, Host};

use crate::marks::change::{change, said};
use crate::marks::{Mark, file};

/// Why nothing is done about a resource, where somebody said so. What this node keeps is enough: a run asks the others.
pub fn stays(host: &Host, group: &GroupName, resource: &Resource) -> Option<String> {
    let kept = match file::load(host, group) {
        Ok(kept) => kept,
        Err(fail) => return Some(format!("what was said of {group} is unknown: {fail}")),
    };
    let name = &resource.name;
    if let Some(mark) = kept.frozen() {
        return Some(format!("{group} is frozen {mark}"));
    }
    if let Some(mark) = kept.lasting.disabled.get(name) {
        return Some(format!("{name} is disabled {mark}"));
    }
    let mark = kept.lasting.faulted.get(name)?;
    Some(format!("its fault was given up {mark} (ims-switch clear {group}:{name})"))
}

/// Whether an end of the last resort is one of the fault itself. A run that waited in vain, could not find out, or was
/// refused (the group was taken offline, or frozen) may end otherwise the next time.
pub const fn is_final(exit: Exit) -> bool {
    match exit {
        Exit::Failed | Exit::Broken => true,
        Exit::Ok | Exit::No | Exit::Usage | Exit::Unknown | Exit::Refused | Exit::Busy => false,
    }
}

/// Gives a fault up: until somebody clears it, nothing is done about the resource.
pub fn give_up(host: &Host, group: &GroupName, resource: &ResourceName, why: &str, timeout: Duration) {
    let gave_up = || -> Result<(), Fail> {
        let mark = Mark { by: "react".to_owned(), ..said(host, Some(why))? };
        change(host, group, timeout, false, |_, kept| {
            kept.set_faulted(std::slice::from_ref(resource), Some(&mark));
            Ok(())
        })
        .map(drop)
    };
    match gave_up() {
        Ok(()) => stderr::say(
            "ims-switch",
            format_args!(
                "the fault of {resource} is given up, and nothing more is done about it (ims-switch clear {group}:{resource})"
            ),
        ),
        Err(fail) => stderr::say("ims-switch", fail),
    }
}

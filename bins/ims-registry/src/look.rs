//! What the registry says, and what is on the disk.

use std::path::PathBuf;

use ims::layout::detect;
use ims::name::InstanceName;
use ims::registry::{PATH, Registry};
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out};

use crate::NAME;

/// Prints the instances; a name that is not there is a plain no.
pub fn list(host: &Host, names: &[InstanceName], out: &mut Out) -> Result<Exit, Fail> {
    let registry = Registry::load(host)?;
    let mut exit = Exit::Ok;
    if names.is_empty() {
        registry.instances().try_for_each(|instance| out.record(instance))?;
    }
    for name in names {
        if let Some(instance) = registry.get(name) {
            out.record(instance)?;
        } else {
            stderr::say(NAME, format_args!("no instance '{name}' in {PATH}"));
            exit = Exit::No;
        }
    }
    Ok(exit)
}

/// Prints what is found below server roots; a root without any instance is a no.
pub fn scan(host: &Host, roots: &[PathBuf], out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    for root in roots {
        let found = detect::instances(host, root)?;
        if found.is_empty() {
            stderr::say(NAME, format_args!("no instance below {}", root.display()));
            exit = Exit::No;
        }
        found.iter().try_for_each(|instance| out.record(instance))?;
    }
    Ok(exit)
}

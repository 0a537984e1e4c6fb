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

/// Prints what is found below server roots; a root without any instance is a no, and one that cannot be read, or that has
/// an instance whose addresses cannot be told, is unknown.
pub fn scan(host: &Host, roots: &[PathBuf], out: &mut Out) -> Result<Exit, Fail> {
    let mut exit = Exit::Ok;
    let mut failed: Vec<Fail> = Vec::new();
    for root in roots {
        let found = match detect::instances(host, root) {
            Ok(found) => found,
            Err(fail) => {
                // What the other roots hold can be told all the same.
                failed.push(fail);
                continue;
            }
        };
        if found.instances.is_empty() && found.untold.is_empty() {
            stderr::say(NAME, format_args!("no instance below {}", root.display()));
            exit = exit.gravest(Exit::No);
        }
        found.instances.iter().try_for_each(|instance| out.record(instance))?;
        let hint = "ims-registry add NAME --server-root ROOT --address ADDRESS names them";
        failed.extend(found.untold.into_iter().map(|f| if f.way_out().is_some() { f } else { f.hint(hint) }));
    }
    // The last is told in a record too, so that a pipe does not take what is not whole for all of it.
    let last = failed.pop();
    for fail in failed {
        stderr::say(NAME, fail);
    }
    last.map_or(Ok(exit), Err)
}

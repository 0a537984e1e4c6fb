//! Whether the entries fit what is on the disk, and each other.

mod files;
mod owner;
mod record;
mod twins;
mod whereabouts;

use std::net::IpAddr;

use ims::instance::Instance;
use ims::layout::{Layout, directory, listeners, messaging};
use ims::name::InstanceName;
use ims::place::Place;
use ims::registry::Registry;
use ims::{Exit, Fail, Host, Out};

pub use record::{Aspect, Checked, Finding};
use whereabouts::Whereabouts;

/// Compares entries with the disk and with all other entries. First every finding is printed, then every entry.
pub fn check(host: &Host, names: &[InstanceName], out: &mut Out) -> Result<Exit, Fail> {
    let registry = Registry::load(host)?;
    for name in names {
        registry.find(name)?;
    }
    let looked: Vec<Looked> =
        registry.instances().map(|instance| Looked::at(host, &registry, instance)).collect();
    let among = twins::findings(&looked);
    let is_meant = |name: &InstanceName| names.is_empty() || names.contains(name);
    let mut exit = Exit::Ok;
    let mut entries = Vec::new();
    for (looked, among) in looked.into_iter().zip(among).filter(|(l, _)| is_meant(&l.instance.name)) {
        let findings: Vec<Finding> = looked.findings.into_iter().chain(among).collect();
        findings.iter().try_for_each(|finding| out.record(finding))?;
        let entry = Checked::of(looked.instance.name, &findings);
        exit = exit.gravest(entry.state.into());
        entries.push(entry);
    }
    entries.iter().try_for_each(|entry| out.record(entry))?;
    Ok(exit)
}

/// An entry, and what was found of it on the disk.
struct Looked {
    instance: Instance,
    at: Place,
    listeners: Vec<ims::layout::Listener>,
    findings: Vec<Finding>,
}

impl Looked {
    fn at(host: &Host, registry: &Registry, instance: &Instance) -> Self {
        let at = registry.place(&instance.name);
        let mut looked =
            Self { instance: instance.clone(), at: at.clone(), listeners: Vec::new(), findings: Vec::new() };
        match whereabouts::of(host, &instance.root) {
            Whereabouts::Here => {}
            Whereabouts::Elsewhere { what, mend } => {
                looked.findings.push(Finding::unknown(instance, Aspect::Root, at, what, mend));
                return looked;
            }
            Whereabouts::Nowhere { what, mend } => {
                looked.findings.push(Finding::down(instance, Aspect::Root, at, what, mend));
                return looked;
            }
        }
        looked.findings = files::findings(host, instance, &at);
        if looked.findings.is_empty() {
            match listeners(host, instance) {
                Ok(listeners) => looked.listeners = listeners,
                Err(fail) => looked.findings.push(Finding::of_config(instance, &at, &fail)),
            }
        }
        looked.findings.extend(misfit(host, instance, at));
        looked.findings.extend(owner::findings(host, instance));
        looked
    }
}

/// Addresses that the servers of this layout cannot be bound to.
fn misfit(host: &Host, instance: &Instance, at: Place) -> Option<Finding> {
    let ips: Vec<IpAddr> = instance.addresses.iter().map(|address| address.ip()).collect();
    if instance.layout == Layout::PostfixDovecot || ips.is_empty() {
        return None;
    }
    // A configuration that does not tell is a finding of its own.
    let directory = directory::config(host, instance).ok()?;
    let fail = messaging::address(instance, directory.as_ref(), &ips).err()?;
    let mend = "give it one that fits, with ims-registry add --address";
    Some(Finding::down(instance, Aspect::Address, at, fail.to_string(), mend))
}

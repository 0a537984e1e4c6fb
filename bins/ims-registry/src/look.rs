//! What the registry says, what is on the disk, and whether the two agree.

use std::path::PathBuf;

use ims::instance::Instance;
use ims::layout::{detect, listeners};
use ims::name::InstanceName;
use ims::registry::Registry;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, Record, State};
use schemars::JsonSchema;
use serde::Serialize;

fn chosen<'a>(registry: &'a Registry, names: &[InstanceName]) -> Result<Vec<&'a Instance>, Fail> {
    if names.is_empty() {
        return Ok(registry.instances().collect());
    }
    names.iter().map(|name| registry.find(name)).collect()
}

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
            stderr::say("ims-registry", format_args!("no instance '{name}' in {}", ims::registry::PATH));
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
            stderr::say("ims-registry", format_args!("no instance below {}", root.display()));
            exit = Exit::No;
        }
        found.iter().try_for_each(|instance| out.record(instance))?;
    }
    Ok(exit)
}

/// What `check` found of one entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// The entry.
    pub name: InstanceName,
    /// Up when it fits, down when it does not, unknown when its root is not on this node now.
    pub state: State,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

impl Record for Checked {
    const SCHEMA: &'static str = "ims.registry-check/1";

    fn columns() -> &'static [&'static str] {
        &["name", "state", "findings"]
    }

    fn row(&self) -> Vec<String> {
        let findings = if self.findings.is_empty() { "-".to_owned() } else { self.findings.join("; ") };
        vec![self.name.to_string(), self.state.to_string(), findings]
    }
}

/// Compares each entry with the disk and with the other entries.
pub fn check(host: &Host, names: &[InstanceName], out: &mut Out) -> Result<Exit, Fail> {
    let registry = Registry::load(host)?;
    let mut exit = Exit::Ok;
    for instance in chosen(&registry, names)? {
        let mut findings = twins(&registry, instance);
        let mut state = if findings.is_empty() { State::Up } else { State::Down };
        if host.path(&instance.root).is_dir() {
            findings.extend(on_disk(host, instance));
            state = if findings.is_empty() { State::Up } else { State::Down };
        } else {
            findings
                .push(format!("{} is not here; another node may master its volume", instance.root.display()));
            state = if state == State::Down { State::Down } else { State::Unknown };
        }
        exit = exit.gravest(state.into());
        out.record(&Checked { name: instance.name.clone(), state, findings })?;
    }
    Ok(exit)
}

/// What two entries share and should not.
fn twins(registry: &Registry, instance: &Instance) -> Vec<String> {
    let mut findings = Vec::new();
    for other in registry.instances().filter(|other| other.name != instance.name) {
        for address in instance.addresses.iter().filter(|address| other.addresses.contains(address)) {
            findings.push(format!("{} has the address {address} too", other.name));
        }
        if instance.ldap.is_some() && instance.ldap == other.ldap && instance.root == other.root {
            findings.push(format!("{} has the same directory server", other.name));
        }
    }
    findings
}

fn on_disk(host: &Host, instance: &Instance) -> Vec<String> {
    let mut findings = Vec::new();
    let mut folders = Vec::new();
    if instance.mail {
        folders.push(instance.mail_dir());
    }
    folders.extend(instance.ldap_dir());
    for folder in folders {
        if !host.path(&folder).is_dir() {
            findings.push(format!("{} is not there", folder.display()));
        }
    }
    match detect::layout(host, &instance.root, &instance.name) {
        Some(layout) if instance.mail && layout != instance.layout => {
            findings.push(format!("{} is laid out as {layout}", instance.mail_dir().display()));
        }
        Some(_) | None => {}
    }
    if findings.is_empty()
        && let Err(fail) = listeners(host, instance)
    {
        findings.push(fail.to_string());
    }
    findings
}

//! From operands to targets: URLs as they are, instances from the registry or from stdin.

use std::collections::HashSet;
use std::io::stdin;

use ims::input::records;
use ims::instance::Instance;
use ims::layout::{Listener, Service, endpoints, listeners};
use ims::name::InstanceName;
use ims::registry::Registry;
use ims::sys::stderr;
use ims::{Fail, Host};

use crate::cli::{Operand, PartOf};
use crate::endpoint::{At, Endpoint};

/// What is probed in each round.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// One endpoint.
    Endpoint(Endpoint),
    /// Every service of an instance, read anew from its configuration each time.
    Instance(Box<Known>),
}

/// An instance, as far as two of them can be told apart.
#[derive(Debug, Clone)]
pub struct Known(pub Instance);

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Known {}

impl std::hash::Hash for Known {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

/// The targets that the operands name, each once; without any operand, the whole registry.
pub fn targets(host: &Host, operands: &[Operand], part: Option<PartOf>) -> Result<Vec<Target>, Fail> {
    let mut found = Vec::new();
    if operands.is_empty() {
        found.extend(Registry::load(host)?.instances().cloned().map(instance));
    }
    let names: Vec<&InstanceName> = operands.iter().filter_map(Operand::name).collect();
    let registry = if names.is_empty() { Registry::default() } else { Registry::load(host)? };
    for operand in operands {
        match operand {
            Operand::Url(endpoint) => found.push(Target::Endpoint(endpoint.clone())),
            Operand::Name(name) => found.push(instance(registry.find(name)?.clone())),
            Operand::Stdin => {
                for piped in records::<Instance>("ims-probe", stdin().lock()) {
                    found.push(instance(piped?.record));
                }
            }
        }
    }
    let mut seen = HashSet::new();
    found.retain(|target| has(target, part) && seen.insert(target.clone()));
    if found.is_empty() {
        return Err(Fail::unknown("nothing to probe")
            .hint("name a URL or an instance, or register one with ims-registry add"));
    }
    Ok(found)
}

impl Operand {
    const fn name(&self) -> Option<&InstanceName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Stdin | Self::Url(_) => None,
        }
    }
}

fn instance(instance: Instance) -> Target {
    Target::Instance(Box::new(Known(instance)))
}

/// Whether a target has the part that is asked for; an instance that has not is passed over with a note.
fn has(target: &Target, part: Option<PartOf>) -> bool {
    let (Target::Instance(known), Some(part)) = (target, part) else { return true };
    let (has, word) = match part {
        PartOf::Mail => (known.0.mail, "mail server"),
        PartOf::Directory => (known.0.ldap.is_some(), "directory server"),
    };
    if !has {
        stderr::say("ims-probe", format_args!("{} has no {word}", known.0.name));
    }
    has
}

/// Every endpoint of an instance, or why they cannot be told.
pub fn expand(host: &Host, instance: &Instance, part: Option<PartOf>) -> Result<Vec<Endpoint>, Fail> {
    let listeners = listeners(host, instance)?;
    let mut found = Vec::new();
    for listener in listeners.iter().filter(|listener| part.is_none_or(|part| part_of(listener) == part)) {
        for ip in endpoints(instance, listener) {
            let endpoint = Endpoint { service: listener.service, at: At::Ip(ip), port: listener.port };
            if !found.contains(&endpoint) {
                found.push(endpoint);
            }
        }
    }
    if found.is_empty() {
        return Err(Fail::unknown(format!("{} listens on no address that is known", instance.name))
            .hint("bind it with ims-ipbind set --address"));
    }
    Ok(found)
}

const fn part_of(listener: &Listener) -> PartOf {
    match listener.service {
        Service::Ldap | Service::Ldaps => PartOf::Directory,
        Service::Smtp
        | Service::Submission
        | Service::Smtps
        | Service::Lmtp
        | Service::Imap
        | Service::Imaps
        | Service::Pop3
        | Service::Pop3s
        | Service::Http
        | Service::JobController
        | Service::Other => PartOf::Mail,
    }
}

//! From operands to targets: URLs as they are, instances from the registry or from stdin.
//!
//! Operands are read here and not by clap, which would repeat a wrong one, password and all.

use std::collections::HashSet;
use std::io::stdin;
use std::rc::Rc;
use std::str::FromStr;

use ims::input::records;
use ims::instance::Instance;
use ims::layout::{Bind, endpoints, listeners};
use ims::name::InstanceName;
use ims::registry::Registry;
use ims::sys::stderr;
use ims::{Fail, Host};

use crate::cli::PartOf;
use crate::endpoint::{At, Endpoint};

/// What stands on the command line.
#[derive(Debug)]
enum Operand {
    /// `-`
    Stdin,
    /// A URL.
    Url(Endpoint),
    /// An instance by its name.
    Name(InstanceName),
}

impl FromStr for Operand {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        if text == "-" {
            Ok(Self::Stdin)
        } else if text.contains("://") {
            text.parse().map(Self::Url)
        } else if text.contains([':', '@']) {
            // The text may hold a password, so it is not repeated.
            Err(Fail::usage("a target that is neither a URL nor an instance's name")
                .hint("like smtp://192.0.2.10:25"))
        } else {
            text.parse().map(Self::Name)
        }
    }
}

/// What is probed in each round.
#[derive(Debug)]
pub enum Target {
    /// One endpoint.
    Endpoint(Endpoint),
    /// Every service of an instance, read anew from its configuration each time.
    Instance(Rc<Instance>),
}

/// The targets that the operands name, each once; without any operand, the whole registry.
pub fn targets(host: &Host, operands: &[String], part: Option<PartOf>) -> Result<Vec<Target>, Fail> {
    let operands: Vec<Operand> = operands.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    let by_name = operands.iter().any(|operand| matches!(operand, Operand::Name(_)));
    let registry = if by_name || operands.is_empty() { Registry::load(host)? } else { Registry::default() };
    if operands.is_empty() {
        found.extend(registry.instances().cloned().map(instance));
    }
    for operand in operands {
        match operand {
            Operand::Url(endpoint) => found.push(Target::Endpoint(endpoint)),
            Operand::Name(name) => found.push(instance(registry.find(&name)?.clone())),
            Operand::Stdin => {
                for piped in records::<Instance>("ims-probe", stdin().lock()) {
                    found.push(instance(piped?.record));
                }
            }
        }
    }
    let (mut endpoints, mut instances) = (HashSet::new(), Vec::new());
    found.retain(|target| {
        has(target, part)
            && match target {
                Target::Endpoint(endpoint) => endpoints.insert(endpoint.clone()),
                Target::Instance(instance) => {
                    let is_new = !instances.contains(instance);
                    instances.push(Rc::clone(instance));
                    is_new
                }
            }
    });
    if found.is_empty() {
        return Err(Fail::unknown("nothing to probe")
            .hint("name a URL or an instance, or register one with ims-registry add"));
    }
    Ok(found)
}

fn instance(instance: Instance) -> Target {
    Target::Instance(Rc::new(instance))
}

/// Whether a target has the part that is asked for; an instance that has not is passed over with a note.
fn has(target: &Target, part: Option<PartOf>) -> bool {
    let (Target::Instance(instance), Some(part)) = (target, part) else { return true };
    let (has, word) = match part {
        PartOf::Mail => (instance.mail, "mail server"),
        PartOf::Directory => (instance.ldap.is_some(), "directory server"),
    };
    if !has {
        stderr::say("ims-probe", format_args!("{} has no {word}", instance.name));
    }
    has
}

/// Every endpoint of a part of an instance, or why they cannot be told. Only that part's files are read.
pub fn expand(host: &Host, instance: &Instance, part: Option<PartOf>) -> Result<Vec<Endpoint>, Fail> {
    let mut asked = instance.clone();
    match part {
        Some(PartOf::Mail) => asked.ldap = None,
        Some(PartOf::Directory) => asked.mail = false,
        None => {}
    }
    let mut found = Vec::new();
    for listener in &listeners(host, &asked)? {
        if instance.addresses.is_empty() && !matches!(listener.bind, Bind::One(_)) {
            // Probing the others alone would answer for a service that nobody asked.
            return Err(Fail::unknown(format!(
                "port {} of {} listens on every address, and the registry has none to probe",
                listener.port, instance.name
            ))
            .hint(format!("ims-registry add {} --address ADDRESS", instance.name)));
        }
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

//! What is configured, and what listens now.

use std::collections::BTreeMap;
use std::io::stdin;

use ims::input::{Piped, nothing_came, records};
use ims::instance::Instance;
use ims::layout::{self, Listener};
use ims::registry::Registry;
use ims::sys::sock::{self, Listening, Owner};
use ims::{Fail, Host};

use crate::cli::NameOrStdin;
use crate::overlap::overlap;

/// A listener that an instance's configuration asks for.
#[derive(Debug, Clone)]
pub struct Configured {
    /// The instance, and the host whose registry named it.
    pub of: Piped<Instance>,
    /// What it asks for.
    pub listener: Listener,
}

/// A socket that listens now where something is configured to, and the processes that hold it.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The socket.
    pub socket: Listening,
    /// The processes, as far as they could be seen.
    pub owners: Vec<Owner>,
}

/// The instances, and the host whose registry named each.
pub struct Instances {
    /// Those that were asked about.
    pub asked: Vec<Piped<Instance>>,
    /// The others that this node's registry knows.
    pub others: Vec<Piped<Instance>>,
}

/// The instances that were asked about.
///
/// The registry is the same on every node, so that an instance that several hosts name is one and the same.
pub fn instances(host: &Host, what: &[NameOrStdin]) -> Result<Instances, Fail> {
    let registry = Registry::load(host)?;
    let here = |instance: &Instance| Piped { host: host.name().to_owned(), record: instance.clone() };
    let mut asked: Vec<Piped<Instance>> = Vec::new();
    for operand in what {
        match operand {
            NameOrStdin::Name(name) => asked.push(here(registry.find(name)?)),
            NameOrStdin::Stdin => {
                let before = asked.len();
                for piped in records::<Instance>("ims-portcheck", stdin().lock()) {
                    asked.push(piped?);
                }
                if asked.len() == before {
                    return Err(nothing_came::<Instance>());
                }
            }
        }
    }
    if what.is_empty() {
        asked.extend(registry.instances().map(here));
    }
    let mut instances: Vec<Piped<Instance>> = Vec::new();
    for piped in asked {
        if !instances.iter().any(|known| is_same(&known.record, &piped.record)) {
            instances.push(piped);
        }
    }
    let others = registry
        .instances()
        .filter(|other| !instances.iter().any(|known| is_same(&known.record, other)))
        .map(here)
        .collect();
    Ok(Instances { asked: instances, others })
}

fn is_same(a: &Instance, b: &Instance) -> bool {
    (&a.name, &a.root, a.layout, &a.ldap, a.mail) == (&b.name, &b.root, b.layout, &b.ldap, b.mail)
}

/// What an instance's configuration asks for; its files are read on this node, whoever named it.
pub fn listeners(host: &Host, of: &Piped<Instance>) -> Result<Vec<Configured>, Fail> {
    let instance = &of.record;
    let whose = if of.host == host.name() { String::new() } else { format!(" of {}", of.host) };
    if !host.path(&instance.root).is_dir() {
        return Err(Fail::unknown(format!(
            "cannot tell the ports of {}{whose}: {} is not on this node",
            instance.name,
            instance.root.display()
        ))
        .hint("run it where the volume is mounted"));
    }
    match layout::listeners(host, instance) {
        Ok(listeners) => {
            Ok(listeners.into_iter().map(|listener| Configured { of: of.clone(), listener }).collect())
        }
        Err(fail) => {
            Err(Fail::new(fail.exit(), format!("cannot tell the ports of {}{whose}", instance.name))
                .because(fail))
        }
    }
}

/// The sockets that listen now where something is configured to.
pub fn taken(host: &Host, configured: &[Configured]) -> Result<Vec<Taken>, Fail> {
    if configured.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = |socket: &Listening| {
        configured
            .iter()
            .any(|c| c.listener.port == socket.port && overlap(c.listener.bind, socket.bind).is_some())
    };
    let sockets: Vec<Listening> = sock::listening()?.into_iter().filter(wanted).collect();
    let inodes: Vec<u32> = sockets.iter().map(|socket| socket.inode).filter(|inode| *inode != 0).collect();
    let mut owners: BTreeMap<u32, Vec<Owner>> = sock::owners(host, &inodes)?;
    Ok(sockets
        .into_iter()
        .map(|socket| {
            let owners = owners.remove(&socket.inode).unwrap_or_default();
            Taken { socket, owners }
        })
        .collect())
}

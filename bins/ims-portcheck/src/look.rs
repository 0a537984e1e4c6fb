//! What is configured, and what listens now.

use std::collections::BTreeMap;
use std::io::stdin;

use ims::input::{NameOrStdin, Piped};
use ims::instance::Instance;
use ims::layout::{self, Listener};
use ims::registry::Registry;
use ims::sys::file;
use ims::sys::sock::{self, Listening, Owner};
use ims::{Fail, Host};

use crate::overlap::overlap;
use crate::piped::{self, Told};

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

/// What is asked about, and what else is known.
pub struct Given {
    /// The instances that were asked about, with the host whose registry named each.
    pub asked: Vec<Piped<Instance>>,
    /// The others that this node's registry knows.
    pub others: Vec<Piped<Instance>>,
    /// Listeners that came with them, of instances whose files were read elsewhere.
    pub told: Vec<Piped<Told>>,
}

/// The instances that were asked about.
///
/// The registry is the same on every node, so that an instance that several hosts name is one and the same.
pub fn given(host: &Host, what: &[NameOrStdin]) -> Result<Given, Fail> {
    let registry = Registry::load(host)?;
    let here = |instance: &Instance| Piped { host: host.name().to_owned(), record: instance.clone() };
    let mut asked: Vec<Piped<Instance>> = Vec::new();
    let mut told = Vec::new();
    for operand in what {
        match operand {
            NameOrStdin::Name(name) => asked.push(here(registry.find(name)?)),
            NameOrStdin::Stdin => {
                let came = piped::read(stdin().lock())?;
                asked.extend(came.instances);
                told.extend(came.listeners);
            }
        }
    }
    for listener in &told {
        let name = &listener.record.instance;
        if !asked.iter().any(|known| &known.record.name == name) {
            let known = registry.get(name).ok_or_else(|| {
                Fail::usage(format!("a listener of {name} came on stdin, and no instance of that name"))
                    .hint("pipe what ims-registry list says too")
            })?;
            asked.push(Piped { host: listener.host.clone(), record: known.clone() });
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
    Ok(Given { asked: instances, others, told })
}

fn is_same(a: &Instance, b: &Instance) -> bool {
    (&a.name, &a.root, a.layout, &a.ldap, a.mail) == (&b.name, &b.root, b.layout, &b.ldap, b.mail)
}

/// What an instance's configuration asks for: what was told of it, else what its files say on this node, whoever
/// named it.
pub fn listeners(host: &Host, of: &Piped<Instance>, told: &[Piped<Told>]) -> Result<Vec<Configured>, Fail> {
    let instance = &of.record;
    let came: Vec<Listener> = told
        .iter()
        .filter(|told| told.record.instance == instance.name)
        .map(|told| told.record.listener())
        .collect::<Result<_, _>>()?;
    if !came.is_empty() {
        return Ok(came.into_iter().map(|listener| Configured { of: of.clone(), listener }).collect());
    }
    let whose = if of.host == host.name() { String::new() } else { format!(" of {}", of.host) };
    let found = read(host, instance).map_err(|fail| {
        Fail::new(fail.exit(), format!("cannot tell the ports of {}{whose}", instance.name)).because(fail)
    })?;
    Ok(found.into_iter().map(|listener| Configured { of: of.clone(), listener }).collect())
}

fn read(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    if !file::is_there(&host.path(&instance.root))? {
        let away = format!("{} is not on this node", instance.root.display());
        return Err(Fail::unknown(away)
            .hint("run it where the volume is mounted, or pipe what ims-ipbind show says there"));
    }
    layout::listeners(host, instance)
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

//! Finding instances below a server root by the folders each layout has.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use fs_err as fs;

use crate::address::Address;
use crate::instance::Instance;
use crate::layout::{Bind, Layout, directory, listeners};
use crate::name::{DirectoryName, InstanceName};
use crate::sys::file;
use crate::{Exit, Fail, Host};

/// The names that installers give a server root, which tell nothing about whose it is.
const USUAL: [&str; 5] = ["SUNWmsgsr", "messaging", "messaging64", "comms", "opt"];

/// How the instance of a name below a server root is laid out, `None` when nothing of the kind is there.
pub fn layout(host: &Host, root: &Path, name: &InstanceName) -> Result<Option<Layout>, Fail> {
    match mail_layout(host, &root.join(format!("msg-{name}")))? {
        Some(layout) => Ok(Some(layout)),
        None => root_layout(host, root),
    }
}

/// How a root that is one instance is laid out.
///
/// Its programs are there on every node, its `config` where its volume is mounted; either tells it.
fn root_layout(host: &Host, root: &Path) -> Result<Option<Layout>, Fail> {
    let here = |below: &str| file::is_there(&host.path(root.join(below)));
    Ok((here("sbin/configutil")? || here("config/dispatcher.cnf")?).then_some(Layout::Messaging6))
}

/// The name that the instance of such a root goes by: that of the root's folder or, when an installer named it, of
/// the folder above, as in `/opt/mail-1/SUNWmsgsr`.
fn name_of(root: &Path) -> Option<InstanceName> {
    let names: Vec<&str> = root.ancestors().filter_map(|path| path.file_name()?.to_str()).collect();
    let own = names.iter().find(|name| !USUAL.contains(name));
    own.or(names.first()).and_then(|name| name.parse().ok())
}

fn mail_layout(host: &Host, mail_dir: &Path) -> Result<Option<Layout>, Fail> {
    let here = |below: &str| file::is_there(&host.path(mail_dir.join(below)));
    Ok(if here("imta/config")? {
        Some(Layout::Iplanet5)
    } else if here("postfix/main.cf")? || here("dovecot/dovecot.conf")? {
        Some(Layout::PostfixDovecot)
    } else {
        None
    })
}

fn directory_layout(host: &Host, ldap_dir: &Path) -> Result<Option<Layout>, Fail> {
    Ok(if directory::found(host, ldap_dir)?.is_some() {
        Some(Layout::Iplanet5)
    } else if file::is_there(&host.path(ldap_dir.join("slapd.conf")))? {
        Some(Layout::PostfixDovecot)
    } else {
        None
    })
}

/// What is below a server root.
#[derive(Debug)]
pub struct Scanned {
    /// The instances.
    pub instances: Vec<Instance>,
    /// Why the addresses of some of them are not known, or whether there are more: what cannot be read.
    pub untold: Vec<Fail>,
}

/// The instances below a server root, by name.
///
/// The first directory server goes with the first mail server, as the original's set-up put them; each further
/// one is an instance of its own. Addresses are those that the servers are bound to already.
pub fn instances(host: &Host, root: &Path) -> Result<Scanned, Fail> {
    let mut untold = Vec::new();
    let mut mails: Vec<(InstanceName, Layout)> = told(host, root, "msg-", mail_layout, &mut untold)?;
    let mut ldaps: Vec<(DirectoryName, Layout)> = told(host, root, "slapd-", directory_layout, &mut untold)?;
    mails.sort();
    ldaps.sort();
    let mut ldaps = ldaps.into_iter().peekable();
    let mut found = Vec::new();
    for (name, layout) in mails {
        let ldap = ldaps.next_if(|(_, of)| *of == layout && found.is_empty()).map(|(ldap, _)| ldap);
        found.push(Instance { name, layout, root: root.to_owned(), addresses: Vec::new(), ldap, mail: true });
    }
    let of_root = root_layout(host, root).unwrap_or_else(|fail| {
        untold.push(fail);
        None
    });
    if let (Some(layout), Some(name)) = (of_root, name_of(root))
        && found.iter().all(|instance| instance.name != name)
    {
        let root = root.to_owned();
        found.push(Instance { name, layout, root, addresses: Vec::new(), ldap: None, mail: true });
    }
    for (ldap, layout) in ldaps {
        if let Ok(name) = ldap.as_str().parse::<InstanceName>()
            && found.iter().all(|instance| instance.name != name)
        {
            let ldap = Some(ldap);
            found.push(Instance {
                name,
                layout,
                root: root.to_owned(),
                addresses: Vec::new(),
                ldap,
                mail: false,
            });
        }
    }
    for instance in &mut found {
        match bound(host, instance) {
            Ok(addresses) => instance.addresses = addresses,
            Err(fail) => untold
                .push(Fail::unknown(format!("cannot tell the addresses of {}", instance.name)).because(fail)),
        }
    }
    Ok(Scanned { instances: found, untold })
}

/// The folders of a kind below a server root whose layout is known, by name.
fn told<N: FromStr>(
    host: &Host,
    root: &Path,
    prefix: &str,
    layout: fn(&Host, &Path) -> Result<Option<Layout>, Fail>,
    untold: &mut Vec<Fail>,
) -> Result<Vec<(N, Layout)>, Fail> {
    let mut found = Vec::new();
    for (name, path) in below(host, root, prefix)? {
        let Ok(name) = name.parse() else { continue };
        match layout(host, &path) {
            Ok(layout) => found.extend(layout.map(|layout| (name, layout))),
            Err(fail) => untold.push(fail),
        }
    }
    Ok(found)
}

/// The addresses an instance's servers are bound to already.
fn bound(host: &Host, instance: &Instance) -> Result<Vec<Address>, Fail> {
    let mut addresses = Vec::new();
    for listener in listeners(host, instance)? {
        if let Bind::One(ip) = listener.bind
            && let Ok(address) = ip.to_string().parse()
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// The folders of instances below a server root, `msg-…` and `slapd-…`, sorted.
pub fn names(host: &Host, root: &Path) -> Result<Vec<String>, Fail> {
    let mut found = Vec::new();
    for prefix in ["msg-", "slapd-"] {
        found.extend(below(host, root, prefix)?.into_iter().map(|(name, _)| format!("{prefix}{name}")));
    }
    found.sort();
    Ok(found)
}

fn below(host: &Host, root: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>, Fail> {
    let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot scan {}", root.display()), e);
    let mut found = Vec::new();
    for entry in fs::read_dir(host.path(root)).map_err(|e| cannot(&e))? {
        let entry = entry.map_err(|e| cannot(&e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(rest) = name.strip_prefix(prefix)
            && entry.file_type().map_err(|e| cannot(&e))?.is_dir()
        {
            found.push((rest.to_owned(), root.join(&name)));
        }
    }
    Ok(found)
}

//! What is on the disk and in the message store before anything is planned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::instance::Instance;
use crate::layout::{Layout, dovecot, iplanet5, openldap, postfix};
use crate::sys::{file, server};
use crate::{Fail, Host};

use super::kept::{Kept, mark, pre_ha};

/// Everything a plan is made of.
#[derive(Debug, Default)]
pub struct Found {
    /// The files that say where the servers listen, in the order in which they are told.
    pub files: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// Their originals, where they are kept.
    pub originals: BTreeMap<PathBuf, Vec<u8>>,
    /// Dovecot's settings, those of included files among them.
    pub dovecot: Vec<dovecot::Setting>,
    /// What `configutil` says of `service.listenaddr`; `None` where there is no such thing.
    pub listenaddr: Option<String>,
    /// What an earlier `set` left for `restore`.
    pub kept: Option<Kept>,
    /// Whether an earlier change was begun and not ended.
    pub is_pending: bool,
    /// Whether Postfix's `inet_protocols` allows IPv4 and IPv6.
    pub protocols: (bool, bool),
}

impl Found {
    /// A file's text; anything but UTF-8 cannot be edited.
    pub fn text(&self, path: &Path) -> Result<Option<&str>, Fail> {
        let found = self.files.iter().find(|(file, _)| file == path);
        found.and_then(|(_, bytes)| bytes.as_deref()).map(|bytes| file::text(bytes, path)).transpose()
    }
}

/// Reads everything.
pub fn found(host: &Host, instance: &Instance, timeout: Duration) -> Result<Found, Fail> {
    let mut found = Found {
        kept: Kept::load(host, instance)?,
        is_pending: host.path(mark(instance)).exists(),
        ..Found::default()
    };
    for path in files(host, instance, found.kept.as_ref()) {
        if let Some(original) = file::read_own(&host.path(pre_ha(&path)))? {
            found.originals.insert(path.clone(), original);
        }
        let bytes = file::read_own(&host.path(&path))?;
        found.files.push((path, bytes));
    }
    if instance.mail {
        match instance.layout {
            Layout::Iplanet5 => {
                let name = iplanet5::LISTENADDR;
                found.listenaddr = Some(iplanet5::parameter(host, instance, name, timeout)?);
            }
            Layout::PostfixDovecot => {
                if dovecot::is_there(host, instance) {
                    found.dovecot = dovecot::settings(host, instance)?;
                }
                found.protocols = postfix::allowed_protocols(host, instance)?;
            }
        }
    }
    Ok(found)
}

/// The files that say where the servers of an instance listen; those of a directory server that was bound with it
/// before are among them.
fn files(host: &Host, instance: &Instance, kept: Option<&Kept>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if instance.mail {
        match instance.layout {
            Layout::Iplanet5 => {
                files.extend([iplanet5::dispatcher_file(instance), iplanet5::job_controller_file(instance)]);
            }
            Layout::PostfixDovecot => {
                if postfix::is_there(host, instance) {
                    files.extend(["main.cf", "master.cf"].map(|name| postfix::folder(instance).join(name)));
                }
                if dovecot::is_there(host, instance) {
                    files.push(dovecot::config_file(instance));
                }
            }
        }
    }
    let before = kept.map(|kept| kept.ldap.as_slice()).unwrap_or_default();
    let mut ldaps: Vec<_> = instance.ldap.iter().chain(before).collect();
    ldaps.dedup();
    for ldap in ldaps {
        let with = Instance { ldap: Some(ldap.clone()), ..instance.clone() };
        files.extend(match instance.layout {
            Layout::Iplanet5 => iplanet5::slapd_file(&with),
            Layout::PostfixDovecot => openldap::default_file(&with),
        });
    }
    files
}

/// Refuses while Directory Server 4.x runs: its console writes `slapd.conf` as the running server knows it.
pub fn slapd_is_stopped(host: &Host, folder: &Path) -> Result<(), Fail> {
    match server::running_below(&host.path(folder), "slapd")? {
        None => Ok(()),
        Some(server) => Err(Fail::refused(format!(
            "{} runs below {} (pid {})",
            server.name,
            folder.display(),
            server.pid
        ))
        .hint("it may write its old slapd.conf back: stop it first, or add --force-slapd-running")),
    }
}

//! What is on the disk and in the message store before anything is planned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::instance::Instance;
use ims::layout::{Layout, directory, dovecot, messaging, openldap, postfix};
use ims::sys::{file, server};
use ims::{Fail, Host};

use super::chosen::Chosen;
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
pub fn found(host: &Host, one: &Chosen, timeout: Duration) -> Result<Found, Fail> {
    let mut found = Found {
        kept: Kept::load(host, &one.instance)?,
        is_pending: host.path(mark(&one.instance)).exists(),
        ..Found::default()
    };
    for path in files(host, &one.instance, found.kept.as_ref()) {
        if let Some(original) = file::read(&host.path(pre_ha(&path)))? {
            found.originals.insert(path.clone(), original);
        }
        let bytes = file::read(&host.path(&path))?;
        found.files.push((path, bytes));
    }
    if one.instance.mail {
        match one.instance.layout {
            Layout::Iplanet5 | Layout::Messaging6 => {
                let name = messaging::LISTENADDR;
                found.listenaddr = Some(messaging::parameter(host, &one.instance, name, timeout)?);
            }
            Layout::PostfixDovecot => {
                if dovecot::is_there(host, &one.instance) {
                    found.dovecot = dovecot::settings(host, &one.instance)?;
                }
                found.protocols = postfix::allowed_protocols(host, &one.instance)?;
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
            Layout::Iplanet5 | Layout::Messaging6 => {
                files.extend(
                    messaging::files(instance)
                        .map(|f| [f.dispatcher, f.job_controller])
                        .into_iter()
                        .flatten(),
                );
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
            Layout::Iplanet5 => directory::config(host, &with).map(|config| config.file().to_owned()),
            Layout::Messaging6 => None,
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

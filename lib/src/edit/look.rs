//! What is on the disk and in the message store before anything is planned.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::text;
use crate::instance::Instance;
use crate::layout::{Layout, directory, dovecot, messaging, openldap, postfix};
use crate::sys::{file, server};
use crate::{Fail, Host};

use super::kept::{Kept, mark, pre_ha};
use super::{Edit, Target};

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
    /// The channels of the MTA with a source address of their own.
    pub outbound: Vec<messaging::Outbound>,
    /// What an earlier `set` left for `restore`.
    pub kept: Option<Kept>,
    /// Whether an earlier change was begun and not ended.
    pub is_pending: bool,
    /// The directory server's own configuration in the layout that has one.
    pub directory: Option<directory::Config>,
    /// Whether Postfix's `inet_protocols` allows IPv4 and IPv6.
    pub protocols: (bool, bool),
    /// The port that each name in Postfix's `master.cf` stands for on this node.
    pub ports: BTreeMap<String, u16>,
}

impl Found {
    /// A file's text, whatever its encoding; `None` when it is not there.
    pub fn text(&self, path: &Path) -> Result<Option<Cow<'_, str>>, Fail> {
        self.bytes(path).map(|bytes| text::decoded(bytes, path)).transpose()
    }

    /// Refuses a change while a file has an original beside it that no change of this instance kept: `restore` would give
    /// back what somebody else put there.
    pub fn vouches(&self) -> Result<(), Fail> {
        self.originals.keys().try_for_each(|path| self.vouches_for(path))
    }

    /// Refuses in the same way a change of one file.
    pub fn vouches_for(&self, path: &Path) -> Result<(), Fail> {
        let is_ours = || self.is_pending || self.kept.as_ref().is_some_and(|kept| kept.is_of(path));
        if !self.originals.contains_key(path) || is_ours() {
            return Ok(());
        }
        Err(Fail::refused(format!("{} was not kept by a change of this instance", pre_ha(path).display())).hint(
            format!(
                "restore the other instance that was bound with it, if there is one; else, if it is the original, \
                 move it over {}; if not, move it away",
                path.display()
            ),
        ))
    }

    /// The change of a file to a new text, which gets the encoding of the old one.
    pub fn edit(&self, path: &Path, new: &str) -> Result<Edit, Fail> {
        let old = self.bytes(path);
        let new = Some(text::encoded(new, old.unwrap_or_default(), path)?);
        Ok(Edit { target: Target::File(path.to_owned()), old: old.map(<[u8]>::to_vec), new })
    }

    fn bytes(&self, path: &Path) -> Option<&[u8]> {
        self.files.iter().find(|(file, _)| file == path).and_then(|(_, bytes)| bytes.as_deref())
    }
}

/// Reads everything.
pub fn found(host: &Host, instance: &Instance, timeout: Duration) -> Result<Found, Fail> {
    let mut found = Found {
        kept: Kept::load(host, instance)?,
        is_pending: file::is_there(&host.path(mark(instance)))?,
        directory: match instance.layout {
            Layout::Iplanet5 => directory::config(host, instance)?,
            Layout::Messaging6 | Layout::PostfixDovecot => None,
        },
        ..Found::default()
    };
    for path in files(host, instance, found.kept.as_ref())? {
        if let Some(original) = file::read_own(&host.path(pre_ha(&path)))? {
            found.originals.insert(path.clone(), original);
        }
        let bytes = file::read_own(&host.path(&path))?;
        found.files.push((path, bytes));
    }
    if instance.mail {
        match instance.layout {
            Layout::Iplanet5 | Layout::Messaging6 => {
                found.listenaddr = Some(messaging::listenaddr(host, instance, timeout)?);
                found.outbound = messaging::outbound(host, instance)?;
            }
            Layout::PostfixDovecot => {
                if dovecot::is_there(host, instance)? {
                    found.dovecot = dovecot::settings(host, instance)?;
                }
                found.protocols = postfix::allowed_protocols(host, instance)?;
                found.ports = postfix::ports(host, instance)?;
            }
        }
    }
    Ok(found)
}

/// The files that say where the servers of an instance listen; those of a directory server that was bound with it
/// before are among them.
fn files(host: &Host, instance: &Instance, kept: Option<&Kept>) -> Result<Vec<PathBuf>, Fail> {
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
                if postfix::is_there(host, instance)? {
                    files.extend(["main.cf", "master.cf"].map(|name| postfix::folder(instance).join(name)));
                }
                if dovecot::is_there(host, instance)? {
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
            Layout::Iplanet5 => directory::config(host, &with)?.map(|config| config.file().to_owned()),
            Layout::Messaging6 => None,
            Layout::PostfixDovecot => openldap::default_file(&with),
        });
    }
    Ok(files)
}

/// Refuses while a directory server runs: the console of 4.x writes `slapd.conf` as the running server knows it, and
/// Directory Server 5 and 389 write `dse.ldif` themselves, when they are changed over LDAP and when they stop.
pub fn slapd_is_stopped(host: &Host, folder: &Path) -> Result<(), Fail> {
    match server::running_below(&host.path(folder), "slapd")? {
        None => Ok(()),
        Some(server) => Err(Fail::refused(format!(
            "{} runs below {} (pid {})",
            server.name,
            folder.display(),
            server.pid
        ))
        .hint("it may write its old configuration back: stop it first, or add --force-slapd-running")),
    }
}

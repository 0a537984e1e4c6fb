//! What `restore` needs beside the `.pre-ha` files, and the mark of a change that was begun. Both stand with the
//! instance on its volume, so that another node can finish or undo what this one began.

use std::path::{Path, PathBuf};

use crate::instance::Instance;
use crate::name::DirectoryName;
use crate::sys::file;
use crate::{Fail, Host};
use serde::{Deserialize, Serialize};

use super::look::Found;
use super::{Edit, Target};

/// What an original is called.
pub fn pre_ha(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".pre-ha");
    path.with_file_name(name)
}

/// What `set` found and no `.pre-ha` file can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The directory servers that were bound with the instance.
    pub ldap: Vec<DirectoryName>,
    /// The files that were not there, relative to the server root.
    pub created: Vec<PathBuf>,
    /// What `configutil` said before, when it was changed.
    pub listenaddr: Option<String>,
}

impl Kept {
    /// Where it stands: in the mail server's folder, or in that of a directory server alone.
    pub fn file(instance: &Instance) -> PathBuf {
        home(instance).join("ims-ipbind.pre-ha")
    }

    /// Reads it, `None` before the first `set`.
    pub fn load(host: &Host, instance: &Instance) -> Result<Option<Self>, Fail> {
        let path = Self::file(instance);
        let Some(bytes) = file::read_own(&host.path(&path))? else { return Ok(None) };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| Fail::usage(format!("{} is torn", path.display())).because(e))
    }

    /// What `restore` will need after these changes, besides the originals.
    pub fn after(instance: &Instance, found: &Found, edits: &[Edit]) -> Self {
        let mut kept = found.kept.clone().unwrap_or_default();
        for edit in edits.iter().filter(|edit| edit.is_change()) {
            match &edit.target {
                Target::File(path) if edit.old.is_none() => {
                    let below = path.strip_prefix(&instance.root).unwrap_or(path).to_owned();
                    if !kept.created.contains(&below) && !found.originals.contains_key(path) {
                        kept.created.push(below);
                    }
                }
                Target::File(_) => {}
                Target::Parameter { .. } => {
                    kept.listenaddr = kept.listenaddr.take().or_else(|| found.listenaddr.clone());
                }
            }
        }
        let is_bound = |ldap: &&DirectoryName| edits.iter().any(|edit| is_below(edit.file(), ldap));
        if let Some(ldap) = instance.ldap.as_ref().filter(is_bound).filter(|ldap| !kept.ldap.contains(ldap)) {
            kept.ldap.push(ldap.clone());
        }
        kept
    }

    /// Whether the original of a file is the instance's own: another may have bound a directory server that both have.
    pub fn is_of(&self, path: &Path) -> bool {
        !path.iter().any(|name| name.to_string_lossy().starts_with("slapd-"))
            || self.ldap.iter().any(|ldap| is_below(path, ldap))
    }

    /// Its text.
    pub fn text(&self) -> Result<String, Fail> {
        serde_json::to_string(self)
            .map(|text| text + "\n")
            .map_err(|e| Fail::failed("cannot write down what was found").because(e))
    }
}

/// The mark of a change that was begun and not yet ended.
pub fn mark(instance: &Instance) -> PathBuf {
    home(instance).join("ims-ipbind.pending")
}

/// Whether a file is one of a directory server.
fn is_below(path: &Path, ldap: &DirectoryName) -> bool {
    path.iter().any(|name| name.to_str().and_then(|name| name.strip_prefix("slapd-")) == Some(ldap.as_str()))
}

fn home(instance: &Instance) -> PathBuf {
    instance.ldap_dir().filter(|_| !instance.mail).unwrap_or_else(|| instance.config_dir())
}

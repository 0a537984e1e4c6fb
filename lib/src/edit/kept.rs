//! What `restore` needs beside the `.pre-ha` files, and the mark of a change that was begun. Both stand with the
//! instance on its volume, so that another node can finish or undo what this one began.

use std::path::{Path, PathBuf};

use crate::instance::Instance;
use crate::name::DirectoryName;
use crate::sys::file;
use crate::{Fail, Host};
use serde::{Deserialize, Serialize};

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
        let Some(text) = file::read_text(&host.path(&path))? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|e| Fail::usage(format!("{} is torn", path.display())).because(e))
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

fn home(instance: &Instance) -> PathBuf {
    instance.ldap_dir().filter(|_| !instance.mail).unwrap_or_else(|| instance.config_dir())
}

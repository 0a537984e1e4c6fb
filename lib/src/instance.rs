//! An instance of a mail service: what the registry knows of it.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Record;
use crate::address::Address;
use crate::layout::Layout;
use crate::name::{DirectoryName, InstanceName};

/// One instance: a mail server, a directory server, or both, below one server root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its name, without the leading `msg-`.
    pub name: InstanceName,
    /// Where it keeps things and how its servers are run.
    pub layout: Layout,
    /// The server root, an absolute path.
    #[serde(deserialize_with = "root")]
    pub root: PathBuf,
    /// The logical addresses its servers are bound to; empty until it is bound.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// The directory server below the same root, without the leading `slapd-`.
    #[serde(default)]
    pub ldap: Option<DirectoryName>,
    /// Whether it has a mail server (`<root>/msg-<name>`), not a directory server alone.
    #[serde(default = "yes")]
    pub mail: bool,
}

const fn yes() -> bool {
    true
}

/// A root from a pipe is held to what one in the registry is.
fn root<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    crate::registry::absolute(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

impl Instance {
    /// The folder of the mail server, `<root>/msg-<name>`.
    pub fn mail_dir(&self) -> PathBuf {
        self.root.join(format!("msg-{}", self.name))
    }

    /// The folder of the directory server, `<root>/slapd-<ldap>`.
    pub fn ldap_dir(&self) -> Option<PathBuf> {
        self.ldap.as_ref().map(|ldap| self.root.join(format!("slapd-{ldap}")))
    }
}

impl Record for Instance {
    const SCHEMA: &'static str = "ims.instance/1";

    fn columns() -> &'static [&'static str] {
        &["name", "layout", "root", "addresses", "ldap"]
    }

    fn row(&self) -> Vec<String> {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        vec![
            self.name.to_string(),
            self.layout.to_string(),
            self.root.display().to_string(),
            addresses.join(", "),
            self.ldap.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        ]
    }
}

//! An instance of a mail service: what the registry knows of it.

use std::collections::HashSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::address::Address;
use crate::layout::Layout;
use crate::name::{DirectoryName, InstanceName};
use crate::{Fail, Record};

/// One instance: a mail server, a directory server, or both, below one server root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its name, without the leading `msg-`; in `messaging-6`, which has no instances, the name it goes by here.
    pub name: InstanceName,
    /// Where it keeps things and how its servers are run.
    pub layout: Layout,
    /// The server root, an absolute path.
    #[serde(deserialize_with = "root")]
    pub root: PathBuf,
    /// The logical addresses its servers are bound to, each once; empty until it is bound.
    #[serde(default, deserialize_with = "addresses")]
    pub addresses: Vec<Address>,
    /// The directory server below the same root, without the leading `slapd-`.
    #[serde(default)]
    pub ldap: Option<DirectoryName>,
    /// Whether it has a mail server, not a directory server alone.
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

fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Address>, D::Error> {
    Vec::deserialize(from).map(each_once)
}

/// Addresses without those that were said before.
pub fn each_once(addresses: Vec<Address>) -> Vec<Address> {
    let mut said = HashSet::new();
    addresses.into_iter().filter(|address| said.insert(*address)).collect()
}

impl Instance {
    /// The folder of the mail server: `<root>/msg-<name>`, or the root itself where that is one instance.
    pub fn mail_dir(&self) -> PathBuf {
        match self.layout {
            Layout::Iplanet5 | Layout::PostfixDovecot => self.root.join(format!("msg-{}", self.name)),
            Layout::Messaging6 => self.root.clone(),
        }
    }

    /// The folder that is certainly on the mail server's volume; `messaging-6` may have its programs elsewhere.
    pub fn config_dir(&self) -> PathBuf {
        match self.layout {
            Layout::Iplanet5 | Layout::PostfixDovecot => self.mail_dir(),
            Layout::Messaging6 => self.root.join("config"),
        }
    }

    /// Refuses what the layout cannot have: `messaging-6` has no directory server below its root.
    pub fn fits(&self) -> Result<(), Fail> {
        match self.layout {
            Layout::Messaging6 if self.ldap.is_some() || !self.mail => {
                Err(Fail::usage(format!("{}: messaging-6 has no directory server below its root", self.name))
                    .hint("register that as an instance of its own, with the root it has"))
            }
            Layout::Iplanet5 | Layout::Messaging6 | Layout::PostfixDovecot => Ok(()),
        }
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

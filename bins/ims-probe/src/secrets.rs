//! Who logs in where: users and passwords from a file that only its owner reads. A password is shown to the server it
//! is for and to nobody else, in no record and no error.

mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;

use ims::keys::{self, Source};
use ims::layout::Service;
use ims::name::InstanceName;
use ims::sys::file;
use ims::{Fail, Host};
use ldap3_proto::proto::LdapFilter;
use zeroize::Zeroizing;

use crate::parcel::Route;
use tables::{entry, logins};

/// The tables of services that have a login.
const SERVICES: [&str; 9] =
    ["smtp", "submission", "smtps", "imap", "imaps", "pop3", "pop3s", "ldap", "ldaps"];

/// A text that is not shown, and wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Hides a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the server alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user of a service.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name; of a directory, the DN.
    pub user: String,
    /// The password, never empty: a directory takes an empty one for no login at all.
    pub password: Secret,
    /// Where a directory is searched for an entry; without it the user's own is.
    pub base: Option<String>,
    /// What an entry at or below that must be like; without it the base itself must be there.
    pub filter: Option<LdapFilter>,
}

/// What the secrets say of a service.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Who logs in.
    Login(Rc<Login>),
    /// That nobody does: it serves strangers, and is asked for a session.
    Nobody,
}

/// Where secrets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A file.
    File(PathBuf),
    /// A descriptor that was left open for us.
    Descriptor(u32),
}

impl FromStr for From {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        // What a shell puts in the place of <(command) is a descriptor by another name.
        match ["fd:", "/dev/fd/", "/proc/self/fd/"].iter().find_map(|name| text.strip_prefix(name)) {
            None => Ok(Self::File(text.into())),
            Some(number) => number
                .parse()
                .map(Self::Descriptor)
                .map_err(|_| Fail::usage("not the number of a descriptor").hint("like fd:3")),
        }
    }
}

/// The logins of a run.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    all: Logins,
    instances: BTreeMap<InstanceName, Logins>,
}

#[derive(Debug, Clone, Default)]
struct Logins {
    route: Option<Rc<Route>>,
    default: Option<Entry>,
    services: BTreeMap<&'static str, Entry>,
}

impl Secrets {
    /// Reads them.
    pub fn load(host: &Host, from: &From) -> Result<Self, Fail> {
        let (text, name) = match from {
            From::File(path) => (file::read_secret(&host.path(path))?, path.clone()),
            From::Descriptor(number) => (file::read_secret_from(*number)?, format!("fd:{number}").into()),
        };
        Self::parse(&Zeroizing::new(text), &name)
    }

    /// Reads a text; `file` is named in errors, and no value is.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        keys::read(Source { file, text }, |top| {
            top.only(&[&["default", "deliver", "instance"][..], &SERVICES].concat())?;
            let mut all = logins(&top)?;
            all.default = top.table("default")?.map(|keys| entry(&keys, None, &[])).transpose()?;
            let mut instances = BTreeMap::new();
            for (name, keys) in top.tables(Some("instance"))? {
                let name: InstanceName =
                    name.parse().map_err(|fail: Fail| keys.source().wrong(keys.span(), fail))?;
                keys.only(&[&["user", "password", "deliver"][..], &SERVICES].concat())?;
                let mut own = logins(&keys)?;
                if keys.text("user")?.is_some() || keys.text("password")?.is_some() {
                    own.default = Some(entry(&keys, None, &[&["deliver"][..], &SERVICES].concat())?);
                }
                instances.insert(name, own);
            }
            Ok(Self { all, instances })
        })
    }

    /// What they say of a service: the instance's own tables before those for all, a service's own table before the
    /// default, which no directory uses.
    pub fn of(&self, service: Service, instance: Option<&InstanceName>) -> Option<&Entry> {
        let own = instance.and_then(|name| self.instances.get(name));
        own.and_then(|own| own.of(service)).or_else(|| self.all.of(service))
    }

    /// Where messages for an instance go, or for all.
    pub fn route(&self, instance: Option<&InstanceName>) -> Option<&Rc<Route>> {
        let own = instance.and_then(|name| self.instances.get(name));
        own.and_then(|own| own.route.as_ref()).or(self.all.route.as_ref())
    }
}

impl Logins {
    fn of(&self, service: Service) -> Option<&Entry> {
        let (words, has_default): (&[&str], bool) = match service {
            Service::Smtp => (&["smtp"], true),
            Service::Submission => (&["submission"], true),
            Service::Smtps => (&["smtps", "submission"], true),
            Service::Imap => (&["imap"], true),
            Service::Imaps => (&["imaps", "imap"], true),
            Service::Pop3 => (&["pop3"], true),
            Service::Pop3s => (&["pop3s", "pop3"], true),
            Service::Ldap => (&["ldap"], false),
            Service::Ldaps => (&["ldaps", "ldap"], false),
            Service::Lmtp | Service::Http | Service::Https | Service::JobController | Service::Other => {
                (&[], false)
            }
        };
        let own = words.iter().find_map(|word| self.services.get(word));
        own.or_else(|| self.default.as_ref().filter(|_| has_default))
    }
}

#[cfg(test)]
mod tests;

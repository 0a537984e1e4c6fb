//! Which processes belong to an instance: those in the control groups in which `ims-switch` starts its servers, and those
//! that run as the owner of its folder on the volume, unless that is root. Never by a name.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use ims::group::{Group, Kind, Resource};
use ims::name::InstanceName;
use ims::registry::Registry;
use ims::sys::cgroup::Cgroup;
use ims::sys::file;
use ims::sys::process::Process;
use ims::sys::stderr;
use ims::{Fail, Host};
use serde::{Deserialize, Serialize};

use crate::NAME;
use crate::naming;
use crate::volume::Volume;

/// An instance whose processes may be ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its name.
    pub instance: String,
    cgroups: Vec<Cgroup>,
    /// Its folders on the volume.
    folders: Vec<PathBuf>,
}

impl Owner {
    /// The instances that are named, or those of the volume's group that live on it.
    pub fn find(host: &Host, named: &[InstanceName], volume: &Volume) -> Result<Vec<Self>, Fail> {
        if !named.is_empty() {
            return named.iter().map(|name| Self::named(host, name, volume)).collect();
        }
        let Some(volume_name) = &volume.name else { return Ok(Vec::new()) };
        let Some((group, _)) = volume_name.split_once(':') else { return Ok(Vec::new()) };
        let group = Group::load(host, &group.parse()?)?;
        let registry = Registry::load(host)?;
        let lives_on_it = |server: &&Resource| {
            let requires = naming::requirements(&group, server);
            let is_below = folders(&registry, server).iter().any(|folder| folder.starts_with(&volume.mount));
            is_below || requires.contains(volume_name)
        };
        let owner = |server: &Resource| {
            let instance = server.kind.instance()?;
            Some(Self::of(instance.to_owned(), &[(&group, server)], folders(&registry, server), volume))
        };
        Ok(group.resources.iter().filter(lives_on_it).filter_map(owner).collect())
    }

    /// The instance of a name, as the registry and the groups of this node know it.
    fn named(host: &Host, name: &InstanceName, volume: &Volume) -> Result<Self, Fail> {
        let registry = Registry::load(host)?;
        let mut groups = Vec::new();
        for group in Group::names(host)? {
            match Group::load(host, &group) {
                Ok(group) => groups.push(group),
                Err(fail) => stderr::say(NAME, format_args!("{fail}; the group is passed over")),
            }
        }
        let entry = registry.get(name);
        let ldap = entry.and_then(|entry| entry.ldap.as_ref()).map(ToString::to_string);
        // Its directory server may have a name of its own.
        let is_its = |server: &Resource| {
            server
                .kind
                .instance()
                .is_some_and(|found| found == name.as_str() || ldap.as_deref() == Some(found))
        };
        let servers: Vec<(&Group, &Resource)> = groups
            .iter()
            .flat_map(|group| group.resources.iter().map(move |resource| (group, resource)))
            .filter(|(_, resource)| is_its(resource))
            .collect();
        if servers.is_empty() {
            registry.find(name)?;
        }
        let folders = entry.into_iter().flat_map(|entry| {
            entry.mail.then(|| entry.mail_dir()).into_iter().chain(entry.ldap_dir()).collect::<Vec<_>>()
        });
        Ok(Self::of(name.to_string(), &servers, folders.collect(), volume))
    }

    fn of(
        instance: String,
        servers: &[(&Group, &Resource)],
        mut folders: Vec<PathBuf>,
        volume: &Volume,
    ) -> Self {
        let cgroup = |(group, server): &(&Group, &Resource)| {
            Cgroup::named(&[group.name.as_str(), server.name.as_str()])
        };
        folders.retain(|folder| folder.starts_with(&volume.mount));
        Self { instance, cgroups: servers.iter().filter_map(cgroup).collect(), folders }
    }

    /// With the users that its folders belong to. This asks the disk, which may hang.
    pub fn with_users(self) -> (Self, Vec<u32>) {
        let owner_of = |folder: &PathBuf| {
            // A link on the way would lead to a folder of somebody else.
            let real = file::real_folder(folder).ok()??;
            (real == *folder)
                .then(|| fs_err::symlink_metadata(folder).ok())
                .flatten()
                .map(|found| found.uid())
        };
        let users = self.folders.iter().filter_map(owner_of).filter(|user| *user != 0).collect();
        (self, users)
    }

    /// Whether a process is in its control groups.
    pub fn has(&self, process: &Process) -> bool {
        self.cgroups.iter().any(|cgroup| cgroup.has(process))
    }
}

/// The folders of the instance that a resource runs, as far as the registry knows it.
fn folders(registry: &Registry, server: &Resource) -> Vec<PathBuf> {
    match &server.kind {
        Kind::MessagingServer { instance } => {
            registry.get(instance).map(ims::instance::Instance::mail_dir).into_iter().collect()
        }
        Kind::DirectoryServer { instance } => registry
            .instances()
            .filter(|entry| entry.ldap.as_ref() == Some(instance))
            .filter_map(ims::instance::Instance::ldap_dir)
            .collect(),
        Kind::Nic { .. }
        | Kind::LogicalIp { .. }
        | Kind::DiskGroup { .. }
        | Kind::Volume(_)
        | Kind::Command(_)
        | Kind::Ocf(_) => Vec::new(),
    }
}

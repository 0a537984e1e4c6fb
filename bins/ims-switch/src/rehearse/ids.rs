//! Users and groups by name and number: the files of a volume name them by number alone, so both nodes must give the same
//! number to the same name.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ims::Fail;
use ims::sys::user::{self, Base};
use serde::{Deserialize, Serialize};

/// How many files are looked at for their owners: those at the top, which servers check, come first.
const FILES: usize = 2000;

/// A user or group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Id {
    /// Whether it is a group.
    pub is_group: bool,
    /// Its number.
    pub number: u32,
    /// Its name; none where the node has none for the number.
    pub name: Option<String>,
}

impl Id {
    const fn base(&self) -> Base {
        if self.is_group { Base::Groups } else { Base::Users }
    }

    /// What it is called.
    pub fn word(&self) -> String {
        let kind = if self.is_group { "group" } else { "user" };
        match &self.name {
            Some(name) => format!("{kind} {name} ({})", self.number),
            None => format!("{kind} {}", self.number),
        }
    }

    /// What is different here, if anything is.
    pub fn difference(&self) -> Result<Option<String>, Fail> {
        let here = user::entry(self.base(), &self.number.to_string())?;
        let Some(name) = &self.name else {
            return Ok(here.map(|(name, _)| format!("here {} is {name}", self.number)));
        };
        Ok(match (user::entry(self.base(), name)?, here) {
            (Some((_, number)), _) if number != self.number => Some(format!("here {name} is {number}")),
            (None, _) => Some(format!("there is no {name} here")),
            (Some(_), Some((other, _))) if other != *name => Some(format!("here {} is {other}", self.number)),
            (Some(_), _) => None,
        })
    }
}

/// Those that own files below these folders, level by level.
pub fn owners(folders: &[PathBuf]) -> Result<Vec<Id>, Fail> {
    let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let (mut next, mut count) = (folders.to_vec(), 0);
    while !next.is_empty() && count < FILES {
        let mut below = Vec::new();
        for path in &next {
            let Ok(meta) = fs_err::symlink_metadata(path) else { continue };
            users.insert(meta.uid());
            groups.insert(meta.gid());
            count += 1;
            if meta.is_dir() && count < FILES {
                below.extend(children(path).take(FILES - count));
            }
        }
        next = below;
    }
    let id = |is_group, number: u32| {
        let id = Id { is_group, number, name: None };
        let name = user::entry(id.base(), &number.to_string())?.map(|(name, _)| name);
        Ok(Id { name, ..id })
    };
    users.into_iter().map(|uid| id(false, uid)).chain(groups.into_iter().map(|gid| id(true, gid))).collect()
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs_err::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_another_number_here_is_told() {
        let id =
            |name: Option<&str>, number| Id { is_group: false, number, name: name.map(ToOwned::to_owned) };
        for (id, told) in [
            (id(Some("root"), 0), None),
            (id(Some("root"), 3), Some("here root is 0")),
            (id(Some("nobody-of-that-name"), 4_000_000_000), Some("there is no nobody-of-that-name here")),
            (id(None, 0), Some("here 0 is root")),
            (id(None, 4_000_000_000), None),
        ] {
            assert_eq!(id.difference().unwrap().as_deref(), told, "{}", id.word());
        }
    }

    #[test]
    fn owners_are_those_of_files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("a")).unwrap();
        ims::sys::file::replace(&folder.path().join("a/file"), b"").unwrap();
        let meta = fs_err::metadata(folder.path()).unwrap();
        let found = owners(&[folder.path().to_owned()]).unwrap();
        let numbers: Vec<(bool, u32)> = found.iter().map(|id| (id.is_group, id.number)).collect();
        assert_eq!(numbers, [(false, meta.uid()), (true, meta.gid())]);
    }
}

//! Whether a server root is on this node: a shared volume that another node masters is not seen here, and that is
//! neither yes nor no.

use std::path::{Path, PathBuf};

use ims::group::{Group, Kind};
use ims::name::GroupName;
use ims::sys::mount::Table;
use ims::{Fail, Host};

use super::record::what_and_mend;

/// Where a server root is.
pub enum Whereabouts {
    /// Here.
    Here,
    /// Not here now; it may be on another node.
    Elsewhere {
        /// What was found.
        what: String,
        /// The way out.
        mend: String,
    },
    /// Certainly not where the entry says.
    Nowhere {
        /// What was found.
        what: String,
        /// The way out.
        mend: String,
    },
}

/// Where a server root is. The groups' files tell which volume it is on, when they do.
pub fn of(host: &Host, root: &Path) -> Whereabouts {
    let shown = root.display();
    let mend = "run ims-registry check on the node that has it mounted".to_owned();
    let volume = match volume(host, root) {
        Ok(volume) => volume,
        Err(fail) => {
            let what = format!("cannot tell whether the volume of {shown} is mounted: {fail}");
            return Whereabouts::Elsewhere { what, mend: "correct that, and run it again".to_owned() };
        }
    };
    if let Some(volume) = volume.as_ref().filter(|volume| !volume.is_mounted) {
        let (mount, group) = (volume.mount.display(), &volume.group);
        let what = format!("{shown} is on the volume {mount} of {group}, which is not mounted here");
        return Whereabouts::Elsewhere { what, mend };
    }
    let path = host.path(root);
    let link = fs_err::read_link(&path).ok();
    match fs_err::read_dir(&path).map(|mut entries| entries.next().is_none()) {
        Ok(false) => Whereabouts::Here,
        Ok(true) if volume.is_none() => {
            let what = format!("{shown} is empty; another node may have its volume mounted there");
            Whereabouts::Elsewhere { what, mend }
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
            let mend = "put the right root into the entry: ims-registry add NAME --server-root".to_owned();
            Whereabouts::Nowhere { what: format!("{shown} is no folder"), mend }
        }
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            let fail = Fail::io(ims::Exit::Unknown, format!("cannot look at {shown}"), &e);
            let (what, mend) = what_and_mend(&fail, "correct that, and run it again");
            Whereabouts::Elsewhere { what, mend }
        }
        Ok(true) | Err(_) => match (volume, link) {
            (Some(volume), _) => {
                let mount = volume.mount.display();
                let what = format!("the volume {mount} is mounted here, and {shown} is not on it");
                let mend =
                    "put the right root into the entry: ims-registry add NAME --server-root".to_owned();
                Whereabouts::Nowhere { what, mend }
            }
            (None, Some(to)) => {
                let to = to.display();
                let what = format!(
                    "{shown} is a symbolic link to {to}, which is not here; another node may have it"
                );
                Whereabouts::Elsewhere { what, mend }
            }
            (None, None) => {
                let what = format!("{shown} is not here; another node may master its volume");
                Whereabouts::Elsewhere { what, mend }
            }
        },
    }
}

/// A volume of a group.
struct Volume {
    group: GroupName,
    mount: PathBuf,
    is_mounted: bool,
}

/// The volume of a group that a path is on, the innermost when there are several.
fn volume(host: &Host, path: &Path) -> Result<Option<Volume>, Fail> {
    let mut found: Option<(GroupName, PathBuf)> = None;
    for name in Group::names(host)? {
        for resource in Group::load(host, &name)?.resources {
            let Kind::Volume(volume) = resource.kind else { continue };
            let is_inner = found.as_ref().is_none_or(|(_, known)| volume.mount.starts_with(known));
            if path.starts_with(&volume.mount) && is_inner {
                found = Some((name.clone(), volume.mount));
            }
        }
    }
    let Some((group, mount)) = found else { return Ok(None) };
    let is_mounted = Table::load()?.top_at(&host.path(&mount)).is_some();
    Ok(Some(Volume { group, mount, is_mounted }))
}

//! Where a node keeps what was said of a group: a file that the next start of the node forgets, and one that lasts.

use std::path::{Path, PathBuf};

use ims::name::GroupName;
use ims::sys::file;
use ims::{Exit, Fail, Host};

use super::{Kept, Marks};

/// Where that stands which holds until the node restarts, one file `<GROUP>.json` each.
pub const UNTIL_RESTART: &str = "/run/ims/marks";
/// Where that stands which lasts, one file `<GROUP>.json` each.
pub const LASTING: &str = "/var/lib/ims/marks";

fn path(host: &Host, folder: &str, group: &GroupName) -> PathBuf {
    host.path(folder).join(format!("{group}.json"))
}

/// What this node keeps of a group. What cannot be read is unknown, never nothing.
pub fn load(host: &Host, group: &GroupName) -> Result<Kept, Fail> {
    Ok(Kept {
        until_restart: read(&path(host, UNTIL_RESTART, group))?,
        lasting: read(&path(host, LASTING, group))?,
    })
}

fn read(path: &Path) -> Result<Marks, Fail> {
    let Some(text) = file::read_text(path)? else { return Ok(Marks::default()) };
    serde_json::from_str(&text).map_err(|e| {
        Fail::unknown(format!("{} is not valid", path.display()))
            .because(e)
            .hint("remove it; what the other nodes keep is put there by the next run")
    })
}

/// Keeps it on this node; a file that says the same is not written.
pub fn keep(host: &Host, group: &GroupName, kept: &Kept) -> Result<bool, Fail> {
    let lasting = write(&path(host, LASTING, group), &kept.lasting)?;
    Ok(write(&path(host, UNTIL_RESTART, group), &kept.until_restart)? || lasting)
}

/// Forgets all that was said of a group, which is no more.
pub fn forget(host: &Host, group: &GroupName) -> Result<(), Fail> {
    for path in [UNTIL_RESTART, LASTING].map(|folder| path(host, folder, group)) {
        if file::is_there(&path)? {
            file::remove(&path)?;
        }
    }
    Ok(())
}

fn write(path: &Path, marks: &Marks) -> Result<bool, Fail> {
    // One that cannot be read is written anew.
    if read(path).is_ok_and(|now| now == *marks) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)
            .map_err(|e| Fail::io(Exit::Failed, format!("cannot make {}", folder.display()), &e))?;
    }
    let text = serde_json::to_string(marks).map_err(|e| Fail::failed("cannot keep it").because(e))?;
    file::replace(path, format!("{text}\n").as_bytes())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_back_and_what_cannot_be_read_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::below(folder.path());
        let group: GroupName = "IMS-RG".parse().unwrap();
        assert_eq!(load(&host, &group).unwrap(), Kept::default());
        let kept = Kept {
            lasting: Marks { said: [("mail-1".parse().unwrap(), 7)].into(), ..Marks::default() },
            ..Kept::default()
        };
        assert!(keep(&host, &group, &kept).unwrap());
        assert!(!keep(&host, &group, &kept).unwrap());
        assert_eq!(load(&host, &group).unwrap(), kept);
        file::replace(&path(&host, LASTING, &group), b"{\n").unwrap();
        assert_eq!(load(&host, &group).unwrap_err().exit(), Exit::Unknown);
    }
}

//! Whether a server runs that keeps its things below a folder. A pid file alone proves nothing: it may have been
//! left on a shared volume by another node.

use std::fs; // plain: the kernel's own error number is asked for
use std::path::Path;

use crate::{Exit, Fail};

/// A process that serves: it has a socket, and works with files below the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its pid.
    pub pid: i32,
    /// Its name, as `ps` shows it.
    pub name: String,
}

/// A process of this node with a socket whose command line or open files lead below the folder; `None` when there
/// is certainly none.
///
/// When a process cannot be looked at that may be it (its name has `like` in it, or its command line leads below
/// the folder), the answer is a failure with status 3.
pub fn running_below(folder: &Path, like: &str) -> Result<Option<Server>, Fail> {
    let cannot = |e: &std::io::Error| {
        Fail::io(Exit::Unknown, format!("cannot tell whether a server runs below {}", folder.display()), e)
    };
    let own = std::process::id().to_string();
    for entry in fs::read_dir("/proc").map_err(|e| cannot(&e))? {
        let entry = entry.map_err(|e| cannot(&e))?.file_name().to_string_lossy().into_owned();
        let Ok(pid) = entry.parse::<i32>() else { continue };
        if entry == own {
            continue;
        }
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
        match serves_below(pid, folder, name.contains(like)) {
            Ok(true) => return Ok(Some(Server { pid, name })),
            Ok(false) => {}
            Err(e) if has_ended(&e) => {}
            Err(e) => return Err(cannot(&e).hint(format!("pid {pid}, {name}, may be it"))),
        }
    }
    Ok(None)
}

fn has_ended(error: &std::io::Error) -> bool {
    // ESRCH: it ended between the opening of its folder and the reading.
    error.kind() == std::io::ErrorKind::NotFound || error.raw_os_error() == Some(3)
}

/// Whether a process serves something below the folder; one that cannot be looked at and that nothing speaks for
/// is not it.
fn serves_below(pid: i32, folder: &Path, may_be_it: bool) -> std::io::Result<bool> {
    let words = fs::read(format!("/proc/{pid}/cmdline"))?;
    // In the midst of its exec a process has no words yet, but it has a program, which a kernel thread and one that
    // has ended have not.
    if words.is_empty() && fs::read_link(format!("/proc/{pid}/exe")).is_err_and(|e| has_ended(&e)) {
        return Ok(false);
    }
    let leads_below =
        |word: &[u8]| std::str::from_utf8(word).is_ok_and(|word| Path::new(word).starts_with(folder));
    let named = words.split(|byte| *byte == 0).any(leads_below);
    match open_files(pid, folder) {
        Ok((has_socket, below)) => Ok(has_socket && (below || named)),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied && !named && !may_be_it => Ok(false),
        Err(e) => Err(e),
    }
}

/// Whether a process has a socket, and whether it has a file open below the folder.
fn open_files(pid: i32, folder: &Path) -> std::io::Result<(bool, bool)> {
    let (mut has_socket, mut below) = (false, false);
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let target = match fs::read_link(entry?.path()) {
            Ok(target) => target,
            Err(e) if has_ended(&e) => continue,
            Err(e) => return Err(e),
        };
        has_socket = has_socket || target.to_string_lossy().starts_with("socket:");
        below = below || target.starts_with(folder);
    }
    Ok((has_socket, below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::exec::Line;
    use std::process::Stdio;

    #[test]
    fn a_server_is_known_by_its_socket_and_its_open_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = || Stdio::from(std::fs::File::create(folder.path().join("db")).unwrap());
        let line = Line::new(["sleep", "60"]);
        let mut reader = line.spawn(Stdio::null(), file(), Stdio::null()).unwrap();
        assert_eq!(running_below(folder.path(), "sleep").unwrap(), None, "an open file alone is no server");
        let socket = std::os::fd::OwnedFd::from(std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let mut server = line.spawn(Stdio::from(socket), file(), Stdio::null()).unwrap();
        let pid = i32::try_from(server.id()).unwrap();
        // A process that was started takes its new name a moment later.
        while fs::read(format!("/proc/{pid}/cmdline")).unwrap().is_empty() {
            std::thread::yield_now();
        }
        let found = running_below(folder.path(), "sleep").unwrap();
        for child in [&mut reader, &mut server] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(found, Some(Server { pid, name: "sleep".to_owned() }));
        assert_eq!(running_below(folder.path(), "sleep").unwrap(), None);
    }
}

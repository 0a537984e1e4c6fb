//! Which processes hold a socket, and what tells whom they work for.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use crate::{Exit, Fail, Host};

/// A process that holds a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its pid.
    pub pid: u32,
    /// Its executable, or its name where that cannot be read; never its arguments, which may hold secrets.
    pub command: String,
    /// What may name the folders it works for: words of its command line, its executable, its current folder,
    /// `MAIL_CONFIG`, its control group, its open files.
    pub clues: Vec<String>,
    /// Whether all of that could be read.
    pub is_whole: bool,
}

/// A process with more open files than this is looked at last: a server with a hundred thousand connections takes
/// longer to read than all others together.
const MANY: u64 = 4096;

/// The processes that hold each of these sockets, by pid. A process whose files cannot be read is not found, nor is
/// one with very many files when each socket has a holder among the others.
pub fn owners(host: &Host, inodes: &[u32]) -> Result<BTreeMap<u32, Vec<Owner>>, Fail> {
    let mut owners: BTreeMap<u32, Vec<Owner>> = BTreeMap::new();
    if inodes.is_empty() {
        return Ok(owners);
    }
    let cannot = |e: &io::Error| Fail::io(Exit::Unknown, "cannot list the processes", e);
    let mut pids: Vec<u32> = Vec::new();
    for entry in fs::read_dir(host.path("/proc")).map_err(|e| cannot(&e))? {
        let name = entry.map_err(|e| cannot(&e))?.file_name();
        pids.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    pids.sort_unstable();
    // From Linux 6.2 on the folder's size is the number of files; 0 says nothing.
    let has_many =
        |pid: &u32| fs::metadata(host.path(format!("/proc/{pid}/fd"))).is_ok_and(|m| m.len() > MANY);
    let (last, first): (Vec<u32>, Vec<u32>) = pids.into_iter().partition(has_many);
    let count = first.len();
    for (index, pid) in first.into_iter().chain(last).enumerate() {
        if index >= count && inodes.iter().all(|inode| owners.contains_key(inode)) {
            break;
        }
        let folder = host.path(format!("/proc/{pid}"));
        // Not ours to read, or ended meanwhile: then its sockets have no owner that we could name.
        let Ok(files) = open_files(&folder) else { continue };
        let held: HashSet<u32> = files.iter().filter_map(|file| socket(file)).collect();
        for inode in inodes.iter().filter(|inode| held.contains(inode)) {
            owners.entry(*inode).or_default().push(owner(pid, &folder, &files));
        }
    }
    Ok(owners)
}

fn open_files(process: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(process.join("fd"))? {
        match fs::read_link(entry?.path()) {
            Ok(target) => files.push(target.to_string_lossy().into_owned()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {} // closed meanwhile
            Err(e) => return Err(e),
        }
    }
    Ok(files)
}

/// The inode that stands in `socket:[12345]`.
fn socket(file: &str) -> Option<u32> {
    file.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn owner(pid: u32, process: &Path, files: &[String]) -> Owner {
    let mut clues: Vec<String> = Vec::new();
    let mut is_whole = true;
    let mut keep = |found: io::Result<Vec<String>>| match found {
        Ok(words) => clues.extend(words),
        Err(_) => is_whole = false,
    };
    let link = |name: &str| {
        fs::read_link(process.join(name)).map(|target| vec![target.to_string_lossy().into_owned()])
    };
    let words = |name: &str| {
        let bytes = fs::read(process.join(name))?;
        let words = bytes.split(|byte| *byte == 0 || *byte == b'\n').filter(|word| !word.is_empty());
        Ok(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<String>>())
    };
    let executable = link("exe");
    let name = || words("comm").ok().and_then(|names| names.into_iter().next());
    let command = executable.as_ref().ok().and_then(|path| path.first().cloned()).or_else(name);
    keep(executable);
    keep(link("cwd"));
    keep(words("cmdline"));
    keep(words("cgroup"));
    // Postfix's master is told its folder by this variable alone when `postfix start` starts it.
    keep(
        words("environ").map(|all| all.into_iter().filter(|word| word.starts_with("MAIL_CONFIG=")).collect()),
    );
    clues.extend(files.iter().filter(|file| file.starts_with('/')).cloned());
    Owner { pid, command: command.unwrap_or_else(|| format!("pid {pid}")), clues, is_whole }
}

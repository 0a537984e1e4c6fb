//! A host whose files stand in a folder, with another folder outside it that nobody may touch.

use std::collections::BTreeMap;
use std::io::{Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::rows::{Row, THIS_NODE};
use crate::support::{programs, script};

/// The host and what is outside, and what its command lines read on stdin.
pub struct Lab(TempDir, &'static str);

/// What a file is: its kind and mode, its owner and group, its bytes or where it leads.
pub type File = (u32, (u32, u32), Vec<u8>);

/// Every file and folder below a folder.
pub type Tree = BTreeMap<PathBuf, File>;

impl Lab {
    /// A host laid out for a row.
    pub fn of(row: &Row) -> Self {
        // In RAM where there is such a folder: what is tested makes each change reach the disk.
        let ram = Path::new("/dev/shm");
        let lab = Self(if ram.is_dir() { TempDir::new_in(ram) } else { TempDir::new() }.unwrap(), row.stdin);
        for folder in ["host/etc", "host/usr/bin", "host/usr/sbin", "host/var", "outside"] {
            fs_err::create_dir_all(lab.0.path().join(folder)).unwrap();
        }
        fs_err::set_permissions(lab.0.path(), PermissionsExt::from_mode(0o755)).unwrap();
        for program in ["/usr/sbin/postconf", "/usr/bin/doveconf"] {
            symlink(program, lab.path(program)).unwrap();
        }
        (row.lay)(&lab);
        lab
    }

    /// Where the host's `/` is.
    pub fn host(&self) -> PathBuf {
        self.0.path().join("host")
    }

    /// Where a path of the host is.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.host().join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The folder that is not the host's.
    pub fn outside(&self) -> PathBuf {
        self.0.path().join("outside")
    }

    /// Writes a file of the host.
    pub fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs_err::write(self.path(path), text).unwrap();
    }

    /// Writes a program of the host.
    pub fn script(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        script::write(&self.path(path), text).unwrap();
    }

    /// A command line of one of ours, for this host.
    pub fn command(&self, words: &[&str]) -> Command {
        let (program, args) = words.split_first().unwrap();
        let mut command = Command::new(programs().join(program));
        let mut stdin = tempfile::tempfile().unwrap();
        stdin.write_all(self.1.as_bytes()).and_then(|()| stdin.rewind()).unwrap();
        let this_node = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let args = args.iter().map(|word| if *word == THIS_NODE { this_node.as_str() } else { *word });
        command.args(args).arg("--root").arg(self.host()).stdin(Stdio::from(stdin));
        command
    }

    /// Runs a command line that must succeed.
    #[track_caller]
    pub fn run(&self, words: &[&str], why: &str) {
        let output = self.command(words).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{why}: {words:?}: {}: {told}", output.status);
    }

    /// The host's files; locks and checkers' folders, which end with the node, are not among them.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        walk(&self.host(), Path::new("/"), &mut tree);
        tree.retain(|path, _| !path.starts_with("/run"));
        tree
    }

    /// The files that are not the host's.
    pub fn others(&self) -> Tree {
        let mut tree = Tree::new();
        walk(&self.outside(), Path::new("/"), &mut tree);
        tree
    }
}

/// Everything in a folder, under the name that it has below `at`.
fn walk(folder: &Path, at: &Path, tree: &mut Tree) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = at.join(path.file_name().unwrap());
        let meta = fs_err::symlink_metadata(&path).unwrap();
        let bytes = if meta.is_file() {
            fs_err::read(&path).unwrap()
        } else if meta.is_symlink() {
            fs_err::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        tree.insert(name.clone(), (meta.mode(), (meta.uid(), meta.gid()), bytes));
        if meta.is_dir() {
            walk(&path, &name, tree);
        }
    }
}

/// Whether a file is what a killed run of ours leaves beside another, for the next run to take away.
pub fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.starts_with('.') && name.rsplit_once(".ims-").is_some_and(|(_, pid)| number(pid))
}

/// Whether it is what the message store's own tool leaves when it is killed.
fn is_of_configutil(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.strip_prefix("msg.conf.").is_some_and(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Says of two trees where they differ first; the tool's own remains are not ours.
#[track_caller]
pub fn same(found: &Tree, wanted: &Tree, why: &str) {
    for path in found.keys().chain(wanted.keys()).filter(|path| !is_of_configutil(path)) {
        let (found, wanted) = (found.get(path), wanted.get(path));
        assert!(found == wanted, "{why}: {} is {}, not {}", path.display(), told(found), told(wanted));
    }
}

/// The same without what the next run takes away.
pub fn same_but_left_over(found: &Tree, wanted: &Tree, why: &str) {
    let mut found = found.clone();
    found.retain(|path, _| !is_left_over(path));
    same(&found, wanted, why);
}

/// Every file is as it was before or as it is when all is done, and what is neither is a mark of ours.
#[track_caller]
pub fn old_or_new(now: &Tree, before: &Tree, after: &Tree, why: &str) {
    for path in now.keys().chain(before.keys()).chain(after.keys()) {
        let (found, old, new) = (now.get(path), before.get(path), after.get(path));
        let is_mark = path.ends_with("ims-ipbind.pending") || is_left_over(path) || is_of_configutil(path);
        let (old_told, new_told) = (told(old), told(new));
        assert!(
            found == old || found == new || is_mark,
            "{why}: {} is {}, neither {old_told} nor {new_told}",
            path.display(),
            told(found)
        );
    }
}

fn told(file: Option<&File>) -> String {
    file.map_or_else(
        || "not there".to_owned(),
        |(mode, owner, bytes)| format!("{mode:o} {owner:?} {:?}", String::from_utf8_lossy(bytes)),
    )
}

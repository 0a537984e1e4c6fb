//! `ims-ipbind set`, `show` and `restore` on real configuration files.

mod ask;
mod assigned;
mod chosen;
mod directory;
mod drift;
mod encoding;
mod harm;
mod killed;
mod messaging6;
mod postfix_dovecot;
mod seed;
mod servers;
mod undone;
mod unknown;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use self::seed::ROOT;
use crate::support::mail::ServerRoot;
use crate::support::script;

/// A host whose files stand in a folder of the test.
struct Files(TempDir);

impl Files {
    /// A host with a server root.
    fn with(root: &ServerRoot) -> Self {
        let files = Self(TempDir::new().unwrap());
        // The folder is entered by others than root in some tests; what is in it is what an installer leaves.
        fs_err::set_permissions(files.0.path(), PermissionsExt::from_mode(0o755)).unwrap();
        fs_err::create_dir_all(files.path("/etc")).unwrap();
        root.lay(files.0.path()).unwrap();
        files
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.path().join(path.strip_prefix("/").unwrap_or(path))
    }

    fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs_err::write(self.path(path), text).unwrap();
    }

    fn script(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        script::write(&self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.path(path)).unwrap()
    }

    /// Changes a file as an operator would.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let old = self.read(path);
        assert!(old.contains(from), "{path} has no {from:?}");
        self.write(path, &old.replacen(from, to, 1));
    }

    fn is_there(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("ims-ipbind"));
        command.args(args).arg("--root").arg(self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a copy of it, which stands where everybody can enter, as a user who owns nothing.
    fn run_as_nobody(&self, args: &[&str]) -> Output {
        let copy = self.path("/ims-ipbind");
        if !copy.exists() {
            fs_err::copy(cargo_bin!("ims-ipbind"), &copy).unwrap();
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
        command.args(args).arg("--root").arg(self.0.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs it and looks at the exit status.
    #[track_caller]
    fn answers(&self, status: i32, args: &[&str]) -> Output {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}{}", stdout(&output), stderr(&output));
        output
    }

    /// Every file below a folder with what a change would change: bytes, owner, mode, inode and times.
    fn snapshot(&self, below: &str) -> BTreeMap<PathBuf, Snap> {
        let mut found = BTreeMap::new();
        walk(&self.path(below), &mut found);
        found
    }

    /// The same without inode and times, for what may be another file with the same content.
    fn content(&self, below: &str) -> BTreeMap<PathBuf, (Vec<u8>, u32, u32)> {
        let of = |(path, snap): (PathBuf, Snap)| (path, (snap.bytes, snap.mode, snap.owner));
        self.snapshot(below).into_iter().map(of).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Snap {
    bytes: Vec<u8>,
    mode: u32,
    owner: u32,
    inode: u64,
    changed: (i64, i64),
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Snap>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs_err::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            walk(&path, found);
            continue;
        }
        let bytes = if meta.is_file() { fs_err::read(&path).unwrap() } else { Vec::new() };
        let changed = (meta.mtime(), meta.mtime_nsec());
        found.insert(path, Snap { bytes, mode: meta.mode(), owner: meta.uid(), inode: meta.ino(), changed });
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn records(output: &Output) -> Vec<serde_json::Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The file of each change, and whether it was one.
fn changes(output: &Output) -> Vec<(String, bool)> {
    let of = |record: serde_json::Value| {
        assert_eq!(record["schema"], "ims.change/1", "{record}");
        (record["file"].as_str().unwrap().to_owned(), record["changed"].as_bool().unwrap())
    };
    records(output).into_iter().map(of).collect()
}

/// One line on stderr, the failed run's record as the last on stdout, and every byte below the root as before.
#[track_caller]
fn refused(files: &Files, status: i32, args: &[&str], says: &str) {
    let before = files.content(ROOT);
    let output = files.answers(status, args);
    let told = stderr(&output);
    assert!(told.lines().count() == 1 && told.contains(says), "{told}");
    let record = records(&output).pop().unwrap();
    assert_eq!((&record["schema"], &record["exit"]), (&"ims.fail/1".into(), &status.into()));
    assert!(files.content(ROOT) == before, "something was changed");
}

//! Whole server roots: what `set` changes, `restore` gives back to the last byte, whatever the files hold.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tempfile::TempDir;

use super::{Mishap, after, collected, mishap};
use crate::support::mail::{Directory, Flavour, Mail, ServerRoot};
use crate::support::programs;

const ROOT: &str = "/global/ims/server5";
const IPLANET: [(&str, &str); 3] = [
    ("option-file", "msg-stork/imta/config/dispatcher.cnf"),
    ("option-file", "msg-stork/imta/config/job_controller.cnf"),
    ("slapd-conf", "slapd-mail/config/slapd.conf"),
];
const POSTFIX: [(&str, &str); 4] = [
    ("main-cf", "msg-stork/postfix/main.cf"),
    ("master-cf", "msg-stork/postfix/master.cf"),
    ("dovecot-conf", "msg-stork/dovecot/dovecot.conf"),
    ("shell-assignments", "slapd-mail/default"),
];

/// Every file with its bytes, and the number and times of the file itself.
type Tree = BTreeMap<PathBuf, (Vec<u8>, u32, u64, i64, i64)>;

fn tree(folder: &Path, found: &mut Tree) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs_err::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            tree(&path, found);
        } else if !path.ends_with("msg.conf") {
            let bytes = fs_err::read(&path).unwrap();
            found.insert(path, (bytes, meta.mode(), meta.ino(), meta.mtime(), meta.mtime_nsec()));
        }
    }
}

fn ipbind(host: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(programs().join("ims-ipbind"));
    command
        .args(words)
        .args(["--server-root", ROOT, "--ldap", "mail", "--force-slapd-running", "--root"])
        .arg(host);
    command.stdin(Stdio::null()).output().unwrap()
}

/// A server root whose files are these, and what `set` and then `restore` make of it; says whether `set` took it.
fn comes_back(laid: &ServerRoot, files: &[(&str, Vec<u8>)]) -> Result<bool, TestCaseError> {
    let ram = Path::new("/dev/shm");
    let host = if ram.is_dir() { TempDir::new_in(ram) } else { TempDir::new() }.unwrap();
    fs_err::create_dir(host.path().join("etc")).unwrap();
    laid.lay(host.path()).unwrap();
    let root = host.path().join(ROOT.trim_start_matches('/'));
    for (path, bytes) in files {
        fs_err::write(root.join(path), bytes).unwrap();
    }
    let whole = || {
        let mut found = Tree::new();
        tree(&root, &mut found);
        found
    };
    let store = root.join("msg-stork/config/msg.conf");
    let (before, parameters) = (whole(), fs_err::read(&store).unwrap_or_default());
    let set = ipbind(host.path(), &["set", "stork", "--address", "192.0.2.10"]);
    let told = String::from_utf8_lossy(&set.stderr).into_owned();
    let status = set.status.code();
    prop_assert!(matches!(status, Some(0 | 2 | 4)), "set: {status:?}: {told}");
    if status != Some(0) {
        prop_assert!(whole() == before, "a set that was not made changed something: {told}");
        return Ok(false);
    }
    let bound = whole();
    let again = ipbind(host.path(), &["set", "stork", "--address", "192.0.2.10"]);
    prop_assert!(again.status.success() && whole() == bound, "a second set: {again:?}");
    let restore = ipbind(host.path(), &["restore", "stork"]);
    prop_assert!(restore.status.success(), "restore: {}", String::from_utf8_lossy(&restore.stderr));
    prop_assert!(whole() == before, "restore did not give everything back");
    prop_assert_eq!(fs_err::read(&store).unwrap_or_default(), parameters);
    Ok(true)
}

fn all_come_back(laid: &ServerRoot, roles: &[(&'static str, &'static str)]) {
    let collections: Vec<_> = roles.iter().map(|(grammar, path)| (*path, collected(grammar))).collect();
    let whose = prop::collection::vec((any::<Index>(), prop::collection::vec(mishap(), 0..3)), roles.len());
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let taken = std::cell::Cell::new(0);
    let ran = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)).run(
        &whose,
        |whose: Vec<(Index, Vec<Mishap>)>| {
            let files: Vec<_> = collections
                .iter()
                .zip(&whose)
                .map(|((path, files), (at, mishaps))| {
                    (*path, mishaps.iter().fold(files[at.index(files.len())].1.clone(), after))
                })
                .collect();
            taken.set(taken.get() + u32::from(comes_back(laid, &files)?));
            Ok(())
        },
    );
    ran.unwrap_or_else(|e| panic!("{e}"));
    assert!(taken.get() >= 6, "only {} roots were taken", taken.get());
}

#[test]
fn an_iplanet_root_comes_back() {
    let root = ServerRoot::new(Flavour::Iplanet5, ROOT);
    all_come_back(&root.mail(Mail::new("stork", "ldap://x/")).directory(Directory::new("mail")), &IPLANET);
}

#[test]
fn a_postfix_dovecot_root_comes_back() {
    let root = ServerRoot::postfix_dovecot(ROOT);
    all_come_back(&root.mail(Mail::new("stork", "ldap://x/")).directory(Directory::new("mail")), &POSTFIX);
}

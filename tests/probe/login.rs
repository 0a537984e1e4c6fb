//! The level `login` of real servers.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::real::{STORK, answers, laid, start};
use crate::support::{Bed, Node, needs_root};

/// A file of secrets in a folder of its own.
pub(super) fn secrets(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probe.toml");
    fs_err::write(&path, text).unwrap();
    fs_err::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let name = path.to_str().unwrap().to_owned();
    (folder, name)
}

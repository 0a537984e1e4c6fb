//! The machine a command runs on, and the one seam through which its files and helper programs are found.

use std::path::{Path, PathBuf};

/// This node: its name, and the folder its absolute paths are looked up below.
#[derive(Debug, Clone)]
pub struct Host {
    root: PathBuf,
    name: String,
}

impl Host {
    /// The host whose files stand below `root`, which is `/` outside tests.
    pub fn below(root: &Path) -> Self {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { root: root.to_owned(), name }
    }

    /// The node's name, as `uname -n` gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a path of this host really is.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        if self.root == Path::new("/") {
            return path.to_owned();
        }
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether paths are looked up somewhere else than on this machine itself.
    pub fn is_elsewhere(&self) -> bool {
        self.root != Path::new("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_looked_up_below_the_root() {
        assert_eq!(Host::below(Path::new("/")).path("/etc/x"), Path::new("/etc/x"));
        assert_eq!(Host::below(Path::new("/tmp/h")).path("/etc/x"), Path::new("/tmp/h/etc/x"));
    }
}

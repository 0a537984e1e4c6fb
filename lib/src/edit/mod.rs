//! Changes of an instance's configuration: all of its files and parameters, or none, with the originals kept.
//!
//! What is to be changed is decided elsewhere, by a planner that is pure; here it is looked at, checked by the
//! servers' own programs, carried out and told.

mod check;
pub mod kept;
mod lock;
pub mod look;
mod store;
mod told;
mod transaction;

use std::path::{Path, PathBuf};

use kept::Kept;

use crate::layout::Layout;

pub use lock::locks;
pub use told::tell;
pub use transaction::{Transaction, carry_out_all};

/// What a change is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file.
    File(PathBuf),
    /// A parameter that `configutil` keeps.
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The tool.
        tool: PathBuf,
    },
}

/// One change, or none when old and new are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What it is of.
    pub target: Target,
    /// The content before; `None` for a file that is not there. Of a parameter the line `name = value`.
    pub old: Option<Vec<u8>>,
    /// The content after.
    pub new: Option<Vec<u8>>,
}

impl Edit {
    /// The file, or the tool that keeps the parameter.
    pub fn file(&self) -> &Path {
        match &self.target {
            Target::File(path) => path,
            Target::Parameter { tool, .. } => tool,
        }
    }

    /// Whether there is anything to do.
    pub fn is_change(&self) -> bool {
        self.old != self.new
    }
}

/// How files get their new content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Written, the original kept.
    Set,
    /// Given back from the original.
    Restore,
}

/// Everything one run is to change.
#[derive(Debug)]
pub struct Plan {
    /// How.
    pub way: Way,
    /// The changes in their order.
    pub edits: Vec<Edit>,
    /// What `restore` will need; `None` when nothing is left to restore.
    pub kept: Option<Kept>,
    /// The parameter's value after, as `configutil` takes it.
    pub listenaddr: Option<String>,
    /// What a person should know, for stderr.
    pub notes: Vec<String>,
    /// The layout, which tells which checkers read the new files.
    pub layout: Layout,
}

impl Plan {
    /// The folders of the directory servers whose own configuration is changed, which they write themselves.
    pub fn rewritten_directories(&self) -> impl Iterator<Item = &Path> {
        let is_theirs = |edit: &&Edit| {
            let name = edit.file().file_name().unwrap_or_default();
            let is_own = name == "slapd.conf" || name == "dse.ldif";
            self.layout == Layout::Iplanet5 && edit.is_change() && is_own
        };
        let is_folder = |folder: &&Path| {
            folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("slapd-"))
        };
        self.edits
            .iter()
            .filter(is_theirs)
            .filter_map(move |edit| edit.file().ancestors().skip(1).find(is_folder))
    }
}

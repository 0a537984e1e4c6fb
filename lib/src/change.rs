//! How a change of a file is told: whether there was one, and what it is, as a unified diff.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use crate::Record;

/// A change of one file, made or only shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The file.
    pub file: PathBuf,
    /// Whether its content is, or with `--dry-run` would be, other than before.
    pub changed: bool,
    /// Whether the change was only shown.
    pub dry_run: bool,
    /// The change as a unified diff; empty when there is none.
    pub diff: String,
}

impl Change {
    /// The change from an old to a new content; a file that is not there has none.
    pub fn of(file: &Path, old: Option<&[u8]>, new: Option<&[u8]>, dry_run: bool) -> Self {
        let diff = if old == new { String::new() } else { unified(file, old, new) };
        Self { file: file.to_owned(), changed: old != new, dry_run, diff }
    }
}

fn unified(file: &Path, old: Option<&[u8]>, new: Option<&[u8]>) -> String {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let label = |bytes: Option<&[u8]>| bytes.map_or("/dev/null".to_owned(), |_| file.display().to_string());
    let (before, after) = (text(old), text(new));
    TextDiff::from_lines(&before, &after).unified_diff().header(&label(old), &label(new)).to_string()
}

impl Record for Change {
    const SCHEMA: &'static str = "ims.change/1";

    fn columns() -> &'static [&'static str] {
        &["file", "changed"]
    }

    fn row(&self) -> Vec<String> {
        let word = match (self.changed, self.dry_run) {
            (false, _) => "no",
            (true, true) => "would be",
            (true, false) => "yes",
        };
        vec![self.file.display().to_string(), word.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_as_a_unified_diff() {
        let change = Change::of(Path::new("/etc/x"), Some(b"a\nb\n"), Some(b"a\nc\n"), true);
        assert_eq!(change.diff, "--- /etc/x\n+++ /etc/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        assert!(!Change::of(Path::new("/etc/x"), Some(b"a"), Some(b"a"), false).changed);
    }
}

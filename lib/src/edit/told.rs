//! How a change is told: records, and on a terminal the lines that the original's script printed.

use std::path::Path;

use crate::change::Change;
use crate::conf::secret::masked;
use crate::conf::text;
use crate::output::Format;
use crate::{Fail, Out};

use super::{Edit, Plan, Target};

/// Prints what was changed, or with a dry run what would be.
pub fn tell(plan: &Plan, dry_run: bool, out: &mut Out) -> Result<(), Fail> {
    let is_table = out.format() == Format::Table;
    for edit in &plan.edits {
        let (old, new) = (without_secrets(edit.old.as_deref()), without_secrets(edit.new.as_deref()));
        let mut change = Change::of(edit.file(), old.as_deref(), new.as_deref(), dry_run);
        change.changed = edit.is_change();
        if !is_table {
            out.record(&change)?;
        } else if dry_run {
            out.text(change.diff.trim_end())?;
        } else if change.changed {
            out.text(&match &edit.target {
                Target::File(path) => format!("Updating the file {}", path.display()),
                Target::Parameter { name, .. } => format!("Setting the {name} configutil parameter"),
            })?;
        }
    }
    if is_table && !dry_run {
        let is_changed = plan.edits.iter().any(Edit::is_change);
        out.text(if is_changed { "Configuration successfully changed" } else { "Nothing to change" })?;
    }
    Ok(())
}

/// A diff shows the lines round a change, and a secret may be among them.
fn without_secrets(bytes: Option<&[u8]>) -> Option<Vec<u8>> {
    let shown =
        |bytes| text::decoded(bytes, Path::new("")).unwrap_or_else(|_| String::from_utf8_lossy(bytes));
    bytes.map(|bytes| masked(&shown(bytes)).into_bytes())
}

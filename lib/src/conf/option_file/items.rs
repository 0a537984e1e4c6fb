//! What each logical line of an option file is.

use std::path::Path;

use crate::Fail;
use crate::conf::lines::Lines;
use crate::conf::{Value, bad, shown};

/// A logical line and the rows it stands on, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Section {
        kind: String,
        name: String,
        row: usize,
    },
    Option {
        key: String,
        value: String,
        rows: Vec<usize>,
    },
    Comment {
        row: usize,
    },
    /// `<file`: another file is read here; what it says is not looked at.
    Include {
        row: usize,
    },
}

/// Reads the lines of a file, which is named in errors.
pub(super) fn of(lines: &Lines, file: &Path) -> Result<Vec<Item>, Fail> {
    let mut items = Vec::new();
    let mut row = 0;
    while row < lines.len() {
        let first = row;
        row += 1;
        let line = lines.get(first);
        let body = line.trim();
        if body.is_empty() {
            continue;
        }
        if is_comment(line) {
            items.push(Item::Comment { row: first });
            continue;
        }
        if body.starts_with('<') {
            items.push(Item::Include { row: first });
            continue;
        }
        if body.starts_with('[') {
            let (kind, name) = heading(body).ok_or_else(|| {
                bad(file, first + 1, format!("not a section [kind=name]: '{}'", shown(body)))
            })?;
            items.push(Item::Section { kind, name, row: first });
            continue;
        }
        let mut rows = vec![first];
        let mut whole = line.trim_end().to_owned();
        while let Some(head) = whole.strip_suffix('\\') {
            whole = head.to_owned();
            while row < lines.len() && is_comment(lines.get(row)) {
                items.push(Item::Comment { row });
                row += 1;
            }
            if row >= lines.len() {
                return Err(bad(file, first + 1, "a continued line has no next one"));
            }
            rows.push(row);
            whole.push_str(lines.get(row).trim_end());
            row += 1;
        }
        let (key, value) = whole.split_once('=').ok_or_else(|| {
            bad(file, first + 1, format!("neither option=value nor a comment: '{}'", shown(&whole)))
        })?;
        items.push(Item::Option { key: key.trim().to_owned(), value: value.trim().to_owned(), rows });
    }
    Ok(items)
}

impl Item {
    /// The value of an option, when it is the one that is wanted.
    pub(super) fn option(&self, wanted: &str) -> Option<Value> {
        match self {
            Self::Option { key, value, rows } if key.eq_ignore_ascii_case(wanted) => {
                Some(Value { text: value.clone(), line: rows.first().map_or(0, |row| row + 1) })
            }
            Self::Option { .. } | Self::Section { .. } | Self::Comment { .. } | Self::Include { .. } => None,
        }
    }
}

pub(super) fn is_comment(line: &str) -> bool {
    line.starts_with(['!', '#', ';'])
}

/// The kind and the name in `[kind=name]`.
pub(super) fn heading(body: &str) -> Option<(String, String)> {
    let (kind, name) = body.strip_prefix('[')?.strip_suffix(']')?.split_once('=')?;
    Some((kind.trim().to_owned(), name.trim().to_owned()))
}

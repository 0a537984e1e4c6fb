//! `dovecot.conf`: `key = value`, nested blocks `name title { … }`, `!include`; the last of several counts. Each
//! brace ends a line, as Dovecot 2.3 wants it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use super::lines::Lines;
use super::{bad, shown};
use crate::Fail;

/// A `dovecot.conf`, or a file that one includes, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DovecotConf {
    lines: Lines,
    items: Vec<Item>,
}

/// A block that a setting stands in: `service imap-login` has the kind `service`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Block {
    /// The first word.
    pub kind: String,
    /// The word behind it, empty when there is none.
    pub title: String,
}

/// What one logical line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `key = value` within the blocks, outermost first.
    Setting {
        /// The blocks round it.
        within: Vec<Block>,
        /// The key.
        key: String,
        /// The value, its quotes taken off.
        value: String,
        /// Whether it stood in quotes, within which `$key` is itself.
        is_quoted: bool,
        /// The line it begins on, counted from 1.
        line: usize,
    },
    /// A block begins.
    Open {
        /// The blocks round it and itself.
        within: Vec<Block>,
        /// Its line, counted from 1.
        line: usize,
    },
    /// A block ends.
    Close {
        /// The blocks round it and itself.
        within: Vec<Block>,
        /// Its line, counted from 1.
        line: usize,
    },
    /// Other files are read here.
    Include {
        /// A path or a pattern, relative to the file's folder.
        pattern: String,
        /// Whether it may be absent, `!include_try`.
        optional: bool,
        /// Its line, counted from 1.
        line: usize,
    },
}

impl Item {
    /// The line it begins on, counted from 1.
    pub const fn line(&self) -> usize {
        match self {
            Self::Setting { line, .. }
            | Self::Open { line, .. }
            | Self::Close { line, .. }
            | Self::Include { line, .. } => *line,
        }
    }
}

impl DovecotConf {
    /// Reads a file; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let mut items = Vec::new();
        let mut within: Vec<(Block, usize)> = Vec::new();
        let blocks = |within: &[(Block, usize)]| within.iter().map(|(block, _)| block.clone()).collect();
        for (row, rows) in logical(&lines) {
            let line = row + 1;
            let end = rows.last().map(|last| without_comment(lines.get(*last)).trim());
            if end.is_some_and(|end| end.ends_with('\\')) {
                return Err(bad(file, line, "a continued line has no next one"));
            }
            let whole = joined(&lines, &rows);
            let body = whole.trim();
            // The first word decides, so that a value may end with a brace.
            let (key, behind) = body.split_at(body.find([' ', '\t', '=']).unwrap_or(body.len()));
            if let "!include" | "!include_try" = key {
                let pattern = unquoted(behind.trim());
                items.push(Item::Include { pattern, optional: key == "!include_try", line });
            } else if let Some(value) = behind.trim_start().strip_prefix('=') {
                let value = value.trim();
                items.push(Item::Setting {
                    within: blocks(&within),
                    key: key.to_owned(),
                    value: unquoted(value),
                    is_quoted: inner(value).is_some(),
                    line,
                });
            } else if body == "}" {
                let closed = blocks(&within);
                within.pop().ok_or_else(|| bad(file, line, "a '}' without its '{'"))?;
                items.push(Item::Close { within: closed, line });
            } else if let Some(words) = body.strip_suffix('{') {
                let mut words = words.split_whitespace();
                let kind = words.next().unwrap_or_default().to_owned();
                let title = unquoted(&words.collect::<Vec<_>>().join(" "));
                within.push((Block { kind, title }, line));
                items.push(Item::Open { within: blocks(&within), line });
            } else {
                return Err(bad(file, line, format!("neither 'key = value' nor a block: '{}'", shown(body))));
            }
        }
        match within.last() {
            Some((block, line)) => Err(bad(file, *line, format!("the block '{}' is not closed", block.kind))),
            None => Ok(Self { lines, items }),
        }
    }

    /// What the file says, in its order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Gives the setting that begins on a line another value.
    pub fn set_at(&mut self, line: usize, value: &str) {
        let row = line.saturating_sub(1);
        let Some((_, rows)) = logical(&self.lines).into_iter().find(|(first, _)| *first == row) else {
            return;
        };
        let key = self.items.iter().find_map(|item| match item {
            Item::Setting { key, line: at, .. } if *at == line => Some(key.clone()),
            Item::Setting { .. } | Item::Open { .. } | Item::Close { .. } | Item::Include { .. } => None,
        });
        let Some(key) = key else { return };
        let bare = format!("{key} "); // of a name that is itself continued nothing is kept
        let old = self.lines.get(row);
        let whole = old.split_once('=').filter(|(name, _)| name.trim() == key);
        let (name, rest) = whole.unwrap_or((&bare, ""));
        let start = rest.len() - rest.trim_start().len();
        let blank = if rest.trim().is_empty() { " " } else { rest.get(..start).unwrap_or_default() };
        // A quote may begin before the `=`.
        let body = without_comment(old).get(old.len() - rest.len()..).unwrap_or_default();
        let is_quoted = name.contains(['"', '\'']); // no name of Dovecot's; what is behind may be within it
        let tail = if rows.len() == 1 && !body.trim().is_empty() && !is_quoted {
            rest.get(body.trim_end().len()..).unwrap_or_default()
        } else {
            ""
        };
        let new = format!("{name}={blank}{value}{tail}");
        self.lines.replace(row, &new);
        for more in rows.into_iter().skip(1).rev() {
            self.lines.remove(more);
        }
        self.again();
    }

    /// Puts a top-level setting behind its last commented placeholder when nothing that could say otherwise comes
    /// after it, else at the end.
    pub fn add(&mut self, key: &str, value: &str) {
        let is_placeholder = |line: &str| {
            let body = line.strip_prefix('#').map(str::trim_start);
            body.and_then(|body| body.split_once('=')).is_some_and(|(name, _)| name.trim() == key)
        };
        let placeholder =
            self.lines.iter().filter(|(_, line)| is_placeholder(line)).map(|(row, _)| row).last();
        let free = placeholder.filter(|row| {
            !self.items.iter().any(|item| match item {
                Item::Include { line, .. } => *line > *row,
                Item::Setting { within, key: found, line, .. } => {
                    within.is_empty() && found == key && *line > *row
                }
                Item::Open { .. } | Item::Close { .. } => false,
            }) && self.depth(*row) == 0
        });
        let row = free.map_or(self.lines.len(), |row| row + 1);
        self.lines.insert(row, &format!("{key} = {value}"));
        self.again();
    }

    /// Puts lines at the end of the file.
    pub fn append(&mut self, lines: &[String]) {
        for line in lines {
            self.lines.insert(self.lines.len(), line);
        }
        self.again();
    }

    fn depth(&self, row: usize) -> usize {
        self.items.iter().take_while(|item| item.line() <= row).fold(0, |depth: usize, item| match item {
            Item::Open { .. } => depth + 1,
            Item::Close { .. } => depth.saturating_sub(1),
            Item::Setting { .. } | Item::Include { .. } => depth,
        })
    }

    fn again(&mut self) {
        if let Ok(new) = Self::parse(&self.lines.to_string(), Path::new("")) {
            *self = new;
        }
    }
}

impl fmt::Display for DovecotConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

/// The logical lines: for each its first row and all its rows; `\` at the end continues a line.
fn logical(lines: &Lines) -> Vec<(usize, Vec<usize>)> {
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut goes_on = false;
    for (row, line) in lines.iter() {
        let body = without_comment(line).trim();
        if goes_on {
            if let Some((_, rows)) = found.last_mut() {
                rows.push(row);
            }
        } else if body.is_empty() {
            continue;
        } else {
            found.push((row, vec![row]));
        }
        goes_on = body.ends_with('\\');
    }
    found
}

fn joined(lines: &Lines, rows: &[usize]) -> String {
    let parts: Vec<&str> = rows
        .iter()
        .map(|row| {
            let body = without_comment(lines.get(*row)).trim();
            body.strip_suffix('\\').unwrap_or(body).trim()
        })
        .collect();
    parts.join(" ")
}

/// A line up to its comment: `#` outside quotes, which may begin anywhere. Behind a quote that is not closed Dovecot
/// looks for no comment.
fn without_comment(line: &str) -> &str {
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '#' => return line.get(..at).unwrap_or_default(),
            '"' | '\'' => {
                while let Some((_, inside)) = chars.next().filter(|(_, inside)| *inside != c) {
                    if inside == '\\' {
                        chars.next();
                    }
                }
            }
            _ => {}
        }
    }
    line
}

/// What stands within the quotes round a value.
fn inner(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// A value without the quotes round it, within which `\` takes the next character as it is.
fn unquoted(text: &str) -> String {
    let Some(inner) = inner(text) else { return text.to_owned() };
    let mut chars = inner.chars();
    std::iter::from_fn(|| chars.next().map(|c| if c == '\\' { chars.next().unwrap_or(c) } else { c }))
        .collect()
}

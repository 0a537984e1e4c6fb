//! The `dse.ldif` of Directory Server 5 and of 389 Directory Server: entries of `name: value` lines with a blank line
//! between them, a line continued by those that begin with one blank, `#` in the first column a comment, `name::` a
//! value in Base64. RFC 2849.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::lines::Lines;
use super::{Value, bad, shown};
use crate::Fail;

/// An LDIF file, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ldif {
    lines: Lines,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    name: String,
    value: String,
    rows: Range<usize>,
}

impl Attribute {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Entry {
    fn is(&self, dn: &str) -> bool {
        let own = self.attributes.iter().find(|attribute| attribute.is("dn"));
        own.is_some_and(|own| plain(&own.value) == plain(dn))
    }
}

/// A name with the blank space round `=` and `,` taken off, in lower case.
fn plain(dn: &str) -> String {
    let part = |part: &str| part.split('=').map(str::trim).collect::<Vec<_>>().join("=");
    dn.split(',').map(part).collect::<Vec<_>>().join(",").to_lowercase()
}

impl Ldif {
    /// Reads an LDIF file; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let mut entries = Vec::new();
        let mut entry = Entry::default();
        for (rows, whole) in logical(&lines, file)? {
            if whole.is_empty() {
                entries.push(std::mem::take(&mut entry));
            } else if !whole.starts_with('#') {
                let (name, value) = attribute(&whole).map_err(|what| bad(file, rows.start + 1, what))?;
                entry.attributes.push(Attribute { name, value, rows });
            }
        }
        entries.push(entry);
        entries.retain(|entry| !entry.attributes.is_empty());
        Ok(Self { lines, entries })
    }

    /// The value of an attribute of the entry with that name, the last one when there are several.
    pub fn get(&self, dn: &str, name: &str) -> Option<Value> {
        let found = self.entry(dn)?.attributes.iter().rfind(|attribute| attribute.is(name))?;
        Some(Value { text: found.value.clone(), line: found.rows.start + 1 })
    }

    /// Sets an attribute of an entry to one value: in every line that has it, else behind the entry's last line. Says
    /// whether the entry is there.
    ///
    /// The value is one that needs no Base64, such as an address.
    pub fn set(&mut self, dn: &str, name: &str, value: &str) -> bool {
        let Some(entry) = self.entry(dn) else { return false };
        let live: Vec<Attribute> = entry.attributes.iter().filter(|found| found.is(name)).cloned().collect();
        if live.is_empty() {
            let row = entry.attributes.last().map_or(0, |last| last.rows.end);
            self.lines.insert(row, &format!("{name}: {value}"));
        }
        for found in live.iter().rev().filter(|found| found.value != value) {
            let new = format!("{}: {value}", found.name);
            self.lines.replace(found.rows.start, &new);
            for row in found.rows.clone().skip(1).rev() {
                self.lines.remove(row);
            }
        }
        self.again();
        true
    }

    /// Takes an attribute of an entry out, with every line of it.
    pub fn unset(&mut self, dn: &str, name: &str) {
        let rows: Vec<usize> = self
            .entry(dn)
            .into_iter()
            .flat_map(|entry| entry.attributes.iter().filter(|found| found.is(name)))
            .flat_map(|found| found.rows.clone())
            .collect();
        for row in rows.into_iter().rev() {
            self.lines.remove(row);
        }
        self.again();
    }

    fn entry(&self, dn: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.is(dn))
    }

    /// Finds the entries again after an edit, which kept the file valid.
    fn again(&mut self) {
        if let Ok(new) = Self::parse(&self.lines.to_string(), Path::new("")) {
            *self = new;
        }
    }
}

impl fmt::Display for Ldif {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

/// The logical lines: for each its rows and its text, each continuation without its first blank.
fn logical(lines: &Lines, file: &Path) -> Result<Vec<(Range<usize>, String)>, Fail> {
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for (row, line) in lines.iter() {
        let Some(more) = line.strip_prefix([' ', '\t']) else {
            found.push((row..row + 1, line.to_owned()));
            continue;
        };
        match found.last_mut() {
            Some((rows, whole)) if !whole.is_empty() => {
                rows.end = row + 1;
                whole.push_str(more);
            }
            Some(_) | None => {
                return Err(bad(file, row + 1, format!("nothing to continue: '{}'", shown(line))));
            }
        }
    }
    Ok(found)
}

/// The name and the value of a line. What a URL stands for is not looked at.
fn attribute(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("no ':' in '{}'", shown(line)))?;
    let value = match value.strip_prefix(':') {
        Some(coded) => {
            let bytes =
                BASE64_STANDARD.decode(coded.trim()).map_err(|e| format!("{name} is not Base64: {e}"))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        None => value.trim_start_matches(' ').to_owned(),
    };
    Ok((name.to_owned(), value))
}

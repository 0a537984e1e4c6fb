//! The option files of the iPlanet MTA, `dispatcher.cnf` and `job_controller.cnf`: `option=value`, first the global
//! ones, then sections such as `[SERVICE=SMTP]`; `!`, `#` and `;` in the first column begin a comment, and `\` at a
//! line's end continues the value, passing over comments. Names and sections are the same in either case.

mod items;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use super::Value;
use super::lines::Lines;
use crate::Fail;
use items::{Item, heading, is_comment};

/// The longest line that the MTA reads, its line end not counted.
pub const LONGEST: usize = 252;

/// An option file, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionFile {
    lines: Lines,
    items: Vec<Item>,
}

/// Where an option stands: before the first section, or in a section by kind and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Before the first section.
    Global,
    /// In `[kind=name]`.
    Section(&'a str, &'a str),
}

/// A section's heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What stands before the `=`, such as `SERVICE`.
    pub kind: String,
    /// What stands behind it.
    pub name: String,
    /// Its line, counted from 1.
    pub line: usize,
}

impl OptionFile {
    /// Reads an option file; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let items = items::of(&lines, file)?;
        Ok(Self { lines, items })
    }

    /// The sections in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = Section> {
        self.items.iter().filter_map(|item| match item {
            Item::Section { kind, name, row } => {
                Some(Section { kind: kind.clone(), name: name.clone(), line: row + 1 })
            }
            Item::Option { .. } | Item::Comment { .. } | Item::Include { .. } => None,
        })
    }

    /// The lines that have another file read, `<file`, counted from 1.
    pub fn includes(&self) -> impl Iterator<Item = usize> {
        self.items.iter().filter_map(|item| match item {
            Item::Include { row } => Some(row + 1),
            Item::Option { .. } | Item::Comment { .. } | Item::Section { .. } => None,
        })
    }

    /// The lines that are longer than the MTA reads, counted from 1; what stands behind is lost to it.
    pub fn too_long(&self) -> impl Iterator<Item = usize> {
        self.lines
            .iter()
            .filter(|(_, line)| !is_comment(line) && line.chars().count() > LONGEST)
            .map(|(row, _)| row + 1)
    }

    /// The value of an option in its scope, the last one when there are several.
    pub fn get(&self, scope: Scope<'_>, key: &str) -> Option<Value> {
        self.within(scope).filter_map(|item| item.option(key)).last()
    }

    /// Sets an option in its scope: in every line that has it, else beside its commented placeholder, else behind
    /// the scope's last option. Says whether the scope is there.
    pub fn set(&mut self, scope: Scope<'_>, key: &str, value: &str) -> bool {
        let Some(head) = self.head(scope) else { return false };
        let live: Vec<(String, Vec<usize>)> = self
            .within(scope)
            .filter_map(|item| match item {
                Item::Option { key: found, value: old, rows } if found.eq_ignore_ascii_case(key) => {
                    Some((found.clone(), if old == value { Vec::new() } else { rows.clone() }))
                }
                Item::Option { .. } | Item::Section { .. } | Item::Comment { .. } | Item::Include { .. } => {
                    None
                }
            })
            .collect();
        if live.is_empty() {
            let row = self.place_of(scope, key).unwrap_or(head);
            self.lines.insert(row, &format!("{key}={value}"));
        }
        for (name, rows) in live.iter().rev() {
            let Some((first, more)) = rows.split_first() else { continue };
            let mut new = with_value(self.lines.get(*first), name, value);
            if new.len() > LONGEST {
                // The blank space of the old line would push the value out of what is read.
                new = format!("{}={value}", new.split_once('=').map_or(key, |(name, _)| name.trim()));
            }
            self.lines.replace(*first, &new);
            for row in more.iter().rev() {
                self.lines.remove(*row);
            }
        }
        if let Ok(new) = Self::parse(&self.lines.to_string(), Path::new("")) {
            *self = new;
        }
        true
    }

    /// The row at which a scope's options can begin.
    fn head(&self, scope: Scope<'_>) -> Option<usize> {
        match scope {
            Scope::Global => {
                // Behind the comment that opens the file, up to its first blank line.
                let is_head = |(_, line): &(usize, &str)| is_comment(line);
                Some(self.lines.iter().take_while(is_head).count().min(self.first_section()))
            }
            Scope::Section(..) => self.items.iter().rev().find_map(|item| match item {
                Item::Section { kind, name, row } if scope.is(kind, name) => Some(row + 1),
                Item::Section { .. } | Item::Option { .. } | Item::Comment { .. } | Item::Include { .. } => {
                    None
                }
            }),
        }
    }

    fn first_section(&self) -> usize {
        self.sections().next().map_or(self.lines.len(), |section| section.line - 1)
    }

    /// The items of a scope; of a commented-out section below it nothing belongs to it.
    fn within<'a>(&'a self, scope: Scope<'a>) -> impl Iterator<Item = &'a Item> {
        let mut inside = scope == Scope::Global;
        self.items.iter().filter(move |item| {
            if let Item::Section { kind, name, .. } = item {
                inside = scope.is(kind, name);
            }
            inside
        })
    }

    /// The row for a new option: behind the placeholder, or behind the last option of the scope. Nothing below a `<file`
    /// line counts: the file may begin another section, whose option it would become.
    fn place_of(&self, scope: Scope<'_>, key: &str) -> Option<usize> {
        let (mut placeholder, mut last) = (None, None);
        let (mut commented_out, mut is_open) = (false, true);
        for item in self.within(scope) {
            match item {
                Item::Section { row, .. } => {
                    last = Some(row + 1);
                    (commented_out, is_open) = (false, true);
                }
                Item::Option { .. } | Item::Comment { .. } | Item::Include { .. } if !is_open => {}
                Item::Option { rows, .. } => {
                    last = rows.last().map(|row| row + 1);
                    commented_out = false;
                }
                Item::Include { row } => {
                    last = last.or(Some(*row));
                    is_open = false;
                }
                Item::Comment { row } => {
                    let body = self.lines.get(*row).trim_start_matches(['!', '#', ';']).trim();
                    commented_out = commented_out || heading(body).is_some();
                    let is_ours =
                        body.split_once('=').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(key));
                    // A comment between a continued line and the next is no place for an option.
                    if is_ours && !commented_out && !self.is_continued(*row) {
                        placeholder = Some(row + 1);
                    }
                }
            }
        }
        placeholder.or(last)
    }

    fn is_continued(&self, comment: usize) -> bool {
        self.items.iter().any(|item| match item {
            Item::Option { rows, .. } => {
                rows.first().is_some_and(|first| *first < comment)
                    && rows.last().is_some_and(|last| *last > comment)
            }
            Item::Section { .. } | Item::Comment { .. } | Item::Include { .. } => false,
        })
    }
}

impl fmt::Display for OptionFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

impl Scope<'_> {
    fn is(self, kind: &str, name: &str) -> bool {
        match self {
            Self::Global => false,
            Self::Section(k, n) => k.eq_ignore_ascii_case(kind) && n.eq_ignore_ascii_case(name),
        }
    }
}

/// A line's name, `=` and blank space with another value; of a name that is itself continued nothing is kept.
fn with_value(line: &str, key: &str, value: &str) -> String {
    let (name, old) = line.split_once('=').filter(|(name, _)| name.trim() == key).unwrap_or((key, ""));
    let old_value = old.trim().trim_end_matches('\\').trim_end();
    let start = old.len() - old.trim_start().len();
    let blank = if old_value.is_empty() { "" } else { old.get(..start).unwrap_or_default() };
    let tail = old.get(old.trim_end().len()..).unwrap_or_default();
    format!("{name}={blank}{value}{tail}")
}

/// A number, which the MTA also takes with its base in front: `16%FF`.
pub fn number(text: &str) -> Option<u32> {
    match text.trim().split_once('%') {
        Some((base, digits)) => {
            let base = base.parse().ok().filter(|base| (2..=36).contains(base))?;
            u32::from_str_radix(digits, base).ok()
        }
        None => text.trim().parse().ok(),
    }
}

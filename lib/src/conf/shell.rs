//! A file of shell assignments, such as Debian's `/etc/default/slapd`: `NAME="value"`. Other shell code is passed
//! over; the last assignment counts.

use std::fmt;
use std::path::Path;

use super::lines::Lines;
use super::{Value, bad};
use crate::Fail;

/// A file of assignments, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignments {
    lines: Lines,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    value: String,
    rows: std::ops::Range<usize>,
}

/// What stands before the value, the value in its quotes, and what stands behind.
struct Cut<'a> {
    before: &'a str,
    quote: Option<char>,
    value: &'a str,
    behind: &'a str,
}

impl Assignments {
    /// Reads a file of assignments; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let mut entries = Vec::new();
        let mut row = 0;
        while row < lines.len() {
            let first = row;
            row += 1;
            let Some((name, start)) = assignment(lines.get(first)) else { continue };
            let mut whole = lines.get(first).to_owned();
            // A quoted value goes on until its quote is closed.
            while is_open(whole.get(start..).unwrap_or_default()) {
                if row >= lines.len() {
                    return Err(bad(file, first + 1, format!("the quote of {name} is not closed")));
                }
                whole.push('\n');
                whole.push_str(lines.get(row));
                row += 1;
            }
            let name = name.to_owned();
            let value = cut(&whole, start).value.to_owned();
            entries.push(Entry { name, value, rows: first..row });
        }
        Ok(Self { lines, entries })
    }

    /// The value of a name, the last one when there are several, its quotes taken off and nothing expanded.
    pub fn get(&self, name: &str) -> Option<Value> {
        let entry = self.entries.iter().rfind(|entry| entry.name == name)?;
        Some(Value { text: entry.value.clone(), line: entry.rows.start + 1 })
    }

    /// Sets a name: in the line that counts, else behind its commented placeholder, else at the end.
    ///
    /// The value is one that needs no escape within double quotes.
    pub fn set(&mut self, name: &str, value: &str) {
        if let Some(entry) = self.entries.iter().rfind(|entry| entry.name == name) {
            if entry.value == value {
                return;
            }
            let rows = entry.rows.clone();
            let whole = rows.clone().map(|row| self.lines.get(row)).collect::<Vec<_>>().join("\n");
            let start = assignment(&whole).map_or(0, |(_, start)| start);
            let cut = cut(&whole, start);
            let is_bare = value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,@%+[]".contains(c));
            let quote = cut.quote.or((!is_bare).then_some('"')).map(String::from).unwrap_or_default();
            let new = format!("{}{quote}{value}{quote}{}", cut.before, cut.behind);
            self.lines.replace(rows.start, &new);
            for row in rows.skip(1).rev() {
                self.lines.remove(row);
            }
        } else {
            let is_placeholder = |line: &str| {
                line.strip_prefix('#')
                    .and_then(|body| assignment(body.trim_start()))
                    .is_some_and(|(found, _)| found == name)
            };
            let within = |row: usize| self.entries.iter().any(|entry| entry.rows.contains(&row));
            let last = self.lines.iter().filter(|(row, line)| is_placeholder(line) && !within(*row)).last();
            let row = last.map_or(self.lines.len(), |(row, _)| row + 1);
            self.lines.insert(row, &format!("{name}=\"{value}\""));
        }
        if let Ok(new) = Self::parse(&self.lines.to_string(), Path::new("")) {
            *self = new;
        }
    }
}

impl fmt::Display for Assignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

/// The name a line assigns to, and where its value begins.
fn assignment(line: &str) -> Option<(&str, usize)> {
    let body = line.trim_start();
    let body = body.strip_prefix("export ").map_or(body, str::trim_start);
    let (name, value) = body.split_once('=')?;
    let mut chars = name.chars();
    let is_name = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name, line.len() - value.len()))
}

fn is_open(value: &str) -> bool {
    value
        .chars()
        .next()
        .is_some_and(|quote| (quote == '"' || quote == '\'') && closing(value, quote).is_none())
}

/// Where the quote that a value begins with is closed.
fn closing(value: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(at);
        }
    }
    None
}

fn cut(line: &str, start: usize) -> Cut<'_> {
    let (before, value) = line.split_at(start.min(line.len()));
    let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
    if let Some(quote) = quote
        && let Some(end) = closing(value, quote)
    {
        let inner = value.get(1..end).unwrap_or_default();
        return Cut {
            before,
            quote: Some(quote),
            value: inner,
            behind: value.get(end + 1..).unwrap_or_default(),
        };
    }
    let (value, behind) = value.split_at(value.find([' ', '\t', ';', '#']).unwrap_or(value.len()));
    Cut { before, quote: None, value, behind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Assignments {
        Assignments::parse(text, Path::new("default")).unwrap()
    }

    #[test]
    fn values_are_read_without_their_quotes() {
        let file = parse(
            "# c\nA=\nB=\"ldap:/// ldapi:///\" # both\nexport C='x'\nif [ \"$A\" = x ]; then\n  D=y; fi\nA=last\n",
        );
        for (name, value, line) in
            [("A", "last", 7), ("B", "ldap:/// ldapi:///", 3), ("C", "x", 4), ("D", "y", 6)]
        {
            assert_eq!(file.get(name), Some(Value { text: value.to_owned(), line }), "{name}");
        }
        assert_eq!(parse("A=\"x\n y\"\nB=1\n").get("B").unwrap().line, 3);
    }

    #[test]
    fn a_set_value_leaves_every_other_byte() {
        for (old, new) in [
            ("A='x' # c\nB=1", "A='n w' # c\nB=1"),
            ("A=x;\r\n", "A=\"n w\";\r\n"),
            ("A=\n", "A=\"n w\"\n"),
            ("A=\"x\n y\"\nB=1\n", "A=\"n w\"\nB=1\n"),
            ("# A=x\nB=1\n", "# A=x\nA=\"n w\"\nB=1\n"),
            ("B=1", "B=1\nA=\"n w\""),
            ("", "A=\"n w\"\n"),
        ] {
            let mut file = parse(old);
            file.set("A", "n w");
            assert_eq!(file.to_string(), new, "{old:?}");
            assert_eq!(file.get("A").unwrap().text, "n w");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told() {
        let fail = Assignments::parse("B=1\nA=\"ldap:/", Path::new("default")).unwrap_err();
        assert_eq!(fail.to_string(), "default:2: the quote of A is not closed");
    }

    proptest! {
        #[test]
        fn whatever_is_read_prints_back(text in "(([# ]?[A-C]?=?[\"'a-z ]{0,6})(\n|\r\n)?){0,8}") {
            if let Ok(file) = Assignments::parse(&text, Path::new("default")) {
                prop_assert_eq!(file.to_string(), text);
            }
        }
    }
}

//! `slapd.conf` of Netscape Directory Server 4.x and of `OpenLDAP`: a directive and its words on a line, continued
//! by lines that begin with blank space, `#` in the first column a comment; the last of several counts.
//!
//! As in the servers, a comment is continued too, and blank space behind an empty line begins a directive. As in
//! `OpenLDAP` (`fp_getline` of servers/slapd/config.c), `\` at a line's end joins it with the next, whatever that
//! begins with, and an `include` line is never continued.

use std::fmt;
use std::path::Path;

use super::lines::Lines;
use super::{Value, bad};
use crate::Fail;

/// A `slapd.conf`, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlapdConf {
    lines: Lines,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The directive and its words, their quotes taken off; none in a comment.
    words: Vec<String>,
    rows: std::ops::Range<usize>,
}

impl Entry {
    fn is(&self, directive: &str) -> bool {
        self.words.first().is_some_and(|word| word.eq_ignore_ascii_case(directive))
    }
}

impl SlapdConf {
    /// Reads a `slapd.conf`; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let mut entries: Vec<Entry> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut follows = false;
        for (row, line) in lines.iter() {
            if follows
                && let (Some(entry), Some(text)) = (entries.last_mut(), texts.last_mut())
                && (is_joined(text) || line.starts_with([' ', '\t']))
            {
                if is_joined(text) {
                    text.pop();
                }
                entry.rows.end = row + 1;
                text.push_str(line);
                follows = !text.is_empty();
                continue;
            }
            follows = !line.is_empty() && !is_include(line);
            entries.push(Entry { words: Vec::new(), rows: row..row + 1 });
            texts.push(line.to_owned());
        }
        if let (true, Some(entry), Some(text)) = (follows, entries.last(), texts.last())
            && is_joined(text)
        {
            // Whatever is put behind it would become part of it.
            return Err(bad(file, entry.rows.end, "the file ends in a continuation"));
        }
        for (entry, text) in entries.iter_mut().zip(&texts) {
            if !text.starts_with('#') {
                entry.words =
                    words(text).ok_or_else(|| bad(file, entry.rows.start + 1, "a quote is not closed"))?;
            }
        }
        entries.retain(|entry| !entry.words.is_empty());
        Ok(Self { lines, entries })
    }

    /// Every directive with its first word, those behind a `database` too: `OpenLDAP` takes its global ones anywhere.
    pub fn directives(&self) -> impl Iterator<Item = (&str, Value)> {
        self.entries.iter().filter_map(|entry| {
            let text = entry.words.get(1).cloned().unwrap_or_default();
            Some((entry.words.first()?.as_str(), Value { text, line: entry.rows.start + 1 }))
        })
    }

    /// The first word behind a directive before the first database, the last one when there are several.
    pub fn get(&self, directive: &str) -> Option<Value> {
        let entry = self.globals().iter().rfind(|entry| entry.is(directive))?;
        let text = entry.words.get(1).cloned().unwrap_or_default();
        Some(Value { text, line: entry.rows.start + 1 })
    }

    /// Sets a directive to one word: in the line that counts, else behind its commented placeholder, else before
    /// the first database.
    pub fn set(&mut self, directive: &str, value: &str) {
        let found = self.globals().iter().rfind(|entry| entry.is(directive));
        if let Some(entry) = found {
            if matches!(entry.words.as_slice(), [_, one] if one == value) {
                return;
            }
            // A directive may begin behind a line of blanks.
            let is_blank = |row: &usize| self.lines.get(*row).trim().is_empty();
            let start = entry.rows.clone().find(|row| !is_blank(row)).unwrap_or(entry.rows.start);
            let rows = start..entry.rows.end;
            let line = self.lines.get(start);
            let body = line.trim_start();
            let indent = line.len() - body.len();
            let name = body.find(char::is_whitespace).unwrap_or(body.len());
            let rest = body.get(name..).unwrap_or_default();
            let blank =
                rest.get(..rest.len() - rest.trim_start().len()).filter(|b| !b.is_empty()).unwrap_or(" ");
            let tail = rest.get(rest.trim_end().len()..).filter(|_| !rest.trim().is_empty()).unwrap_or("");
            let head = line.get(..indent + name).unwrap_or_default();
            let is_whole = body.get(..name).is_some_and(|name| name.eq_ignore_ascii_case(directive));
            // A name that is joined out of several lines, or quoted, is written anew.
            let new =
                if is_whole { format!("{head}{blank}{value}{tail}") } else { format!("{directive} {value}") };
            self.lines.replace(rows.start, &new);
            for row in rows.skip(1).rev() {
                self.lines.remove(row);
            }
        } else {
            let row = self.place_of(directive);
            if self.lines.get(row).starts_with([' ', '\t']) {
                // What follows begins with blank space and must not become a continuation.
                self.lines.insert(row, "");
            }
            self.lines.insert(row, &format!("{directive} {value}"));
        }
        if let Ok(new) = Self::parse(&self.lines.to_string(), Path::new("")) {
            *self = new;
        }
    }

    /// The directives before the first `database`.
    fn globals(&self) -> &[Entry] {
        let end = self.entries.iter().position(|entry| entry.is("database")).unwrap_or(self.entries.len());
        self.entries.get(..end).unwrap_or_default()
    }

    /// The row before which a new directive stands.
    fn place_of(&self, directive: &str) -> usize {
        let databases =
            self.entries.get(self.globals().len()).map_or(self.lines.len(), |entry| entry.rows.start);
        let is_placeholder = |line: &str| {
            line.strip_prefix('#').is_some_and(|body| {
                body.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(directive))
            })
        };
        let goes_on =
            |row: usize| is_joined(self.lines.get(row)) || self.lines.get(row + 1).starts_with([' ', '\t']);
        let placeholder = self
            .lines
            .iter()
            .filter(|(row, line)| *row < databases && is_placeholder(line) && !goes_on(*row))
            .last();
        let last = self.globals().last().map(|entry| entry.rows.end);
        placeholder.map(|(row, _)| row + 1).or(last).unwrap_or(0)
    }
}

impl fmt::Display for SlapdConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

/// Whether a line's end joins it with the next.
fn is_joined(line: &str) -> bool {
    line.strip_suffix('\\').is_some_and(|before| !before.ends_with('\\'))
}

fn is_include(line: &str) -> bool {
    line.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("include"))
}

/// The words of a line; double quotes hold blanks, and `\` takes the next character as it is. `None` when a quote
/// is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (!quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLAPD: &str = "include \"/opt/iplanet/server5/slapd-elenchus/config/slapd.at.conf\"\n# network\nport 389\n\
                         rootpw \"a \\\" b\"\n\n# databases\ndatabase ldbm\nlistenhost x\n";

    fn parse(text: &str) -> SlapdConf {
        SlapdConf::parse(text, Path::new("slapd.conf")).unwrap()
    }

    #[test]
    fn directives_are_read_before_the_first_database() {
        let slapd = parse(SLAPD);
        assert_eq!(slapd.get("PORT"), Some(Value { text: "389".to_owned(), line: 3 }));
        assert_eq!(slapd.get("rootpw").unwrap().text, "a \" b");
        assert_eq!(slapd.get("listenhost"), None);
        assert_eq!(parse("port 1\nport\n 2\n# port 3\n 4\n").get("port").unwrap().text, "2");
        assert_eq!(parse("port 1\n\n port 2\n").get("port").unwrap().text, "2");
        assert_eq!(parse("port 1\\\n2\nport\\\n\n 3\n").get("port").unwrap().text, "3");
        assert_eq!(parse("port 1\\\n2\n# x\\\nport 3\n").get("port").unwrap().text, "12");
        assert_eq!(parse("include a\\\nport 4\n").get("port").unwrap().text, "4");
    }

    #[test]
    fn a_new_directive_stands_before_the_databases() {
        let mut slapd = parse(SLAPD);
        slapd.set("listenhost", "10.0.37.10");
        assert_eq!(slapd.to_string(), SLAPD.replace("b\"\n", "b\"\nlistenhost 10.0.37.10\n"));
        slapd.set("listenhost", "10.0.37.11");
        assert_eq!(slapd.to_string(), SLAPD.replace("b\"\n", "b\"\nlistenhost 10.0.37.11\n"));
    }

    #[test]
    fn a_set_directive_leaves_every_other_byte() {
        for (old, new) in [
            ("ListenHost\t\"x\" \r\nport 1\r\n", "ListenHost\tA \r\nport 1\r\n"),
            ("listenhost\n  x\n  y\nport 1", "listenhost A\nport 1"),
            ("port 1\n#listenhost\nsecurity off\n", "port 1\n#listenhost\nlistenhost A\nsecurity off\n"),
            ("port 1\n#listenhost\n x\nsecurity off", "port 1\n#listenhost\n x\nsecurity off\nlistenhost A"),
            ("listenhost x\nlistenhost y\n", "listenhost x\nlistenhost A\n"),
            ("listenhost x\\\ny\nport 1\n", "listenhost A\nport 1\n"),
            ("#listenhost\\\nx\nport 1\n", "#listenhost\\\nx\nport 1\nlistenhost A\n"),
            ("", "listenhost A\n"),
        ] {
            let mut slapd = parse(old);
            slapd.set("listenhost", "A");
            assert_eq!(slapd.to_string(), new, "{old:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_prints_back(text in "(([# ]?(port|listenhost|database|x)?[\"a-z ]{0,4})(\n|\r\n)?){0,8}") {
            if let Ok(slapd) = SlapdConf::parse(&text, Path::new("slapd.conf")) {
                prop_assert_eq!(slapd.to_string(), text);
            }
        }

        #[test]
        fn what_was_set_is_read(text in "(([# ]?(port|listenhost|database|x)? ?[a-z]{0,2})(\n|\r\n)){0,8}") {
            let mut slapd = parse(&text);
            slapd.set("listenhost", "192.0.2.10");
            prop_assert_eq!(slapd.get("listenhost").unwrap().text, "192.0.2.10");
        }
    }
}

//! Postfix `main.cf`: `name = value`, continued by lines that begin with blank space; empty lines and lines whose
//! first non-blank is `#` are passed over even within a continued value; the last of several counts. postconf(5).

use std::fmt;
use std::path::Path;

use super::lines::Lines;
use super::{Value, bad, shown};
use crate::Fail;

/// A `main.cf`, which prints back as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MainCf {
    lines: Lines,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: String,
    value: String,
    /// The rows of the entry, its comments not among them.
    rows: Vec<usize>,
}

/// The deepest chain of `$name` that is followed; Postfix stops at 100.
const DEEPEST: usize = 100;

impl MainCf {
    /// Reads a `main.cf`; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let lines = Lines::of(text);
        let mut entries: Vec<Entry> = Vec::new();
        for (row, rows) in logical(&lines) {
            let joined = joined(&lines, &rows);
            let Some((key, value)) = joined.split_once('=') else {
                return Err(bad(file, row + 1, format!("no '=' in '{}'", shown(&joined))));
            };
            if key.starts_with(char::is_whitespace) {
                return Err(bad(file, row + 1, format!("nothing to continue: '{}'", shown(&joined))));
            }
            entries.push(Entry { key: key.trim().to_owned(), value: value.trim().to_owned(), rows });
        }
        Ok(Self { lines, entries })
    }

    /// The value of a parameter as it is written, the last one when there are several.
    pub fn get(&self, key: &str) -> Option<Value> {
        let entry = self.entries.iter().rfind(|entry| entry.key == key)?;
        Some(Value { text: entry.value.clone(), line: entry.rows.first().map_or(0, |row| row + 1) })
    }

    /// The value of a parameter with each `$name`, `${name}`, `$(name)` replaced; `default` tells what is not written.
    ///
    /// `None` when there is neither a value nor a default, or when it needs more than plain names
    /// (`${name?text}`) or names itself.
    pub fn expanded(&self, key: &str, default: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        self.expand(key, default, DEEPEST)
    }

    fn expand(&self, key: &str, default: &dyn Fn(&str) -> Option<String>, left: usize) -> Option<String> {
        let left = left.checked_sub(1)?;
        let value = self.get(key).map(|value| value.text).or_else(|| default(key))?;
        let mut out = String::new();
        let mut rest = value.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(literal) = after.strip_prefix('$') {
                out.push('$');
                rest = literal;
                continue;
            }
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let (name, behind) = if let Some(open) = after.strip_prefix('{') {
                open.split_once('}')?
            } else if let Some(open) = after.strip_prefix('(') {
                open.split_once(')')?
            } else {
                after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))
            };
            if name.is_empty() || !name.chars().all(is_name) {
                return None;
            }
            out.push_str(&self.expand(name, default, left)?);
            rest = behind;
        }
        out.push_str(rest);
        Some(out)
    }

    /// Sets a parameter: in the line that counts, else behind its commented placeholder, else at the end.
    pub fn set(&mut self, key: &str, value: &str) {
        if let Some(index) = self.entries.iter().rposition(|entry| entry.key == key) {
            let Some(entry) = self.entries.get_mut(index).filter(|entry| entry.value != value) else {
                return;
            };
            let (first, more) = match entry.rows.split_first() {
                Some((first, more)) => (*first, more.to_vec()),
                None => return,
            };
            let line = self.lines.get(first);
            let (name, old) = line.split_once('=').unwrap_or((line, ""));
            let blank =
                if old.trim().is_empty() { " " } else { old.split_at(old.len() - old.trim_start().len()).0 };
            let tail = old.split_at(old.trim_end().len()).1;
            let tail = if old.trim().is_empty() { "" } else { tail };
            let new = format!("{name}={blank}{value}{tail}");
            let new = if value.is_empty() { new.trim_end().to_owned() } else { new };
            self.lines.replace(first, &new);
            for row in more.into_iter().rev() {
                self.lines.remove(row);
            }
        } else {
            let row = self.placeholder(key).map_or(self.lines.len(), |row| row + 1);
            self.lines.insert(row, &format!("{key} = {value}"));
        }
        self.again();
    }

    /// The last commented line that sets the parameter and is not within a continued value.
    fn placeholder(&self, key: &str) -> Option<usize> {
        let is_ours = |line: &str| {
            let body = line.strip_prefix('#').map(str::trim_start);
            body.and_then(|body| body.split_once('=')).is_some_and(|(name, _)| name.trim() == key)
        };
        let inside = |row: usize| {
            self.entries.iter().any(|entry| {
                entry.rows.first().is_some_and(|first| *first <= row)
                    && entry.rows.last().is_some_and(|last| *last > row)
            })
        };
        self.lines.iter().filter(|(row, line)| is_ours(line) && !inside(*row)).map(|(row, _)| row).last()
    }

    /// Finds the entries again after an edit, which kept the file valid.
    fn again(&mut self) {
        if let Ok(new) = Self::parse(&self.lines.to_string(), Path::new("")) {
            *self = new;
        }
    }
}

impl fmt::Display for MainCf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

/// The logical lines of a Postfix file: for each its first row and all its rows.
pub(super) fn logical(lines: &Lines) -> Vec<(usize, Vec<usize>)> {
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    for (row, line) in lines.iter() {
        let body = line.trim_start();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        match found.last_mut() {
            Some((_, rows)) if line.starts_with(char::is_whitespace) => rows.push(row),
            Some(_) | None => found.push((row, vec![row])),
        }
    }
    found
}

/// The text of a logical line.
pub(super) fn joined(lines: &Lines, rows: &[usize]) -> String {
    rows.iter().map(|row| lines.get(*row)).collect::<Vec<_>>().join("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAIN: &str = "# a\ncompatibility_level = 3.6\n#inet_interfaces = all\n#inet_interfaces = $myhostname\n\
                        mynetworks = 127.0.0.0/8\n  # home\n  192.0.2.0/24\nmyhostname=mail.example.test\r\n";

    fn parse(text: &str) -> MainCf {
        MainCf::parse(text, Path::new("main.cf")).unwrap()
    }

    #[test]
    fn a_value_is_read_over_its_continuation_lines() {
        let main = parse(MAIN);
        assert_eq!(
            main.get("mynetworks"),
            Some(Value { text: "127.0.0.0/8  192.0.2.0/24".to_owned(), line: 5 })
        );
        assert_eq!(main.get("myhostname").unwrap().text, "mail.example.test");
        assert_eq!(parse("a = 1\na = 2\n").get("a").unwrap(), Value { text: "2".to_owned(), line: 2 });
    }

    #[test]
    fn a_new_value_stands_behind_its_placeholder() {
        let mut main = parse(MAIN);
        main.set("inet_interfaces", "192.0.2.10");
        assert_eq!(
            main.to_string(),
            MAIN.replace("$myhostname\n", "$myhostname\ninet_interfaces = 192.0.2.10\n")
        );
        let mut same = main.clone();
        same.set("inet_interfaces", "192.0.2.10");
        assert_eq!(same, main);
    }

    #[test]
    fn a_changed_value_leaves_every_other_byte() {
        let mut main = parse("a=1\r\n  2\r\n# c\r\ninet_interfaces\t=  all \r\nb = 3");
        main.set("inet_interfaces", "192.0.2.10");
        main.set("a", "7");
        main.set("c", "4");
        assert_eq!(main.to_string(), "a=7\r\n# c\r\ninet_interfaces\t=  192.0.2.10 \r\nb = 3\r\nc = 4");
    }

    #[test]
    fn names_in_a_value_are_replaced() {
        let main = parse("a = $b, ${c} $(b) $$x\nb = 1\nc = $d\ne = $e\nf = ${b?x}\n");
        let default = |name: &str| (name == "d").then(|| "4".to_owned());
        assert_eq!(main.expanded("a", &default).as_deref(), Some("1, 4 1 $x"));
        assert_eq!(main.expanded("e", &default), None, "it names itself");
        assert_eq!(main.expanded("f", &default), None);
        assert_eq!(main.expanded("g", &default), None);
    }

    #[test]
    fn a_torn_file_is_refused_with_its_line() {
        for (text, place) in
            [("a = 1\ninet_inter", "main.cf:2: no '='"), ("  a = 1\n", "main.cf:1: nothing to")]
        {
            let fail = MainCf::parse(text, Path::new("main.cf")).unwrap_err();
            assert_eq!(fail.exit(), crate::Exit::Usage);
            assert!(fail.to_string().contains(place), "{fail}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_prints_back(text in "(([ \t]?[a-c#]? ?=? ?[a-z$]{0,3})(\n|\r\n)?){0,8}") {
            if let Ok(main) = MainCf::parse(&text, Path::new("main.cf")) {
                prop_assert_eq!(main.to_string(), text);
            }
        }

        #[test]
        fn a_value_that_was_set_is_read_and_the_former_one_gives_back_the_bytes(
            text in "((([a-c] = [a-z]{1,3})|(#[a-c] = x)|(# n)|)(\n|\r\n)){0,6}",
            key in "[a-c]",
        ) {
            let mut main = parse(&text);
            let old = main.get(&key);
            main.set(&key, "new");
            prop_assert_eq!(main.get(&key).unwrap().text, "new");
            if let Some(old) = old {
                main.set(&key, &old.text);
                prop_assert_eq!(main.to_string(), text);
            }
        }
    }
}

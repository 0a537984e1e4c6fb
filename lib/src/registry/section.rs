//! One `[name]` of the registry with its lines, and what they say.

use std::fmt::Display;
use std::path::Path;

use super::absolute;
use crate::Fail;
use crate::address::Address;
use crate::instance::{Instance, each_once};
use crate::layout::Layout;
use crate::name::InstanceName;

/// An entry and the lines up to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// What it says.
    pub instance: Instance,
    /// The line of its title when it was read, from 1.
    pub line: usize,
    /// Its lines from the title to the last key.
    pub body: Vec<u8>,
    /// The comments and blank lines after its last key, which are not its own.
    pub tail: Vec<u8>,
}

impl Section {
    /// Reads the lines of a section, the title first; `first` is the title's number.
    pub fn parse(lines: &[&[u8]], file: &Path, first: usize) -> Result<Self, Fail> {
        let instance = instance(lines, file, first)?;
        let keys = lines.iter().rposition(|line| matches!(Line::of(line), Line::Key(..)));
        let (body, tail) = lines.split_at_checked(keys.map_or(1, |last| last + 1)).unwrap_or((lines, &[]));
        Ok(Self { instance, line: first, body: body.concat(), tail: tail.concat() })
    }

    /// A section of an instance alone.
    pub fn new(instance: &Instance, end: &[u8]) -> Self {
        let mut body = format!("[{}]", instance.name).into_bytes();
        body.extend_from_slice(end);
        let body = with_keys(&body, None, instance);
        Self { instance: instance.clone(), line: 0, body, tail: Vec::new() }
    }

    /// Gives it the keys of an instance; says whether that changes anything.
    pub fn change(&mut self, instance: &Instance) -> bool {
        if &self.instance == instance {
            return false;
        }
        self.body = with_keys(&self.body, Some(&self.instance), instance);
        self.instance = instance.clone();
        true
    }

    /// What stays when the section is taken out: its tail without the blank line that parted it from the next.
    pub fn tail_below(&self) -> &[u8] {
        let first = self.tail.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let blank = if first.trim_ascii().is_empty() { first.len() } else { 0 };
        self.tail.get(blank..).unwrap_or_default()
    }
}

/// What one line is.
pub(super) enum Line<'a> {
    /// A key and its value, without the blanks around them.
    Key(&'a [u8], &'a [u8]),
    /// A comment, a blank line or a title.
    Other,
    /// None of them.
    Bad,
}

impl<'a> Line<'a> {
    /// Reads a line.
    pub fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii();
        if line.first().is_none_or(|first| b"#;[".contains(first)) {
            return Self::Other;
        }
        match line.iter().position(|byte| *byte == b'=').and_then(|at| line.split_at_checked(at)) {
            Some((key, value)) => {
                Self::Key(key.trim_ascii_end(), value.get(1..).unwrap_or_default().trim_ascii_start())
            }
            None => Self::Bad,
        }
    }
}

/// Whether a line opens a section.
pub(super) fn is_title(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"[")
}

/// How the lines of a text end.
pub(super) fn line_end(text: &[u8]) -> &'static [u8] {
    let first = text.split_inclusive(|byte| *byte == b'\n').next();
    if first.is_some_and(|line| line.ends_with(b"\r\n")) { b"\r\n" } else { b"\n" }
}

/// Whether a text ends with a blank line.
pub(super) fn ends_blank(text: &[u8]) -> bool {
    let last = text.split_inclusive(|byte| *byte == b'\n').next_back();
    last.is_some_and(|line| line.trim_ascii().is_empty())
}

/// Takes away the blank line at the end of a text, if there is one.
pub(super) fn trim_blank_line(text: &mut Vec<u8>) {
    if ends_blank(text) {
        let last = text.split_inclusive(|byte| *byte == b'\n').next_back().map_or(0, <[u8]>::len);
        text.truncate(text.len() - last);
    }
}

/// A failure about a line of the file.
pub(super) fn bad(file: &Path, line: usize, what: impl Display) -> Fail {
    Fail::usage(format!("{}:{line}", file.display())).because(what)
}

fn instance(lines: &[&[u8]], file: &Path, first: usize) -> Result<Instance, Fail> {
    let mut lines = lines.iter().enumerate().map(|(index, line)| (first + index, *line));
    let (at, title) = lines.next().unwrap_or((first, b""));
    let title = title.trim_ascii();
    let name = title
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
        .ok_or_else(|| bad(file, at, format!("a section without its ']': '{}'", title.escape_ascii())))?;
    let name: InstanceName =
        text(name, file, at)?.trim().parse().map_err(|fail: Fail| bad(file, at, fail))?;
    let (mut layout, mut root, mut addresses, mut ldap, mut mail) = (None, None, Vec::new(), None, true);
    let mut keys: Vec<&[u8]> = Vec::new();
    for (at, line) in lines {
        let (key, value) = match Line::of(line) {
            Line::Key(key, value) => (key, value),
            Line::Other => continue,
            Line::Bad => {
                let line = line.trim_ascii().escape_ascii();
                return Err(bad(file, at, format!("neither 'key = value' nor a comment: '{line}'")));
            }
        };
        if keys.contains(&key) {
            return Err(bad(file, at, format!("{} stands twice in [{name}]", key.escape_ascii())));
        }
        keys.push(key);
        let wrong = |fail: Fail| bad(file, at, fail);
        match key {
            b"layout" => layout = Some(text(value, file, at)?.parse::<Layout>().map_err(wrong)?),
            b"root" => root = Some(absolute(text(value, file, at)?).map_err(wrong)?),
            b"address" => {
                for address in text(value, file, at)?.split(',').map(str::trim).filter(|a| !a.is_empty()) {
                    addresses.push(address.parse::<Address>().map_err(wrong)?);
                }
            }
            b"ldap" if value.is_empty() => {}
            b"ldap" => ldap = Some(text(value, file, at)?.parse().map_err(wrong)?),
            b"mail" => {
                mail = match value {
                    b"yes" => true,
                    b"no" => false,
                    _ => {
                        let told = format!("mail is yes or no, not '{}'", value.escape_ascii());
                        return Err(bad(file, at, told));
                    }
                }
            }
            _ => {} // people's own keys are theirs
        }
    }
    let missing = |key| bad(file, first, format!("[{name}] has no {key}"));
    let layout = layout.ok_or_else(|| missing("layout"))?;
    let root = root.ok_or_else(|| missing("root"))?;
    let instance = Instance { name, layout, root, addresses: each_once(addresses), ldap, mail };
    instance.fits().map_err(|e| bad(file, first, e))?;
    Ok(instance)
}

/// What stands in one of our keys is text.
fn text<'a>(value: &'a [u8], file: &Path, line: usize) -> Result<&'a str, Fail> {
    std::str::from_utf8(value)
        .map_err(|_| bad(file, line, "not UTF-8 text").hint("convert the file with iconv"))
}

/// The keys that an instance has, as the file says them.
pub fn keys(instance: &Instance) -> [(&'static str, Option<String>); 5] {
    let addresses: Vec<String> = instance.addresses.iter().map(ToString::to_string).collect();
    [
        ("layout", Some(instance.layout.to_string())),
        ("root", Some(instance.root.display().to_string())),
        ("address", (!addresses.is_empty()).then(|| addresses.join(", "))),
        ("ldap", instance.ldap.as_ref().map(ToString::to_string)),
        ("mail", (!instance.mail).then(|| "no".to_owned())),
    ]
}

/// The lines with our keys as the instance has them; a key that says what it said before keeps its line, another
/// all but its value.
fn with_keys(text: &[u8], before: Option<&Instance>, instance: &Instance) -> Vec<u8> {
    let end = line_end(text);
    let mut lines: Vec<Vec<u8>> =
        text.split_inclusive(|byte| *byte == b'\n').map(ToOwned::to_owned).collect();
    let before: Vec<(&str, Option<String>)> = before.map(keys).into_iter().flatten().collect();
    for (key, value) in keys(instance) {
        if before.contains(&(key, value.clone())) {
            continue;
        }
        let is_it = |line: &Vec<u8>| matches!(Line::of(line), Line::Key(k, _) if k == key.as_bytes());
        match (lines.iter().position(is_it), value) {
            (Some(at), Some(value)) => {
                if let Some(line) = lines.get_mut(at) {
                    *line = with_value(line, key, value.as_bytes());
                }
            }
            (Some(at), None) => drop(lines.remove(at)),
            (None, Some(value)) => {
                if let Some(last) = lines.last_mut().filter(|last| !last.ends_with(b"\n")) {
                    last.extend_from_slice(end);
                }
                lines.push([key.as_bytes(), b" = ", value.as_bytes(), end].concat());
            }
            (None, None) => {}
        }
    }
    lines.concat()
}

fn with_value(line: &[u8], key: &str, value: &[u8]) -> Vec<u8> {
    let Line::Key(_, old) = Line::of(line) else { return line.to_owned() };
    // The value ends where the line's own blanks and its line end begin.
    let after = line.len() - line.trim_ascii_end().len();
    let (before, end) = line.split_at_checked(line.len() - after).unwrap_or((line, b""));
    let said = before.get(..before.len() - old.len()).unwrap_or_default();
    if old.is_empty() {
        return [key.as_bytes(), b" = ", value, end].concat();
    }
    [said, value, end].concat()
}

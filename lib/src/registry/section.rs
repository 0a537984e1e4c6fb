//! One section of the registry: what its lines say, and its text with a key changed.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::address::Address;
use crate::instance::Instance;
use crate::layout::Layout;
use crate::name::InstanceName;
use crate::{Exit, Fail};

/// What one line is.
pub(super) enum Line<'a> {
    Key(&'a str, &'a str),
    Other,
    Bad,
}

impl<'a> Line<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with('[') {
            return Self::Other;
        }
        match line.split_once('=') {
            Some((key, value)) => Self::Key(key.trim(), value.trim()),
            None => Self::Bad,
        }
    }
}

pub(super) fn bad(file: &Path, line: usize, what: impl fmt::Display) -> Fail {
    Fail::usage(format!("{}:{line}", file.display())).because(what)
}

pub(super) fn parse(text: &str, file: &Path, first: usize) -> Result<Instance, Fail> {
    let mut lines = text.lines().enumerate().map(|(i, line)| (first + i, line));
    let (at, title) = lines.next().unwrap_or((first, ""));
    let name = title.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(|| {
        bad(file, at, format!("a section without its ']': '{}'", title.trim().escape_debug()))
    })?;
    let name: InstanceName = name.trim().parse().map_err(|e| bad(file, at, e))?;
    let (mut layout, mut root, mut addresses, mut ldap, mut mail) = (None, None, Vec::new(), None, true);
    let mut keys: Vec<&str> = Vec::new();
    for (at, line) in lines {
        let (key, value) = match Line::of(line) {
            Line::Key(key, value) => (key, value),
            Line::Other => continue,
            Line::Bad => {
                return Err(bad(
                    file,
                    at,
                    format!("neither 'key = value' nor a comment: '{}'", line.trim().escape_debug()),
                ));
            }
        };
        if keys.contains(&key) {
            return Err(bad(file, at, format!("{key} stands twice in [{name}]")));
        }
        keys.push(key);
        match key {
            "layout" => layout = Some(value.parse::<Layout>().map_err(|e| bad(file, at, e))?),
            "root" => root = Some(absolute(value).map_err(|e| bad(file, at, e))?),
            "address" => {
                for address in value.split(',').map(str::trim).filter(|a| !a.is_empty()) {
                    addresses.push(address.parse::<Address>().map_err(|e| bad(file, at, e))?);
                }
            }
            "ldap" if value.is_empty() => {}
            "ldap" => ldap = Some(value.parse().map_err(|e| bad(file, at, e))?),
            "mail" => {
                mail = match value {
                    "yes" => true,
                    "no" => false,
                    _ => {
                        return Err(bad(
                            file,
                            at,
                            format!("mail is yes or no, not '{}'", value.escape_debug()),
                        ));
                    }
                }
            }
            _ => {} // people's own keys are theirs
        }
    }
    let missing = |key| bad(file, first, format!("[{name}] has no {key}"));
    let layout = layout.ok_or_else(|| missing("layout"))?;
    let root = root.ok_or_else(|| missing("root"))?;
    let instance = Instance { name, layout, root, addresses, ldap, mail };
    instance.fits().map_err(|e| bad(file, first, e))?;
    Ok(instance)
}

/// A server root is an absolute path, free of `..`, of line ends, and of blanks at its end.
pub fn absolute(value: &str) -> Result<PathBuf, Fail> {
    let path = Path::new(value);
    let plain = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    if path.is_absolute() && plain && !value.contains(['\n', '\r']) && value.trim_end() == value {
        return Ok(path.to_owned());
    }
    Err(Fail::new(Exit::Usage, format!("not an absolute path: '{}'", value.escape_debug())))
}

/// How the lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" }
}

/// The section's text with our keys as the instance has them; a key that is already right keeps its line.
pub(super) fn with_keys(text: &str, instance: &Instance) -> String {
    let addresses: Vec<String> = instance.addresses.iter().map(ToString::to_string).collect();
    let wanted = [
        ("layout", Some(instance.layout.to_string())),
        ("root", Some(instance.root.display().to_string())),
        ("address", (!addresses.is_empty()).then(|| addresses.join(", "))),
        ("ldap", instance.ldap.as_ref().map(ToString::to_string)),
        ("mail", (!instance.mail).then(|| "no".to_owned())),
    ];
    let end = line_end(text);
    let mut lines: Vec<String> = text.split_inclusive('\n').map(ToOwned::to_owned).collect();
    for (key, value) in wanted {
        let found = lines.iter().position(|line| matches!(Line::of(line), Line::Key(k, _) if k == key));
        match (found, value) {
            (Some(at), Some(value)) => {
                if let Some(line) = lines.get_mut(at)
                    && !matches!(Line::of(line), Line::Key(_, v) if v == value)
                {
                    *line = format!("{key} = {value}{end}");
                }
            }
            (Some(at), None) => drop(lines.remove(at)),
            (None, Some(value)) => {
                // After the last of our keys, before the blank lines and comments that lead to the next section.
                let at = lines
                    .iter()
                    .rposition(|line| {
                        matches!(Line::of(line), Line::Key(..)) || line.trim_start().starts_with('[')
                    })
                    .map_or(lines.len(), |last| last + 1);
                if let Some(previous) = at.checked_sub(1).and_then(|i| lines.get_mut(i))
                    && !previous.ends_with('\n')
                {
                    previous.push_str(end);
                }
                lines.insert(at, format!("{key} = {value}{end}"));
            }
            (None, None) => {}
        }
    }
    lines.concat()
}

//! Dovecot's settings in the order in which it reads them, from the file and from what that includes.

use std::path::{Path, PathBuf};

use super::config_file;
use crate::conf::dovecot::{Block, DovecotConf, Item};
use crate::instance::Instance;
use crate::layout::{optional_text, text_of};
use crate::place::Place;
use crate::{Fail, Host};

/// How deep files include each other at most.
const DEEPEST: usize = 16;

/// A setting with the blocks round it and the place that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The blocks round it, outermost first.
    pub within: Vec<Block>,
    /// The key.
    pub key: String,
    /// The value, with the `$key` of before replaced.
    pub value: String,
    /// Where it stands.
    pub at: Place,
}

/// Every setting of the configuration in the order in which Dovecot reads it, included files in their place.
pub fn settings(host: &Host, instance: &Instance) -> Result<Vec<Setting>, Fail> {
    let file = config_file(instance);
    let text = text_of(host, &file)?;
    let mut found = Vec::new();
    gather(host, &file, &text, DEEPEST, &mut found)?;
    Ok(found)
}

fn gather(host: &Host, file: &Path, text: &str, left: usize, found: &mut Vec<Setting>) -> Result<(), Fail> {
    let conf = DovecotConf::parse(text, file)?;
    for item in conf.items() {
        match item {
            Item::Setting { within, key, value, line } => {
                let before = |name: &str| {
                    let last = found.iter().rfind(|s| s.within.is_empty() && s.key == name);
                    last.map(|setting| setting.value.clone()).unwrap_or_default()
                };
                let value = with_names(value, &before);
                let at = Place::line(file, *line);
                found.push(Setting { within: within.clone(), key: key.clone(), value, at });
            }
            Item::Include { pattern, optional, line } => {
                let place = Place::line(file, *line);
                let Some(left) = left.checked_sub(1) else {
                    return Err(Fail::usage(format!("{place}: files include each other too deep")));
                };
                let files = included(host, file, pattern)?;
                if files.is_empty() && !optional && !pattern.contains('*') {
                    return Err(Fail::usage(format!("{place}: {} is not there", pattern.escape_debug())));
                }
                for file in files {
                    if let Some(text) = optional_text(host, &file)? {
                        gather(host, &file, &text, left, found)?;
                    }
                }
            }
            Item::Open { .. } | Item::Close { .. } => {}
        }
    }
    Ok(())
}

/// The files that an include's path or pattern names, sorted as Dovecot reads them.
fn included(host: &Host, file: &Path, pattern: &str) -> Result<Vec<PathBuf>, Fail> {
    let path = file.parent().unwrap_or(Path::new("/")).join(pattern);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !name.contains('*') {
        return Ok(host.path(&path).is_file().then_some(path).into_iter().collect());
    }
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let entries = match fs_err::read_dir(host.path(&folder)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Fail::io(crate::Exit::Unknown, "cannot list included files", &e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Fail::io(crate::Exit::Unknown, "cannot list included files", &e))?;
        let entry = entry.file_name().to_string_lossy().into_owned();
        if !entry.starts_with('.') && fits(&name, &entry) {
            found.push(folder.join(entry));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| fits(tail, rest.get(at..).unwrap_or_default()))
        }),
    }
}

/// A value with each `$key` replaced by what the key was before.
fn with_names(value: &str, before: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((head, tail)) = rest.split_once('$') {
        let end = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
        let (name, behind) = tail.split_at(end);
        out.push_str(head);
        if name.is_empty() {
            out.push('$');
        } else {
            out.push_str(&before(name));
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The value of a top-level key, the last one when there are several.
pub fn last<'a>(settings: &'a [Setting], key: &str) -> Option<&'a Setting> {
    settings.iter().rfind(|setting| setting.within.is_empty() && setting.key == key)
}

//! Dovecot's settings in the order in which it reads them, from the file and from what that includes.

use std::path::{Path, PathBuf};

use super::{LISTEN, config_file};
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
            Item::Setting { within, key, value, is_quoted, line } => {
                let before = |name: &str| {
                    let last = found.iter().rfind(|s| s.within.is_empty() && s.key == name);
                    let usual = if name == "listen" { LISTEN } else { "" };
                    last.map_or(usual, |setting| &setting.value).to_owned()
                };
                let at = Place::line(file, *line);
                let value = if *is_quoted { value.clone() } else { with_names(value, &at, &before)? };
                found.push(Setting { within: within.clone(), key: key.clone(), value, at });
            }
            Item::Include { pattern, optional, line } => {
                let place = Place::line(file, *line);
                let Some(left) = left.checked_sub(1) else {
                    return Err(Fail::usage(format!("{place}: files include each other too deep")));
                };
                for file in included(host, file, pattern, &place)? {
                    if let Some(text) = optional_text(host, &file)? {
                        gather(host, &file, &text, left, found)?;
                    } else if !optional && !pattern.contains('*') {
                        return Err(Fail::usage(format!("{place}: {} is not there", pattern.escape_debug())));
                    }
                }
            }
            Item::Open { .. } | Item::Close { .. } => {}
        }
    }
    Ok(())
}

/// The file that an include's path names, or those that fit its pattern, sorted as Dovecot reads them.
fn included(host: &Host, file: &Path, pattern: &str, place: &Place) -> Result<Vec<PathBuf>, Fail> {
    let (above, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    if above.contains('*') || pattern.contains(['?', '[', '{']) {
        let told = format!("{place}: cannot tell which files {} names", pattern.escape_debug());
        return Err(Fail::unknown(told).hint("write '*' in the last name alone, or each file's name"));
    }
    let path = file.parent().unwrap_or(Path::new("/")).join(pattern);
    if !name.contains('*') {
        return Ok(vec![path]);
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
        if !entry.starts_with('.') && fits(name, &entry) {
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

/// A value with each word `$key` replaced by what the key was before; `$` within a word is itself. To Dovecot a word
/// ends at a blank alone, and it does not start with a name that no setting can have, such as `$listen,`.
fn with_names(value: &str, at: &Place, before: &dyn Fn(&str) -> String) -> Result<String, Fail> {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let word = |word: &str| match word.strip_prefix('$') {
        None | Some("") => Ok(word.to_owned()),
        Some(name) if is_name(name) => Ok(before(name)),
        Some(_) => Err(Fail::usage(format!("{at}: Dovecot has no variable '{}'", word.escape_debug()))
            .hint("a name ends at a blank; write the value out")),
    };
    let words: Vec<String> = value.split(' ').map(word).collect::<Result<_, _>>()?;
    Ok(words.join(" "))
}

/// The value of a top-level key, the last one when there are several.
pub fn last<'a>(settings: &'a [Setting], key: &str) -> Option<&'a Setting> {
    settings.iter().rfind(|setting| setting.within.is_empty() && setting.key == key)
}

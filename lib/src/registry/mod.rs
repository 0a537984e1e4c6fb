//! `/etc/msgregistry.inf`: which instances a node knows. Parsed and edited line by line, so that what people
//! wrote beside our keys (comments, unknown keys, order, blank lines, bytes that are no UTF-8) survives every change.
//!
//! The original's syntax was never published; this one is ours, described in msgregistry.inf(5).

mod section;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::instance::Instance;
use crate::name::InstanceName;
use crate::place::Place;
use crate::{Exit, Fail, Host, sys};
pub use section::keys;
use section::{Line, Section, bad, ends_blank, line_end};

/// Where the registry stands on every node.
pub const PATH: &str = "/etc/msgregistry.inf";

/// The registry's bytes, cut into what stands before the first section and the sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    head: Vec<u8>,
    sections: Vec<Section>,
    places: HashMap<InstanceName, usize>,
}

impl Registry {
    /// Reads the registry's bytes; `file` is named in errors.
    pub fn parse(text: impl AsRef<[u8]>, file: &Path) -> Result<Self, Fail> {
        let mut registry = Self::default();
        let mut lines = text.as_ref().split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
        while let Some((index, line)) = lines.next_if(|(_, line)| !section::is_title(line)) {
            match Line::of(line) {
                Line::Other => registry.head.extend_from_slice(line),
                Line::Key(..) | Line::Bad => {
                    return Err(bad(file, index + 1, "a key before the first [instance]"));
                }
            }
        }
        let mut section = Vec::new();
        while let Some((index, title)) = lines.next() {
            section.clear();
            section.push(title);
            while let Some((_, line)) = lines.next_if(|(_, line)| !section::is_title(line)) {
                section.push(line);
            }
            let section = Section::parse(&section, file, index + 1)?;
            let name = section.instance.name.clone();
            if let Some(first) = registry.places.get(&name).and_then(|at| registry.sections.get(*at)) {
                let twice = format!("[{name}] stands there twice, first in line {}", first.line);
                return Err(bad(file, index + 1, twice));
            }
            registry.places.insert(name, registry.sections.len());
            registry.sections.push(section);
        }
        Ok(registry)
    }

    /// Reads the registry of a host; a node without the file knows no instance.
    pub fn load(host: &Host) -> Result<Self, Fail> {
        let path = host.path(PATH);
        sys::file::read(&path)?.map_or_else(|| Ok(Self::default()), |text| Self::parse(text, &path))
    }

    /// The registry as it stands in the file.
    pub fn bytes(&self) -> Vec<u8> {
        let parts = self.sections.iter().flat_map(|section| [&section.body, &section.tail]);
        std::iter::once(&self.head).chain(parts).flatten().copied().collect()
    }

    /// The instances in the order of the file.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.sections.iter().map(|section| &section.instance)
    }

    /// The instance of that name.
    pub fn get(&self, name: &InstanceName) -> Option<&Instance> {
        self.places.get(name).and_then(|at| self.sections.get(*at)).map(|section| &section.instance)
    }

    /// Where the entry of that name began when the file was read.
    pub fn place(&self, name: &InstanceName) -> Place {
        let section = self.places.get(name).and_then(|at| self.sections.get(*at));
        section.map_or_else(|| Place::file(PATH), |section| Place::line(PATH, section.line))
    }

    /// The instance of that name, or a failure that says which there are.
    pub fn find(&self, name: &InstanceName) -> Result<&Instance, Fail> {
        self.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.instances().map(|instance| instance.name.as_str()).collect();
            let hint = if known.is_empty() {
                "it knows none; add it with ims-registry add".to_owned()
            } else {
                format!("it knows {}", known.join(", "))
            };
            Fail::usage(format!("no instance '{name}' in {PATH}")).hint(hint)
        })
    }

    /// Adds an instance at the end, or changes the keys that differ; says whether anything changed.
    pub fn put(&mut self, instance: &Instance) -> bool {
        let at = self.places.get(&instance.name).copied();
        if let Some(section) = at.and_then(|at| self.sections.get_mut(at)) {
            return section.change(instance);
        }
        let (shown, tail) = match self.sections.last_mut() {
            Some(last) if last.tail.is_empty() => (&last.body, &mut last.tail),
            Some(last) => (&last.tail.clone(), &mut last.tail),
            None => (&self.head.clone(), &mut self.head),
        };
        let end = line_end(shown);
        if !shown.is_empty() && !shown.ends_with(b"\n") {
            tail.extend_from_slice(end);
        }
        if !shown.is_empty() && !ends_blank(shown) {
            tail.extend_from_slice(end);
        }
        self.places.insert(instance.name.clone(), self.sections.len());
        self.sections.push(Section::new(instance, end));
        true
    }

    /// Takes instances out, each from its title to its last key with one blank line that parts it from another;
    /// says whether any was there. Comments before and after an entry are somebody's and stay.
    pub fn remove(&mut self, names: &[InstanceName]) -> bool {
        let gone: HashSet<&InstanceName> = names.iter().collect();
        let before = self.sections.len();
        let mut sections: Vec<Section> = Vec::with_capacity(before);
        let mut ends_open = false;
        for section in std::mem::take(&mut self.sections) {
            if gone.contains(&section.instance.name) {
                let above = sections.last_mut().map_or(&mut self.head, |above| &mut above.tail);
                above.extend_from_slice(section.tail_below());
                ends_open = section.tail.is_empty();
            } else {
                sections.push(section);
                ends_open = false;
            }
        }
        if ends_open {
            let last = sections.last_mut().map_or(&mut self.head, |last| &mut last.tail);
            section::trim_blank_line(last);
        }
        self.places = sections.iter().enumerate().map(|(at, s)| (s.instance.name.clone(), at)).collect();
        self.sections = sections;
        self.sections.len() != before
    }

    /// Whether no instance is left.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }
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

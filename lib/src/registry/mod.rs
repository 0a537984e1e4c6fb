//! `/etc/msgregistry.inf`: which instances a node knows. Parsed and edited line by line, so that what people
//! wrote beside our keys (comments, unknown keys, order, blank lines) survives every change.
//!
//! The original's syntax was never published; this one is ours, described in msgregistry.inf(5).

mod section;

use std::fmt;
use std::path::Path;

pub use section::absolute;
use section::{Line, bad, line_end, with_keys};

use crate::instance::Instance;
use crate::name::InstanceName;
use crate::{Fail, Host, sys};

/// Where the registry stands on every node.
pub const PATH: &str = "/etc/msgregistry.inf";

/// The registry's text, cut into what stands before the first section and the sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    head: String,
    sections: Vec<Section>,
}

/// One `[name]` with every line up to the next, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    instance: Instance,
    text: String,
}

impl Registry {
    /// Reads the registry's text; `file` is named in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Fail> {
        let mut head = String::new();
        let mut raw: Vec<(usize, String)> = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if line.trim_start().starts_with('[') {
                raw.push((index + 1, line.to_owned()));
            } else if let Some((_, section)) = raw.last_mut() {
                section.push_str(line);
            } else if matches!(Line::of(line), Line::Other) {
                head.push_str(line);
            } else {
                return Err(bad(file, index + 1, "a key before the first [instance]"));
            }
        }
        let mut sections: Vec<Section> = Vec::with_capacity(raw.len());
        let mut seen = std::collections::HashSet::new();
        for (line, text) in raw {
            let instance = section::parse(&text, file, line)?;
            if !seen.insert(instance.name.clone()) {
                return Err(bad(file, line, format!("[{}] stands there twice", instance.name)));
            }
            sections.push(Section { instance, text });
        }
        Ok(Self { head, sections })
    }

    /// Reads the registry of a host; a node without the file knows no instance.
    pub fn load(host: &Host) -> Result<Self, Fail> {
        let path = host.path(PATH);
        match sys::file::read_text(&path) {
            Ok(Some(text)) => Self::parse(&text, &path),
            Ok(None) => Ok(Self::default()),
            Err(fail) => Err(fail),
        }
    }

    /// The instances in the order of the file.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.sections.iter().map(|section| &section.instance)
    }

    /// The instance of that name.
    pub fn get(&self, name: &InstanceName) -> Option<&Instance> {
        self.instances().find(|instance| &instance.name == name)
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

    /// Adds an instance, or changes the keys that differ; says whether anything changed.
    pub fn put(&mut self, instance: &Instance) -> bool {
        if let Some(section) = self.sections.iter_mut().find(|s| s.instance.name == instance.name) {
            if &section.instance == instance {
                return false;
            }
            section.text = with_keys(&section.text, instance);
            section.instance = instance.clone();
            return true;
        }
        let before = self.sections.last_mut().map_or(&mut self.head, |section| &mut section.text);
        let end = line_end(before);
        if !before.is_empty() && !before.ends_with('\n') {
            before.push_str(end);
        }
        if !before.is_empty() && !before.ends_with(&format!("\n{end}")) {
            before.push_str(end);
        }
        let text = with_keys(&format!("[{}]{end}", instance.name), instance);
        self.sections.push(Section { instance: instance.clone(), text });
        true
    }

    /// Takes an instance out, with the lines of its section; says whether it was there.
    pub fn remove(&mut self, name: &InstanceName) -> bool {
        let before = self.sections.len();
        self.sections.retain(|section| &section.instance.name != name);
        self.sections.len() != before
    }

    /// Whether no instance is left.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        self.sections.iter().try_for_each(|section| f.write_str(&section.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;

    const TWO: &str = "# ours\n[mail-1]\nlayout = iplanet-5\nroot = /opt/iplanet/server5\naddress = 10.0.37.10\nldap = elenchus\n\
                       owner = postmaster ; keep\n\n# the other\n[mail-2]\nroot=/opt/iplanet/server5\nlayout=iplanet-5\n";

    fn parse(text: &str) -> Result<Registry, Fail> {
        Registry::parse(text, Path::new("/etc/msgregistry.inf"))
    }

    #[test]
    fn a_registry_prints_as_it_was_read() {
        for text in ["", "# only a comment\n", TWO, TWO.trim_end()] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn changing_one_key_leaves_every_other_byte() {
        let mut registry = parse(TWO).unwrap();
        let mut instance = registry.get(&"mail-1".parse().unwrap()).unwrap().clone();
        assert!(!registry.put(&instance), "the same again is no change");
        instance.addresses = vec!["10.0.37.11".parse().unwrap()];
        assert!(registry.put(&instance));
        assert_eq!(registry.to_string(), TWO.replace("10.0.37.10", "10.0.37.11"));
    }

    #[test]
    fn what_was_added_is_taken_out_again() {
        let mut registry = parse(TWO).unwrap();
        let instance =
            Instance { name: "mail-3".parse().unwrap(), ..registry.instances().next().unwrap().clone() };
        assert!(registry.put(&instance));
        let again = parse(&registry.to_string()).unwrap();
        assert_eq!(again.get(&instance.name), Some(&instance));
        assert!(registry.remove(&instance.name));
        assert_eq!(registry.to_string(), format!("{TWO}\n"));
    }

    #[test]
    fn a_torn_registry_is_refused_with_its_line() {
        for (text, place) in [
            ("layout = iplanet-5\n", ":1: a key before"),
            ("[mail-1\nlayout = iplanet-5\n", ":1: a section without"),
            ("[mail-1]\nlayout = iplanet-5\nroot = /opt/ipl", ""),
            ("[mail-1]\nlayout = iplanet-5\nro", ":3: neither"),
            ("[mail-1]\nlayout = iplanet-5\n", ":1: [mail-1] has no root"),
            ("[a]\nlayout = x\nroot = /a\n", ":2: no layout 'x'"),
            ("[a]\nlayout = iplanet-5\nroot = a\n", ":3: not an absolute path"),
            ("[a]\nlayout = iplanet-5\nroot = /a\nroot = /b\n", ":4: root stands twice"),
            (
                "[a]\nlayout = iplanet-5\nroot = /a\n[a]\nlayout = iplanet-5\nroot = /a\n",
                ":4: [a] stands there twice",
            ),
        ] {
            match parse(text) {
                Ok(_) => assert!(place.is_empty(), "{text:?} was taken"),
                Err(fail) => {
                    assert_eq!(fail.exit(), Exit::Usage);
                    let told = fail.to_string();
                    assert!(!place.is_empty() && told.contains(place), "{text:?}: {told}");
                }
            }
        }
    }
}

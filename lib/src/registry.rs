//! `/etc/msgregistry.inf`: which instances a node knows. Parsed and edited line by line, so that what people
//! wrote beside our keys (comments, unknown keys, order, blank lines) survives every change.
//!
//! The original's syntax was never published; this one is ours, described in msgregistry.inf(5).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::address::Address;
use crate::instance::Instance;
use crate::layout::Layout;
use crate::name::InstanceName;
use crate::{Exit, Fail, Host, sys};

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
            let instance = parse_section(&text, file, line)?;
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

/// What one line is.
enum Line<'a> {
    Key(&'a str, &'a str),
    Other,
    Bad,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
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

fn bad(file: &Path, line: usize, what: impl fmt::Display) -> Fail {
    Fail::usage(format!("{}:{line}", file.display())).because(what)
}

fn parse_section(text: &str, file: &Path, first: usize) -> Result<Instance, Fail> {
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
fn line_end(text: &str) -> &'static str {
    if text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" }
}

/// The section's text with our keys as the instance has them; a key that is already right keeps its line.
fn with_keys(text: &str, instance: &Instance) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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

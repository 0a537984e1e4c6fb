//! A cluster in memory on which the commands of a script are carried out in their order, and what is wrong with it.

use std::path::{Path, PathBuf};

use super::action::{self, Action, Change, LOGICAL_HOST, Property, list};
use super::resource;
use super::script::{Script, Word};
use crate::import::{Given, Remark, RemarkKind};

/// What the commands have made so far.
#[derive(Debug)]
pub struct Cluster<'a> {
    given: &'a Given,
    /// The types that were registered, in lower case.
    types: Vec<String>,
    /// The groups in the order they were made.
    pub groups: Vec<Made>,
    /// The resources in the order they were made.
    pub resources: Vec<Made>,
}

/// A group or a resource.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// The group, of a resource.
    pub group: String,
    /// The type, of a resource, without its version.
    pub kind: String,
    /// Its properties, each once, the last value of each.
    pub properties: Vec<(PathBuf, Property)>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Where it was made.
    pub file: PathBuf,
    /// The line of that.
    pub line: usize,
}

impl Made {
    /// A property by its name, whose case counts for nothing.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut known = self.properties.iter().map(|(_, property)| property);
        known
            .find(|property| property.name.eq_ignore_ascii_case(name))
            .map(|property| property.value.as_str())
    }

    /// A remark at the place where it was made.
    pub fn remark(&self, kind: RemarkKind, what: impl Into<String>) -> Remark {
        Remark::at(kind, &self.file, self.line, what)
    }

    fn set(&mut self, file: &Path, mut property: Property) {
        // -p Name+=value and Name-=value of the newer commands.
        let (name, sign) = match property.name.strip_suffix(['+', '-']) {
            Some(name) => (name.to_owned(), property.name.chars().last()),
            None => (property.name.clone(), None),
        };
        let mut items = self.get(&name).map(list).unwrap_or_default();
        match sign {
            Some('+') => items.extend(list(&property.value)),
            Some(_) => items.retain(|item| !list(&property.value).contains(item)),
            None => items.clear(),
        }
        if sign.is_some() {
            property.value = items.join(",");
        }
        property.name = name;
        self.properties.retain(|(_, known)| !known.name.eq_ignore_ascii_case(&property.name));
        self.properties.push((file.to_owned(), property));
    }
}

impl<'a> Cluster<'a> {
    /// One in which nothing is made yet.
    pub const fn new(given: &'a Given) -> Self {
        Self { given, types: Vec::new(), groups: Vec::new(), resources: Vec::new() }
    }

    /// The resources of a group.
    pub fn of<'b>(&'b self, group: &'b str) -> impl Iterator<Item = &'b Made> {
        self.resources.iter().filter(move |resource| resource.group == group)
    }

    /// Carries out a command.
    pub fn carry_out(&mut self, words: &[Word], script: &Script, file: &Path, remarks: &mut Vec<Remark>) {
        let line = words.first().map_or(1, |word| word.line);
        let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, line, what));
        match action::of(words, script) {
            Action::Nothing => {}
            Action::Other => {
                let told: Vec<&str> = words.iter().take(3).map(|word| word.text.as_str()).collect();
                say(RemarkKind::Lost, format!("'{}': a group file does not hold it", told.join(" ")));
            }
            Action::Register(kinds) => self.types.extend(kinds.iter().map(|kind| bare(kind).to_lowercase())),
            Action::Group(change) => self.group(&change, (file, line), &mut say),
            Action::Resource(change) => {
                let slips = self.resource(change, (file, line), &mut say);
                remarks.extend(slips);
            }
            Action::RemoveGroups(names) => {
                for name in names {
                    if self.of(&name).next().is_some() {
                        say(RemarkKind::Slip, format!("{name} is removed while it has resources: it stays"));
                    } else {
                        self.groups.retain(|group| group.name != name);
                        say(RemarkKind::Note, format!("not carried out: ims-switch remove {name}"));
                    }
                }
            }
            Action::RemoveResources(names) => {
                for name in names {
                    let enabled = self.resources.iter().any(|made| made.name == name && made.enabled);
                    if enabled {
                        say(RemarkKind::Slip, format!("{name} is removed before it is disabled"));
                    }
                    self.resources.retain(|resource| resource.name != name);
                }
            }
            Action::Enable(names) => self.enable(&names, true, &mut say),
            Action::Disable(names) => self.enable(&names, false, &mut say),
            Action::Online { groups, on, enables } => {
                for name in &groups {
                    for resource in self.resources.iter_mut().filter(|resource| resource.group == *name) {
                        resource.enabled |= enables;
                    }
                    let verb = if on.is_some() { "move" } else { "online" };
                    let to = on.as_ref().map(|on| format!(" --to {on}")).unwrap_or_default();
                    say(RemarkKind::Note, format!("not carried out: ims-switch {verb} {name}{to}"));
                }
            }
            Action::Offline(groups) => {
                for name in groups {
                    say(RemarkKind::Note, format!("not carried out: ims-switch offline {name}"));
                }
            }
        }
    }

    fn group(&mut self, change: &Change, place: (&Path, usize), say: &mut impl FnMut(RemarkKind, String)) {
        let (file, _) = place;
        if !self.groups.iter().any(|group| group.name == change.name) {
            if !change.is_new {
                say(RemarkKind::Lost, format!("{} is changed and was never made", change.name));
                return;
            }
            self.groups.push(Made::new(change, place));
        } else if change.is_new {
            say(RemarkKind::Slip, format!("{} is made a second time", change.name));
        }
        for group in self.groups.iter_mut().filter(|group| group.name == change.name) {
            for property in &change.properties {
                group.set(file, property.clone());
            }
        }
    }

    fn resource(
        &mut self,
        mut change: Change,
        (file, line): (&Path, usize),
        say: &mut impl FnMut(RemarkKind, String),
    ) -> Vec<Remark> {
        let mut slips = Vec::new();
        let there = self.resources.iter().position(|resource| resource.name == change.name);
        let group = change
            .group
            .clone()
            .or_else(|| there.and_then(|at| self.resources.get(at)).map(|resource| resource.group.clone()));
        let group = group.unwrap_or_default();
        if there.is_none() {
            if !change.is_new || !self.groups.iter().any(|known| known.name == group) {
                let why = if change.is_new { "its group" } else { "it" };
                say(RemarkKind::Lost, format!("{}: {why} was never made", change.name));
                return slips;
            }
            self.judge(&change, say);
            self.resources.push(Made::new(&change, (file, line)));
        }
        // What belongs to a group and was set on a resource is put where it belongs.
        let (of_the_group, own): (Vec<Property>, Vec<Property>) =
            change.properties.drain(..).partition(|property| property.name.to_lowercase().starts_with("rg_"));
        for property in of_the_group {
            let what = format!(
                "{} is a property of a group, not of a resource like {}: set on {group}",
                property.name, change.name
            );
            slips.push(Remark::at(RemarkKind::Slip, file, property.line, what));
            for group in self.groups.iter_mut().filter(|known| known.name == group) {
                group.set(file, property.clone());
            }
        }
        for property in &own {
            if property.name.to_lowercase().starts_with("resource_dependencies") {
                for wanted in list(&property.value) {
                    let wanted = wanted.split('{').next().unwrap_or_default();
                    if !self.resources.iter().any(|known| known.name == wanted) {
                        let what = format!("{wanted} is required before it is made");
                        slips.push(Remark::at(RemarkKind::Slip, file, property.line, what));
                    }
                }
            }
        }
        for resource in self.resources.iter_mut().filter(|resource| resource.name == change.name) {
            for property in &own {
                resource.set(file, property.clone());
            }
        }
        slips
    }

    /// What the cluster would refuse about a new resource.
    fn judge(&self, change: &Change, say: &mut impl FnMut(RemarkKind, String)) {
        let kind = bare(change.kind.as_deref().unwrap_or_default());
        if kind != LOGICAL_HOST && !self.types.contains(&kind.to_lowercase()) {
            say(RemarkKind::Slip, format!("{kind} was not registered before {} is made of it", change.name));
        }
        if !kind.eq_ignore_ascii_case("SUNW.ims") {
            return;
        }
        // It is validated as it is made, by what its directory server says.
        let required = change
            .properties
            .iter()
            .filter(|property| property.name.to_lowercase().starts_with("resource_dependencies"));
        for wanted in required.flat_map(|property| list(&property.value)) {
            if self.resources.iter().any(|known| known.name == wanted && !known.enabled)
                && self.serves(&wanted)
            {
                let told = format!(
                    "{} is made while {wanted}, which it is validated by, is not enabled",
                    change.name
                );
                say(RemarkKind::Slip, told);
            }
        }
    }

    fn serves(&self, name: &str) -> bool {
        let kind =
            self.resources.iter().find(|known| known.name == name).map(|known| known.kind.to_lowercase());
        kind.is_some_and(|kind| kind.ends_with("ldap"))
    }

    fn enable(&mut self, names: &[String], enabled: bool, say: &mut impl FnMut(RemarkKind, String)) {
        for name in names {
            let mut known = false;
            for resource in self.resources.iter_mut().filter(|made| made.name == *name || name == "+") {
                resource.enabled = enabled;
                known = true;
            }
            if !known {
                say(RemarkKind::Lost, format!("{name} was never made"));
            }
        }
        let verb = if enabled { "enable" } else { "disable" };
        let parts = self.parts(names);
        if !parts.is_empty() {
            say(RemarkKind::Note, format!("not carried out: ims-switch {verb} {}", parts.join(" ")));
        }
    }

    /// What these resources are called in our groups.
    fn parts(&self, names: &[String]) -> Vec<String> {
        let is_meant = |made: &&Made| names.iter().any(|name| name == "+" || *name == made.name);
        let called = |made: &Made| {
            // What there is to say of it is said once, when all is made.
            let parts = resource::became(made, self.given, &mut Vec::new()).resources;
            parts.into_iter().map(|part| format!("{}:{}", made.group, part.name)).collect::<Vec<_>>()
        };
        self.resources.iter().filter(is_meant).flat_map(called).collect()
    }
}

impl Made {
    fn new(change: &Change, (file, line): (&Path, usize)) -> Self {
        Self {
            name: change.name.clone(),
            group: change.group.clone().unwrap_or_default(),
            kind: bare(change.kind.as_deref().unwrap_or_default()).to_owned(),
            properties: Vec::new(),
            enabled: change.enabled,
            file: file.to_owned(),
            line,
        }
    }
}

/// A type without its version: `SUNW.nsldap:3.1` is `SUNW.nsldap`.
fn bare(kind: &str) -> &str {
    kind.split(':').next().unwrap_or(kind)
}

//! The attributes of one block as they are read: each is asked for by its name, and what nobody asked for is told.

use std::path::Path;

use super::kept;
use super::syntax::{Attribute, Block, Value};
use crate::import::{Remark, RemarkKind, Value as Said};

/// A block that is being read.
pub struct Attributes<'a> {
    /// The block.
    pub block: &'a Block,
    /// Its file.
    pub file: &'a Path,
    /// The group's nodes in the order of preference: of values that differ between systems the first one's counts.
    pub nodes: &'a [String],
    /// What is told of it.
    pub remarks: Vec<Remark>,
    asked: Vec<&'a str>,
}

impl<'a> Attributes<'a> {
    /// Begins to read a block.
    pub const fn new(block: &'a Block, file: &'a Path, nodes: &'a [String]) -> Self {
        Self { block, file, nodes, remarks: Vec::new(), asked: Vec::new() }
    }

    /// Tells something about the block.
    pub fn tell(&mut self, kind: RemarkKind, what: impl std::fmt::Display) {
        let what = format!("{} {}: {what}", self.block.word, self.block.name);
        self.remarks.push(Remark::at(kind, self.file, self.block.line, what));
    }

    fn tell_at(&mut self, kind: RemarkKind, line: usize, what: impl std::fmt::Display) {
        let what = format!("{} {}: {what}", self.block.word, self.block.name);
        self.remarks.push(Remark::at(kind, self.file, line, what));
    }

    fn named(&mut self, name: &str) -> Vec<&'a Attribute> {
        let found: Vec<&Attribute> =
            self.block.attributes.iter().filter(|attribute| attribute.name == name).collect();
        self.asked.extend(found.first().map(|attribute| attribute.name.as_str()));
        found
    }

    /// An attribute's value; the most preferred node's where systems differ, which is told.
    pub fn value(&mut self, name: &str) -> Option<&'a Value> {
        let found = self.named(name);
        let of = |node: &String| found.iter().find(|attribute| attribute.system.as_ref() == Some(node));
        // Said twice of the same, the last one counts.
        let general = found.iter().rev().find(|attribute| attribute.system.is_none());
        let taken = self.nodes.iter().find_map(of).or(general).or(found.first())?;
        let differs = found.iter().any(|attribute| attribute.value.text() != taken.value.text());
        if differs {
            let told: Vec<String> = found
                .iter()
                .map(|attribute| match &attribute.system {
                    Some(system) => format!("{} on {system}", attribute.value.text()),
                    None => attribute.value.text(),
                })
                .collect();
            let what = format!(
                "{name} is {}; a group file has one value, {} is taken",
                told.join(", "),
                taken.value.text()
            );
            self.tell_at(RemarkKind::Changed, taken.line, what);
        }
        Some(&taken.value)
    }

    /// An attribute's value as a text, when it is there and not empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.value(name).map(Value::text).filter(|text| !text.is_empty())
    }

    /// An attribute that may be left out when it has the value that VCS gives it anyway; else told with what that means.
    pub fn usual(&mut self, name: &str, usual: &str, otherwise: &str) {
        let Some(line) = self.named(name).first().map(|attribute| attribute.line) else { return };
        if self.text(name).is_some_and(|text| text != usual) {
            self.tell_at(RemarkKind::Lost, line, format!("{name}: {otherwise}"));
        }
    }

    /// Tells an attribute that has no counterpart, and why that is.
    pub fn lost(&mut self, name: &str, why: &str) {
        for attribute in self.named(name) {
            self.tell_at(RemarkKind::Lost, attribute.line, format!("{name}: {why}"));
        }
    }

    /// What the comments of ours in the block say.
    pub fn kept(&mut self) -> Vec<(String, Said)> {
        let mut pairs = Vec::new();
        for (line, text) in &self.block.kept {
            match kept::read(text) {
                Some(pair) => pairs.push(pair),
                None => self.tell_at(RemarkKind::Lost, *line, "a comment of ims-switch is not KEY = VALUE"),
            }
        }
        pairs
    }

    /// Tells every attribute that nobody asked for. Values are not told: some are passwords.
    pub fn rest(&mut self) {
        let mut told: Vec<&str> = Vec::new();
        for attribute in &self.block.attributes {
            let name = attribute.name.as_str();
            if !self.asked.contains(&name) && !told.contains(&name) {
                told.push(name);
                self.tell_at(RemarkKind::Lost, attribute.line, format!("{name} has no counterpart"));
            }
        }
    }

    /// Takes every attribute as read.
    pub fn passes_all(&mut self) {
        self.asked.extend(self.block.attributes.iter().map(|attribute| attribute.name.as_str()));
    }
}

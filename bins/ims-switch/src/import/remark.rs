//! What an import or an export could not carry over as it was, each with its place.

use std::path::{Path, PathBuf};

use ims::Record;
use schemars::JsonSchema;
use serde::Serialize;

/// Something a person should know about what was read or written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remark {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1; absent when the whole file is meant.
    pub line: Option<usize>,
    /// What it is about, in words.
    pub what: String,
    /// What became of it.
    pub kind: RemarkKind,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// The files do not say it and a group needs it: nothing is written until an option says it.
    Missing,
    /// It has no counterpart and was left out.
    Lost,
    /// It was carried over as something that is not quite the same.
    Changed,
    /// It was a mistake where it stands and was put right.
    Slip,
    /// It was understood and needs nothing.
    Note,
}

impl RemarkKind {
    /// The kind as a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Lost => "lost",
            Self::Changed => "changed",
            Self::Slip => "slip",
            Self::Note => "note",
        }
    }
}

impl Remark {
    /// A remark about a line of a file.
    pub fn at(kind: RemarkKind, file: &Path, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: Some(line), what: what.into(), kind }
    }

    /// A remark about a file as a whole.
    pub fn of(kind: RemarkKind, file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, what: what.into(), kind }
    }

    /// Where it is, as people write it.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file.display()),
            None => self.file.display().to_string(),
        }
    }
}

impl Record for Remark {
    const SCHEMA: &'static str = "ims.import-remark/1";

    fn columns() -> &'static [&'static str] {
        &["place", "kind", "what"]
    }

    fn row(&self) -> Vec<String> {
        vec![self.place(), self.kind.word().to_owned(), self.what.clone()]
    }
}

/// How many remarks there are of each kind, in words; nothing when there are none.
pub fn counted(remarks: &[Remark]) -> Option<String> {
    let kinds =
        [RemarkKind::Missing, RemarkKind::Lost, RemarkKind::Changed, RemarkKind::Slip, RemarkKind::Note];
    let told: Vec<String> = kinds
        .into_iter()
        .map(|kind| (remarks.iter().filter(|remark| remark.kind == kind).count(), kind.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() { None } else { Some(told.join(", ")) }
}

//! A place in a file that a person can open.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file and a line in it, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; absent when the whole file is meant.
    pub line: Option<usize>,
}

impl Place {
    /// A line of a file, counted from 1.
    pub fn line(file: impl AsRef<Path>, line: usize) -> Self {
        Self { file: file.as_ref().to_owned(), line: Some(line) }
    }

    /// A file as a whole, where the value that counts is the server's default.
    pub fn file(file: impl AsRef<Path>) -> Self {
        Self { file: file.as_ref().to_owned(), line: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

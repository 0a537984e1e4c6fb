//! Lossless editors of the servers' configuration files, one module a grammar. A file is kept as its physical
//! lines; only the bytes of a value that changes are touched, so that comments, order, key case, blank space and
//! line ends stay. Nothing here touches the disk.

pub mod dovecot;
pub mod imta;
pub mod ldif;
pub mod lines;
pub mod main_cf;
pub mod master_cf;
pub mod option_file;
pub mod secret;
pub mod shell;
pub mod slapd;
pub mod text;

use std::fmt;
use std::path::Path;

use crate::Fail;

/// A value as a file gives it, with the line where it stands, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value without the blank space round it.
    pub text: String,
    /// The line it begins on.
    pub line: usize,
}

/// A file that is not valid, with the line, counted from 1.
pub(crate) fn bad(file: &Path, line: usize, what: impl fmt::Display) -> Fail {
    Fail::usage(format!("{}:{line}", file.display())).because(what)
}

/// A piece of a file for a message, cut to what fits on a line.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = secret::masked(text.trim()).chars().take(60).collect();
    cut.escape_debug().to_string()
}

//! VERITAS Cluster Server: `main.cf` and types files read as groups, and groups written as these. Nothing here touches
//! the disk.

mod apart;
mod application;
mod attributes;
mod declaration;
mod included;
mod kept;
mod kinds;
mod lexer;
mod links;
mod parser;
mod policy;
mod print;
mod read;
mod resource;
mod syntax;
mod types;
mod write;

use std::path::Path;

use ims::Fail;

pub use included::included;
pub use read::read;
pub use write::write;

/// What is not valid on a line of a file, counted from 1.
fn wrong(file: &Path, line: usize, what: impl std::fmt::Display) -> Fail {
    Fail::usage(format!("{}:{line}", file.display())).because(what)
}

#[cfg(test)]
mod tests;

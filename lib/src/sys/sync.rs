//! Writing out what a file system keeps in memory.

use std::fs::File;
use std::io;

/// Writes out the file system that holds an open file; others are left alone.
pub fn file_system(file: &File) -> io::Result<()> {
    rustix::fs::syncfs(file).map_err(io::Error::from)
}

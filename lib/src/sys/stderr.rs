//! What people read: one line a message, the command's name first.

use std::fmt::Display;
use std::io::Write;

/// Tells a person something on stderr.
pub fn say(command: &str, message: impl Display) {
    // Nobody is left to be told when stderr itself is gone; the exit status still speaks.
    let _ = writeln!(std::io::stderr().lock(), "{command}: {message}");
}

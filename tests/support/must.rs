//! What a test bed cannot do ends the test, in words that say what it was about.

use std::fmt::Display;

/// Gives the value or ends the test.
pub trait Must<T> {
    /// Gives the value, or panics with "cannot `what`: the reason".
    fn must(self, what: impl Display) -> T;
}

impl<T, E: Display> Must<T> for Result<T, E> {
    #[track_caller]
    fn must(self, what: impl Display) -> T {
        match self {
            Ok(value) => value,
            Err(reason) => panic!("cannot {what}: {reason}"),
        }
    }
}

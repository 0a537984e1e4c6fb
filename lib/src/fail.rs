//! The one error type: what was being done to what, the exit status, and the cause.

use std::fmt;
use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Exit, Record};

/// A failure, made where its reason is known and passed up untouched.
#[derive(Debug)]
pub struct Fail {
    what: String,
    exit: Exit,
    cause: Option<String>,
    hint: Option<String>,
    undo: Option<Box<Fail>>,
}

impl Fail {
    /// A failure with its status; `what` is lower case, names the thing, and ends without a full stop.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { what: what.into(), exit, cause: None, hint: None, undo: None }
    }

    /// The command line, a file or a record is not valid.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// It could not be found out.
    pub fn unknown(what: impl Into<String>) -> Self {
        Self::new(Exit::Unknown, what)
    }

    /// A safety rule forbids it; `what` says which.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(Exit::Refused, what)
    }

    /// It failed and nothing was changed, or all was put back.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what)
    }

    /// It stopped half-way.
    pub fn broken(what: impl Into<String>) -> Self {
        Self::new(Exit::Broken, what)
    }

    /// Another run holds the lock.
    pub fn busy(what: impl Into<String>) -> Self {
        Self::new(Exit::Busy, what)
    }

    /// An input or output error, with the way out of the usual ones (no root, a full disk).
    pub fn io(exit: Exit, what: impl Into<String>, error: &io::Error) -> Self {
        let fail = Self::new(exit, what).because(plain(error));
        let kind = error.kind();
        if kind == io::ErrorKind::PermissionDenied && !rustix::process::geteuid().is_root() {
            fail.hint("run as root")
        } else if kind == io::ErrorKind::StorageFull {
            fail.hint("free some space and run it again")
        } else if kind == io::ErrorKind::ReadOnlyFilesystem {
            fail.hint("remount it read-write")
        } else {
            fail
        }
    }

    /// Adds the cause, told after a colon; nothing when there are no words for it.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string()).filter(|cause| !cause.is_empty());
        self
    }

    /// Adds the way out, told in parentheses.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that putting things back failed too, so that a person must look.
    #[must_use]
    pub fn and_undo_failed(mut self, undo: Self) -> Self {
        self.exit = Exit::Broken;
        self.undo = Some(Box::new(undo));
        self
    }

    /// Gives the same failure another status, where the caller knows better what it means.
    #[must_use]
    pub const fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The way out, as it is told in parentheses.
    pub fn way_out(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The status the run ends with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

/// An operating system error in words, without Rust's "(os error N)" and without the path that `what` names.
fn plain(error: &io::Error) -> String {
    let inner =
        error.get_ref().and_then(std::error::Error::source).and_then(|e| e.downcast_ref::<io::Error>());
    let text = inner.unwrap_or(error).to_string();
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        if let Some(undo) = &self.undo {
            write!(f, "; and putting it back failed: {undo}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fail {}

/// How a failed run ends on stdout.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailRecord {
    /// The exit status of the run.
    pub exit: u8,
    /// The status as a word.
    pub status: &'static str,
    /// The whole message, as on stderr.
    pub message: String,
}

impl From<&Fail> for FailRecord {
    fn from(fail: &Fail) -> Self {
        Self { exit: fail.exit.code(), status: fail.exit.word(), message: fail.to_string() }
    }
}

impl Record for FailRecord {
    const SCHEMA: &'static str = "ims.fail/1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_undo_stands_beside_its_cause_and_makes_the_run_broken() {
        let fail = Fail::failed("cannot add 192.0.2.7/24 to eth1")
            .because("Operation not permitted")
            .hint("run as root")
            .and_undo_failed(Fail::failed("cannot unmount /global/ims"));
        assert_eq!(fail.exit(), Exit::Broken);
        assert_eq!(
            fail.to_string(),
            "cannot add 192.0.2.7/24 to eth1: Operation not permitted (run as root); \
             and putting it back failed: cannot unmount /global/ims"
        );
    }

    #[test]
    fn an_operating_system_error_is_told_without_its_number() {
        let error = io::Error::from_raw_os_error(28);
        let fail = Fail::io(Exit::Failed, "cannot write main.cf", &error);
        assert_eq!(
            fail.to_string(),
            "cannot write main.cf: No space left on device (free some space and run it again)"
        );
    }
}

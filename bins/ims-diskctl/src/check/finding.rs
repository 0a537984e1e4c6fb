//! What is not as it should be, and the state that it makes of a volume.

use ims::State;
use ims::sys::sample::Refused;
use schemars::JsonSchema;
use serde::Serialize;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The volume is not mounted there.
    NotMounted,
    /// It cannot be written: the kernel or somebody made it read-only.
    ReadOnly,
    /// Its disk does not take what is written.
    Lost,
    /// It did not answer in time.
    Silent,
    /// It could not be looked at.
    Unreadable,
    /// More of its space is used than should be.
    Space,
    /// More of its inodes are used than should be.
    Inodes,
    /// A write takes longer than it should.
    Slow,
    /// The file system counted errors, or knows that it is damaged.
    Errors,
    /// A disk below it does not work, as its driver says.
    Disk,
    /// A disk below it says of itself that it fails.
    Smart,
}

impl Finding {
    /// The state of a volume where nothing but this was found.
    ///
    /// A disk that is silent is unknown and not down: it may be about to answer, and whoever looks may be what hangs.
    pub const fn state(self) -> State {
        match self {
            Self::NotMounted | Self::ReadOnly | Self::Lost => State::Down,
            Self::Silent | Self::Unreadable => State::Unknown,
            Self::Space | Self::Inodes | Self::Slow | Self::Errors | Self::Disk | Self::Smart => {
                State::Partial
            }
        }
    }
}

/// A finding with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remark {
    /// What was found.
    pub what: Finding,
    /// The words for people.
    pub words: String,
}

impl Remark {
    /// A finding in words.
    pub fn new(what: Finding, words: impl Into<String>) -> Self {
        Self { what, words: words.into() }
    }
}

/// The state of a volume by all that was found: what is certain goes before what is unknown.
pub fn state(remarks: &[Remark]) -> State {
    let has = |state| remarks.iter().any(|remark| remark.what.state() == state);
    [State::Down, State::Unknown, State::Partial].into_iter().find(|state| has(*state)).unwrap_or(State::Up)
}

/// What it means that a write was refused.
pub const fn of_refusal(refused: Refused) -> Finding {
    match refused {
        Refused::ReadOnly => Finding::ReadOnly,
        Refused::Full => Finding::Space,
        Refused::Lost => Finding::Lost,
        Refused::Other => Finding::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certain_goes_before_what_is_unknown_and_that_before_a_warning() {
        for (found, expected) in [
            (&[][..], State::Up),
            (&[Finding::Space, Finding::Slow], State::Partial),
            (&[Finding::Errors, Finding::Silent], State::Unknown),
            (&[Finding::Unreadable, Finding::Lost, Finding::Smart], State::Down),
            (&[Finding::ReadOnly], State::Down),
            (&[Finding::NotMounted], State::Down),
        ] {
            let remarks: Vec<Remark> = found.iter().map(|what| Remark::new(*what, "")).collect();
            assert_eq!(state(&remarks), expected, "{found:?}");
        }
    }
}

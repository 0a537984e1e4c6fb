//! The exit statuses every command answers with, as ims(7) documents them.

use crate::State;

/// An answer that scripts can trust. Nothing else is ever returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Yes, done, or nothing to do.
    Ok = 0,
    /// The answer is no: offline, a conflict, a failed probe, a difference.
    No = 1,
    /// The command line, a file or a record is not valid.
    Usage = 2,
    /// It could not be found out.
    Unknown = 3,
    /// A safety rule forbids it.
    Refused = 4,
    /// It failed, and the state is as before.
    Failed = 5,
    /// It stopped half-way; a person must look.
    Broken = 6,
    /// Another run holds the lock.
    Busy = 7,
}

impl Exit {
    /// Every status, in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::No,
        Self::Usage,
        Self::Unknown,
        Self::Refused,
        Self::Failed,
        Self::Broken,
        Self::Busy,
    ];

    /// The number a process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
            Self::Refused => 4,
            Self::Failed => 5,
            Self::Broken => 6,
            Self::Busy => 7,
        }
    }

    /// The word that stands for the status in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::No => "no",
            Self::Usage => "usage",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Busy => "busy",
        }
    }

    /// Reads a status back from a process; a number that is none of ours is `None`.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// The graver of two, when several things were asked.
    ///
    /// From light to grave: ok, no, unknown, busy, usage, refused, failed, broken.
    #[must_use]
    pub fn gravest(self, other: Self) -> Self {
        if other.gravity() > self.gravity() { other } else { self }
    }

    const fn gravity(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::No => 1,
            Self::Unknown => 2,
            Self::Busy => 3,
            Self::Usage => 4,
            Self::Refused => 5,
            Self::Failed => 6,
            Self::Broken => 7,
        }
    }
}

impl From<State> for Exit {
    fn from(state: State) -> Self {
        match state {
            State::Up => Self::Ok,
            State::Down => Self::No,
            State::Partial | State::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_of_several_is_the_same_in_any_order() {
        for a in Exit::ALL {
            for b in Exit::ALL {
                assert_eq!(a.gravest(b), b.gravest(a), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_status_reads_back_from_its_number_and_no_other_number_does() {
        for exit in Exit::ALL {
            assert_eq!(Exit::from_code(exit.code().into()), Some(exit));
        }
        assert_eq!(Exit::from_code(101), None);
    }
}

//! What was found when something was looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of a server, an address, a volume, a resource or a group. Never a bool: unknown is neither yes nor no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there and works.
    Up,
    /// It is certainly not there.
    Down,
    /// Some of it is there.
    Partial,
    /// It could not be found out.
    Unknown,
}

impl State {
    /// The state of a whole whose parts were found in these states; nothing at all is down.
    ///
    /// One unknown part makes the whole unknown; up and down parts together make it partial.
    pub fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().reduce(Self::beside).unwrap_or(Self::Down)
    }

    const fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Up, Self::Up) => Self::Up,
            (Self::Down, Self::Down) => Self::Down,
            (Self::Partial, _) | (_, Self::Partial) | (Self::Up, Self::Down) | (Self::Down, Self::Up) => {
                Self::Partial
            }
        }
    }

    /// The word for people and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Partial => "partial",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::State::{self, Down, Partial, Unknown, Up};

    #[test]
    fn a_whole_is_only_up_when_every_part_is() {
        for (parts, whole) in [
            (vec![], Down),
            (vec![Up, Up], Up),
            (vec![Down, Down], Down),
            (vec![Up, Down], Partial),
            (vec![Up, Partial], Partial),
            (vec![Up, Down, Unknown], Unknown),
        ] {
            assert_eq!(State::of_parts(parts.clone()), whole, "{parts:?}");
        }
    }
}

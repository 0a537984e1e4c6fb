//! Durations as people write them on a command line: `180s`, `200ms`, `2m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Fail;

/// The longest that anything waits, so that no sum of such times is too long for a clock.
pub const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A length of time with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let bad = || {
            Fail::usage(format!("not a length of time: '{}'", text.escape_debug()))
                .hint("a number with ms, s, m or h, like 200ms or 180s")
        };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let ms = match unit {
            "ms" => 1,
            "s" | "" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(bad()),
        };
        Self::within(number.checked_mul(ms).map_or(Duration::MAX, Duration::from_millis))
    }
}

impl Span {
    /// A length of time that a deadline can be made of.
    pub fn within(time: Duration) -> Result<Self, Fail> {
        if time > LONGEST {
            return Err(Fail::usage("longer than a year").hint("8760h is the longest"));
        }
        Ok(Self(time))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        if ms.is_multiple_of(1000) { write!(f, "{}s", ms / 1000) } else { write!(f, "{ms}ms") }
    }
}

/// Milliseconds for a record's `…_ms` key, the longest possible when they do not fit.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_unit() {
        for (text, ms) in [("200ms", 200), ("180s", 180_000), ("2m", 120_000), ("1h", 3_600_000), ("7", 7000)]
        {
            assert_eq!(text.parse::<Span>().unwrap().0.as_millis(), ms, "{text}");
        }
        for bad in [
            "",
            "s",
            "-1s",
            "1.5s",
            "1d",
            "99999999999999999999h",
            "18446744073709551615h",
            "8761h",
            "31536001",
        ] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}

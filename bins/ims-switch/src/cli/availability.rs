//! The command line of `ims-switch availability`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::value_parser;
use ims::Fail;
use ims::name::GroupName;

use crate::availability::Model;

/// The longest mean time: a thousand years.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// The arguments of `availability`. What is not given is as table A-2 assumes it.
#[derive(Debug, Clone, clap::Args)]
pub struct Availability {
    /// The model; may be given several times [default: all four]
    #[arg(long, value_name = "MODEL", hide_possible_values = false)]
    pub model: Vec<Model>,
    /// How many primaries the N+1 model has
    #[arg(long, value_name = "N", default_value = "3", value_parser = value_parser!(u32).range(1..=32))]
    pub primaries: u32,
    /// How many standbys the N+1 model has
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u32).range(1..=4))]
    pub standbys: u32,
    /// How many services one standby can carry at once [default: all]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=32))]
    pub capacity: Option<u32>,
    /// The mean time between two failures of a server, its repair included
    #[arg(long, value_name = "TIME", default_value = "2190h")]
    pub mtbf: Mean,
    /// The mean time until a server that failed is back
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub mttr: Mean,
    /// The mean time between two failures of a storage device, its repair included
    #[arg(long, value_name = "TIME", default_value = "365d")]
    pub storage_mtbf: Mean,
    /// The mean time until a storage device that failed is back
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub storage_mttr: Mean,
    /// The mean time that a failover takes, from its beginning until the service answers [default: 60s, assumed]
    #[arg(long, value_name = "TIME")]
    pub failover: Option<Mean>,
    /// Take the mean time of a failover from the journal of this group
    #[arg(long, value_name = "GROUP", conflicts_with = "failover")]
    pub from_history: Option<GroupName>,
    /// How long a failure goes unseen before the failover begins [default: no time]
    #[arg(long, value_name = "TIME")]
    pub detect: Option<Mean>,
    /// How often a year each server is taken out of service for planned work
    #[arg(long, value_name = "N", default_value = "0", value_parser = value_parser!(u32).range(0..=1000))]
    pub planned: u32,
    /// How long planned work on a server takes: the outage where there is no cluster
    #[arg(long, value_name = "TIME", default_value = "2h")]
    pub maintenance: Mean,
    /// The outage of a planned move, where there is a cluster
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub switchover: Mean,
    /// Compare with a simulation of every single server, device and service; status 1 when they differ
    #[arg(long)]
    pub check: bool,
    /// How many years are simulated
    #[arg(long, value_name = "N", default_value = "20000", requires = "check",
          value_parser = value_parser!(u32).range(100..=10_000_000))]
    pub years: u32,
    /// The seed of the simulation: the same one gives the same course
    #[arg(long, value_name = "N", default_value = "1", requires = "check")]
    pub seed: u64,
}

/// A mean length of time with its unit, from a millisecond to a thousand years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mean(pub Duration);

impl FromStr for Mean {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let bad = || {
            Fail::usage(format!("not a length of time: '{}'", text.escape_debug()))
                .hint("a number with ms, s, m, h, d or y, like 1500ms or 90d")
        };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let ms: u64 = match unit {
            "ms" => 1,
            "s" | "" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 24 * 3_600_000,
            "y" => 365 * 24 * 3_600_000,
            _ => return Err(bad()),
        };
        let time = number.checked_mul(ms).map_or(Duration::MAX, Duration::from_millis);
        if time.is_zero() {
            return Err(Fail::usage("no time at all").hint("1ms is the shortest"));
        }
        if time > LONGEST {
            return Err(Fail::usage("longer than a thousand years").hint("1000y is the longest"));
        }
        Ok(Self(time))
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
        let (unit, length) =
            units.into_iter().find(|(_, length)| ms.is_multiple_of(*length)).unwrap_or(("ms", 1));
        write!(f, "{}{unit}", ms / length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_times_are_read_with_their_unit_and_told_in_the_longest_that_fits() {
        for (text, ms, told) in [
            ("200ms", 200, "200ms"),
            ("90", 90_000, "90s"),
            ("120s", 120_000, "2m"),
            ("2190h", 7_884_000_000, "2190h"),
            ("48h", 172_800_000, "2d"),
            ("5y", 157_680_000_000, "1825d"),
        ] {
            let mean: Mean = text.parse().unwrap();
            assert_eq!((mean.0.as_millis(), mean.to_string().as_str()), (ms, told), "{text}");
        }
        for bad in ["", "h", "-1h", "1.5d", "0s", "1w", "1001y", "18446744073709551615y"] {
            assert!(bad.parse::<Mean>().is_err(), "{bad}");
        }
    }
}

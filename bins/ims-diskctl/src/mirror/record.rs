//! What `mirror` prints.

use std::path::PathBuf;

use ims::sys::block::Number;
use ims::{Record, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Counter;

/// A mirror that a volume stands on, or that it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Mirror {
    /// The volume's resource, `GROUP:RESOURCE`, where it was named by its group.
    pub resource: Option<String>,
    /// The path of the volume's device, as it was given.
    pub device: PathBuf,
    /// What mirrors: `btrfs`, `md`, `drbd`.
    pub kind: &'static str,
    /// Its name: the UUID of a Btrfs, the device of the others.
    pub name: String,
    /// Up when every leg is there and alike, partial when it can be used without that, down when it cannot be used,
    /// unknown when that cannot be told.
    pub state: State,
    /// Whether this node uses it: a Btrfs is mounted, the others are active.
    pub active: bool,
    /// Its legs.
    pub legs: Vec<Leg>,
    /// What is being made alike; absent when nothing is.
    pub resync: Option<Resync>,
    /// Why the state is what it is, where that is not plain.
    pub why: Option<String>,
}

/// A leg of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Leg {
    /// Its place in the mirror, as that counts: the number of a device of Btrfs, a slot of MD; a node of DRBD.
    pub place: Option<String>,
    /// Its device; absent when it is missing.
    pub device: Option<PathBuf>,
    /// Its device's major and minor number.
    #[schemars(with = "Option<String>")]
    pub number: Option<Number>,
    /// Its own number within the mirror.
    pub uuid: Option<String>,
    /// How it is.
    pub state: LegState,
    /// How many changes it has seen; of Btrfs.
    pub generation: Option<u64>,
}

impl Leg {
    /// Calls a leg stale that failed to be written, by what the kernel counted of it, and says its name.
    ///
    /// A read that fails is answered from another leg and is no sign that this one lacks anything.
    pub fn marked_by(&mut self, counted: &[Counter]) -> Option<String> {
        let of = format!("device {}", self.place.as_ref()?);
        let has_failed = counted
            .iter()
            .any(|counter| counter.of == of && counter.count > 0 && WRITES.contains(&counter.what.as_str()));
        if self.state != LegState::Present || !has_failed {
            return None;
        }
        self.state = LegState::Stale;
        Some(self.device.as_ref().map_or(of, |device| device.display().to_string()))
    }
}

/// The counters of a device of Btrfs that tell of blocks which it lacks.
const WRITES: [&str; 4] = ["write_errs", "flush_errs", "corruption_errs", "generation_errs"];

/// How a leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LegState {
    /// There, and like the others.
    Present,
    /// Not there.
    Missing,
    /// There, and without what was written since it was missing.
    Stale,
    /// There, and written alone while another was written alone too: one of the two must go.
    Split,
    /// Being made like the others.
    Rebuilding,
    /// There, and given up for its errors.
    Failed,
    /// It could not be read.
    Unreadable,
}

impl LegState {
    /// The word for people and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Split => "split",
            Self::Rebuilding => "rebuilding",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Work under way on a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resync {
    /// What: `resync`, `recover`, `check`, `repair`, `reshape` of MD; `replace`, `balance`, `scrub` of Btrfs; `sync` of DRBD.
    pub action: String,
    /// How much of it is done, in percent.
    pub percent: u64,
    /// How long it will take yet at its present speed, in seconds, where that is known.
    pub left_s: Option<u64>,
}

impl Resync {
    /// So much of so much is done.
    pub fn of(action: &str, done: u64, total: u64, left_s: Option<u64>) -> Self {
        let percent = u128::from(done) * 100 / u128::from(total.max(1));
        Self { action: action.to_owned(), percent: u64::try_from(percent).unwrap_or(100).min(100), left_s }
    }
}

impl Record for Mirror {
    const SCHEMA: &'static str = "ims.mirror/1";

    fn columns() -> &'static [&'static str] {
        &["device", "kind", "name", "state", "active", "legs", "resync"]
    }

    fn row(&self) -> Vec<String> {
        let leg = |leg: &Leg| {
            let name = leg.device.as_ref().map(|device| device.display().to_string());
            let name = name.or_else(|| leg.place.clone()).unwrap_or_else(|| "-".to_owned());
            format!("{name} {}", leg.state.word())
        };
        let resync = self.resync.as_ref();
        vec![
            self.device.display().to_string(),
            self.kind.to_owned(),
            self.name.clone(),
            self.state.to_string(),
            if self.active { "yes" } else { "no" }.to_owned(),
            self.legs.iter().map(leg).collect::<Vec<_>>().join(", "),
            resync.map_or_else(|| "-".to_owned(), |resync| format!("{} {} %", resync.action, resync.percent)),
        ]
    }
}

/// The state of a mirror by its legs, where it can be used with one that is like the newest.
pub fn state(legs: &[Leg]) -> State {
    let has = |state| legs.iter().any(|leg| leg.state == state);
    if has(LegState::Unreadable) {
        State::Unknown
    } else if has(LegState::Split) || !has(LegState::Present) {
        State::Down
    } else if legs.iter().all(|leg| leg.state == LegState::Present) {
        State::Up
    } else {
        State::Partial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_that_failed_to_be_written_is_stale_until_its_counters_are_cleared() {
        let counter =
            |of: &str, what: &str, count| Counter { of: of.into(), what: what.into(), count, last: None };
        for (counted, expected) in [
            (counter("device 2", "write_errs", 1), LegState::Stale),
            (counter("device 2", "generation_errs", 1), LegState::Stale),
            (counter("device 2", "write_errs", 0), LegState::Present),
            (counter("device 2", "read_errs", 1), LegState::Present),
            (counter("device 1", "write_errs", 1), LegState::Present),
        ] {
            let (place, state) = (Some("2".to_owned()), LegState::Present);
            let mut leg = Leg { place, device: None, number: None, uuid: None, state, generation: None };
            let told = leg.marked_by(std::slice::from_ref(&counted));
            assert_eq!((leg.state, told.is_some()), (expected, expected == LegState::Stale), "{counted:?}");
        }
    }

    #[test]
    fn a_mirror_is_whole_when_all_its_legs_are_alike() {
        use LegState::{Failed, Missing, Present, Rebuilding, Split, Stale, Unreadable};
        let leg =
            |state| Leg { place: None, device: None, number: None, uuid: None, state, generation: None };
        for (states, expected) in [
            (&[Present, Present][..], State::Up),
            (&[Present, Missing], State::Partial),
            (&[Present, Rebuilding], State::Partial),
            (&[Failed, Present], State::Partial),
            (&[Present, Stale], State::Partial),
            (&[Split, Split], State::Down),
            (&[Missing, Missing], State::Down),
            (&[Present, Unreadable], State::Unknown),
            (&[], State::Down),
        ] {
            assert_eq!(
                state(&states.iter().map(|state| leg(*state)).collect::<Vec<_>>()),
                expected,
                "{states:?}"
            );
        }
        assert_eq!(Resync::of("scrub", 1, 3, None).percent, 33);
        assert_eq!(Resync::of("scrub", 0, 0, None).percent, 0);
    }
}

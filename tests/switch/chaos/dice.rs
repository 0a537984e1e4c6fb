//! What a schedule is: all of it is drawn from its seed before anything begins, so that the same seed is the same
//! schedule however long things take.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::support::Switch;

/// How many moves a schedule has.
const MOVES: usize = 3;

/// A node by what a move makes of it: where the group is when it begins, and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Source,
    Target,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Source => Self::Target,
            Self::Target => Self::Source,
        }
    }
}

/// What strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Nothing,
    /// The run that moves it is killed.
    KillRun,
    /// The run is asked to end.
    StopRun,
    /// A program of ours is killed: on a side, the one after so many others of its kind, so long after it was seen.
    Kill {
        program: &'static str,
        on: Side,
        skip: u64,
        later: Duration,
    },
    /// The first process of a mail server is killed.
    KillServer(Side, usize),
    /// A wire is cut for so long.
    Cut(Side, Duration),
    /// A node stands still for so long.
    Freeze(Side, Duration),
    /// A node's power is cut.
    Power(Side),
    /// The power of both nodes is cut.
    PowerOfBoth,
    /// Another run, on this side, moves the group back.
    Rival(Side),
}

/// One trouble and its moment, counted from the beginning of the run that it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    pub after: Duration,
    pub trouble: Trouble,
}

/// What moves the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `ims-switch move`.
    Command,
    /// A prober and `ims-switch react`, after the death of a server.
    React,
}

/// A move and what strikes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub way: Way,
    /// Where the run that moves it runs.
    pub driver: Side,
    /// How the power switch behaves until all is mended.
    pub switch: Switch,
    pub strikes: Vec<Strike>,
    /// Whether the same command is run again afterwards; else the group is brought online wherever it can be.
    pub same_again: bool,
    /// Where that runs first.
    pub healer: Side,
    /// What strikes that.
    pub once_more: Vec<Strike>,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The number of the node that has the group at the beginning.
    pub begins_on: usize,
    pub moves: Vec<Move>,
}

impl Schedule {
    /// The schedule of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let begins_on = usize::from(dice.one_in(2));
        Self { begins_on, moves: (0..MOVES).map(|_| dice.a_move()).collect() }
    }
}

impl Trouble {
    /// Its kind, for the sum at the end.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::KillRun => "run killed",
            Self::StopRun => "run stopped by SIGTERM",
            Self::Kill { program, .. } => program,
            Self::KillServer(..) => "mail server killed",
            Self::Cut(..) => "wire cut",
            Self::Freeze(_, time) if time.as_secs() >= LONG => "node frozen for more than 20 s",
            Self::Freeze(..) => "node frozen",
            Self::Power(_) => "power cut",
            Self::PowerOfBoth => "power of both nodes cut",
            Self::Rival(_) => "rival run",
        }
    }

    /// Whether it may end a mail server without asking.
    pub const fn may_crash_servers(self) -> bool {
        match self {
            Self::KillServer(..) | Self::Freeze(..) | Self::Power(_) | Self::PowerOfBoth => true,
            Self::Nothing
            | Self::KillRun
            | Self::StopRun
            | Self::Kill { .. }
            | Self::Cut(..)
            | Self::Rival(_) => false,
        }
    }
}

impl Display for Strike {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after {:?}", self.trouble, self.after)
    }
}

impl Display for Move {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list =
            |strikes: &[Strike]| strikes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
        write!(f, "{:?} by the {:?}: {}", self.way, self.driver, list(&self.strikes))?;
        if self.switch != Switch::Works {
            write!(f, ", the power switch {:?}", self.switch)?;
        }
        let what = if self.same_again { "the same" } else { "online" };
        write!(f, "; then {what} by the {:?}", self.healer)?;
        if !self.once_more.is_empty() {
            write!(f, ": {}", list(&self.once_more))?;
        }
        Ok(())
    }
}

/// From how many seconds a freeze outlasts what a session waits for the run that it serves.
const LONG: u64 = 20;

/// Our programs that a run starts, and those that watch.
const STARTED: [&str; 3] = ["ims-switch serve", "ims-diskctl", "ims-ipbind"];
const WATCHING: [&str; 3] = ["ims-switch react", "ims-probe", "ims-switch serve"];

/// Numbers that look random and follow from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn time(&mut self, from_ms: u64, to_ms: u64) -> Duration {
        Duration::from_millis(from_ms + self.below(to_ms - from_ms))
    }

    fn side(&mut self) -> Side {
        if self.one_in(2) { Side::Source } else { Side::Target }
    }

    fn choose<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn a_move(&mut self) -> Move {
        let way = if self.one_in(6) { Way::React } else { Way::Command };
        let driver = self.side();
        let switch = match self.below(12) {
            0 => Switch::Refuses,
            1 => Switch::Hangs,
            _ => Switch::Works,
        };
        let mut strikes = vec![self.strike(way, driver, 900)];
        if way == Way::React {
            // Without a fault a prober has nothing to say.
            let died = Trouble::KillServer(Side::Source, usize::try_from(self.below(3)).unwrap());
            let after = strikes[0].after;
            strikes[0].after += self.time(200, 1800);
            strikes.insert(0, Strike { after, trouble: died });
        } else if self.one_in(3) {
            // While the way back is gone, mostly; never at the same moment.
            let first = strikes[0].after;
            let second = self.strike(way, driver, 2800);
            strikes.push(Strike { after: first + Duration::from_millis(200) + second.after, ..second });
        }
        let same_again = way == Way::Command && self.one_in(2);
        let healer = self.side();
        // A guard that nobody cleaned is waited for.
        let is_dirty =
            strikes.iter().any(|strike| matches!(strike.trouble, Trouble::Power(_) | Trouble::PowerOfBoth));
        let at_most = if is_dirty { 14_000 } else { 900 };
        let once_more =
            if self.one_in(5) { vec![self.strike(Way::Command, healer, at_most)] } else { Vec::new() };
        Move { way, driver, switch, strikes, same_again, healer, once_more }
    }

    fn kill(&mut self, way: Way, driver: Side) -> Trouble {
        let program = self.choose(if way == Way::React { &WATCHING } else { &STARTED });
        let (on, skip) = match program {
            // There is one, beside the run or at the other end of its session.
            "ims-switch react" | "ims-probe" => (driver, 0),
            "ims-switch serve" => (driver.other(), 0),
            _ => (self.side(), self.below(4)),
        };
        let later = if self.one_in(2) { Duration::ZERO } else { self.time(0, 40) };
        Trouble::Kill { program, on, skip, later }
    }

    fn strike(&mut self, way: Way, driver: Side, at_most_ms: u64) -> Strike {
        let trouble = self.trouble(way, driver);
        let after = self.time(0, at_most_ms);
        // A program is waited for, and the first ones soon come.
        let after = if matches!(trouble, Trouble::Kill { .. }) { after / 4 } else { after };
        Strike { after, trouble }
    }

    fn trouble(&mut self, way: Way, driver: Side) -> Trouble {
        let on = self.side();
        match self.below(40) {
            0..=3 => Trouble::Nothing,
            4..=7 => Trouble::KillRun,
            8 | 9 => Trouble::StopRun,
            10..=16 => self.kill(way, driver),
            17 | 18 => Trouble::KillServer(on, usize::try_from(self.below(3)).unwrap()),
            19..=24 => Trouble::Cut(on, self.time(200, 5200)),
            25..=29 => Trouble::Freeze(on, self.time(200, 5200)),
            30 => Trouble::Freeze(on, self.time(1000 * LONG + 1000, 1000 * LONG + 6000)),
            31..=36 => Trouble::Power(on),
            37 => Trouble::PowerOfBoth,
            _ => Trouble::Rival(on),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_is_one_schedule_and_two_hundred_hold_every_trouble() {
        let mut kinds = BTreeSet::new();
        for seed in 1..=200 {
            let schedule = Schedule::of(seed);
            assert_eq!(schedule, Schedule::of(seed));
            assert_ne!(schedule, Schedule::of(seed + 1));
            let strikes = schedule.moves.iter().flat_map(|one| one.strikes.iter().chain(&one.once_more));
            kinds.extend(strikes.map(|strike| strike.trouble.kind()));
        }
        assert_eq!(kinds.len(), 15, "{kinds:?}");
    }
}

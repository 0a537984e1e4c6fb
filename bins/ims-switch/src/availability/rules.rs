//! What can happen to the servers of a model, as the states of a Markov chain. Servers that are alike are counted,
//! not named.
//!
//! Every failure and repair comes at its own rate, whatever the others do; each failed server is repaired on its
//! own. A service whose server fails waits until it is failed over to one that has room; several at once do not
//! hinder each other.

/// How often things happen, per day.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A server that is up fails.
    pub fail: f64,
    /// A server that failed is back.
    pub repair: f64,
    /// A storage device behind its server fails.
    pub lose: f64,
    /// A storage device is back.
    pub mend: f64,
    /// A service that waits, and has a place to go to, is up there.
    pub failover: f64,
}

/// What a state means to those who use the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// How many services are down.
    pub waiting: u32,
    /// How many of them have no place to go to.
    pub placeless: u32,
    /// Whether no server can carry anything.
    pub all_down: bool,
}

impl Meaning {
    const fn new(waiting: u32, room: u32, all_down: bool) -> Self {
        Self { waiting, placeless: waiting.saturating_sub(room), all_down }
    }
}

/// A model's states and what leads from one to the other.
pub trait Rules {
    /// What the servers are like at one time.
    type State: Clone + Ord;
    /// Everything up, every service where it belongs.
    fn first(&self) -> Self::State;
    /// What can happen next, each with its rate.
    fn next(&self, state: &Self::State) -> Vec<(f64, Self::State)>;
    /// What it means.
    fn meaning(&self, state: &Self::State) -> Meaning;
}

/// Primaries with one service each, and standbys for all of them. A service goes home as soon as its primary is
/// repaired. Without standbys and with one primary it is a single server.
#[derive(Debug, Clone, Copy)]
pub struct Homes {
    /// How many primaries, and so services.
    pub primaries: u32,
    /// How many standbys.
    pub standbys: u32,
    /// How many services a standby can carry.
    pub room: u32,
    /// How often what happens.
    pub pace: Pace,
}

/// The services that are not at home.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Away {
    waiting: u32,
    /// What each standby carries, sorted; one that is down carries nothing and has no number.
    standbys: Vec<Option<u32>>,
}

impl Rules for Homes {
    type State = Away;

    fn first(&self) -> Away {
        Away { waiting: 0, standbys: (0..self.standbys).map(|_| Some(0)).collect() }
    }

    fn next(&self, state: &Away) -> Vec<(f64, Away)> {
        let Pace { fail, repair, failover, .. } = self.pace;
        let mut ways = Vec::new();
        let moved: u32 = state.standbys.iter().flatten().sum();
        let at_home = self.primaries.saturating_sub(state.waiting + moved);
        if at_home > 0 {
            ways.push((f64::from(at_home) * fail, Away { waiting: state.waiting + 1, ..state.clone() }));
        }
        if state.waiting > 0 {
            let rate = f64::from(state.waiting) * repair;
            ways.push((rate, Away { waiting: state.waiting - 1, ..state.clone() }));
        }
        for (index, carries) in state.standbys.iter().enumerate() {
            let changed = |to: Option<u32>, waiting: u32| {
                let mut standbys = state.standbys.clone();
                standbys.iter_mut().skip(index).take(1).for_each(|standby| *standby = to);
                standbys.sort();
                Away { waiting, standbys }
            };
            match *carries {
                None => ways.push((repair, changed(Some(0), state.waiting))),
                Some(carried) => {
                    ways.push((fail, changed(None, state.waiting + carried)));
                    if carried > 0 {
                        let rate = f64::from(carried) * repair;
                        ways.push((rate, changed(Some(carried - 1), state.waiting)));
                    }
                }
            }
        }
        let room: u32 =
            state.standbys.iter().flatten().map(|carried| self.room.saturating_sub(*carried)).sum();
        if let Some(least) = state.standbys.iter().position(Option::is_some)
            && state.waiting.min(room) > 0
        {
            // They are sorted: the first one that is up carries least.
            let mut to = Away { waiting: state.waiting - 1, ..state.clone() };
            to.standbys.iter_mut().skip(least).take(1).flatten().for_each(|carried| *carried += 1);
            to.standbys.sort();
            ways.push((f64::from(state.waiting.min(room)) * failover, to));
        }
        ways
    }

    fn meaning(&self, state: &Away) -> Meaning {
        let up = state.standbys.iter().flatten();
        let moved: u32 = up.clone().sum();
        let room = up.clone().map(|carried| self.room.saturating_sub(*carried)).sum();
        let primaries_are_down = state.waiting + moved == self.primaries;
        Meaning::new(state.waiting, room, primaries_are_down && up.count() == 0)
    }
}

/// Servers that are alike: each service runs on any of them and stays there. With `arrays` each server has the
/// storage device with its mirror behind it, and can carry nothing without it.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// How many servers.
    pub servers: u32,
    /// How many services.
    pub services: u32,
    /// How many services a server can carry.
    pub room: u32,
    /// Whether a storage device is part of each server.
    pub arrays: bool,
    /// How often what happens.
    pub pace: Pace,
}

/// A server, with its storage device where it has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It carries so many services.
    Up(u32),
    /// One of the two failed, or both.
    Down {
        /// Whether the server did.
        server: bool,
        /// Whether its storage device did.
        array: bool,
    },
}

impl Side {
    const fn of(server: bool, array: bool) -> Self {
        if server || array { Self::Down { server, array } } else { Self::Up(0) }
    }
}

/// The services that wait, and the servers, sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pooled {
    waiting: u32,
    sides: Vec<Side>,
}

impl Pool {
    const fn room_of(&self, side: Side) -> u32 {
        match side {
            Side::Up(carried) => self.room.saturating_sub(carried),
            Side::Down { .. } => 0,
        }
    }

    /// What can become of one server: the rate, what it is then, and the services that wait for it.
    fn turns(&self, side: Side) -> Vec<(f64, Side, u32)> {
        let Pace { fail, repair, lose, mend, .. } = self.pace;
        let (server, array, carried) = match side {
            Side::Up(carried) => (false, false, carried),
            Side::Down { server, array } => (server, array, 0),
        };
        let mut turns = vec![(if server { repair } else { fail }, Side::of(!server, array), carried)];
        if self.arrays {
            turns.push((if array { mend } else { lose }, Side::of(server, !array), carried));
        }
        turns
    }
}

impl Rules for Pool {
    type State = Pooled;

    fn first(&self) -> Pooled {
        let mut sides: Vec<Side> = (0..self.servers).map(|_| Side::Up(0)).collect();
        let mut left = self.services;
        while let Some(Side::Up(carried)) = sides.first_mut().filter(|_| left > 0) {
            *carried += 1;
            left -= 1;
            sides.sort();
        }
        Pooled { waiting: 0, sides }
    }

    fn next(&self, state: &Pooled) -> Vec<(f64, Pooled)> {
        let mut ways = Vec::new();
        for (index, side) in state.sides.iter().enumerate() {
            for (rate, to, dropped) in self.turns(*side) {
                let mut sides = state.sides.clone();
                sides.iter_mut().skip(index).take(1).for_each(|side| *side = to);
                sides.sort();
                ways.push((rate, Pooled { waiting: state.waiting + dropped, sides }));
            }
        }
        let room: u32 = state.sides.iter().map(|side| self.room_of(*side)).sum();
        let able = state.waiting.min(room);
        let mut to = state.clone();
        // They are sorted: the first one carries least, if it is up at all.
        if let Some(Side::Up(carried)) = to.sides.first_mut().filter(|_| able > 0) {
            *carried += 1;
            to.waiting -= 1;
            to.sides.sort();
            ways.push((f64::from(able) * self.pace.failover, to));
        }
        ways
    }

    fn meaning(&self, state: &Pooled) -> Meaning {
        let room = state.sides.iter().map(|side| self.room_of(*side)).sum();
        let all_down = state.sides.iter().all(|side| matches!(side, Side::Down { .. }));
        Meaning::new(state.waiting, room, all_down)
    }
}

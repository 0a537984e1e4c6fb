//! The models and what is assumed of their parts: how the seed's table A-2 counts it, and what the chain makes of it.

use std::time::Duration;

use clap::ValueEnum;
use ims::Fail;
use schemars::JsonSchema;
use serde::Serialize;

use super::chain::Chain;
use super::rules::{Homes, Pace, Pool, Rules};

/// How services are spread over servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// One server, no cluster.
    Single,
    /// A primary and a hot standby that share a storage device.
    Asymmetric,
    /// Two nodes with a service each; every volume is mirrored on the other's storage device.
    Symmetric,
    /// Primaries with a storage device each, and standbys for all of them.
    #[value(name = "n+1")]
    #[serde(rename = "n+1")]
    NPlusOne,
}

impl Model {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Single, Self::Asymmetric, Self::Symmetric, Self::NPlusOne];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Asymmetric => "asymmetric",
            Self::Symmetric => "symmetric",
            Self::NPlusOne => "n+1",
        }
    }
}

/// How often something fails and how long its repair takes.
#[derive(Debug, Clone, Copy)]
pub struct Wear {
    /// The mean time between two failures, the repair included.
    pub mtbf: Duration,
    /// The mean time of a repair.
    pub mttr: Duration,
}

/// The length of a day, in seconds.
const DAY: f64 = 86_400.0;

/// The days of a year.
const YEAR: f64 = 365.0;

/// A length of time in days.
pub fn days(time: Duration) -> f64 {
    time.as_secs_f64() / DAY
}

impl Wear {
    /// The share of the time that it is down.
    pub fn down(self) -> f64 {
        days(self.mttr) / days(self.mtbf)
    }

    /// The days a year that it is down.
    pub fn days_a_year(self) -> f64 {
        YEAR * self.down()
    }

    /// Failures a day, while it is up.
    pub fn fail(self) -> f64 {
        1.0 / (days(self.mtbf) - days(self.mttr))
    }

    /// Repairs a day, while it is down.
    pub fn repair(self) -> f64 {
        1.0 / days(self.mttr)
    }
}

/// What is assumed of the parts.
#[derive(Debug, Clone, Copy)]
pub struct Assumed {
    /// Of each server.
    pub server: Wear,
    /// Of each storage device.
    pub storage: Wear,
    /// How long a service is down that is failed over, the time before it is noticed included.
    pub failover: Duration,
    /// How often a year each server is taken out for planned work.
    pub planned: u32,
    /// How long that is.
    pub maintenance: Duration,
    /// The outage of a planned move.
    pub switchover: Duration,
    /// The primaries of the N+1 model.
    pub primaries: u32,
    /// Its standbys.
    pub standbys: u32,
    /// How many services a standby can carry.
    pub capacity: u32,
}

impl Assumed {
    /// Servers and services of a model.
    pub const fn size(&self, model: Model) -> (u32, u32) {
        match model {
            Model::Single => (1, 1),
            Model::Asymmetric => (2, 1),
            Model::Symmetric => (2, 2),
            Model::NPlusOne => (self.primaries + self.standbys, self.primaries),
        }
    }

    /// How often what happens.
    pub fn pace(&self) -> Pace {
        Pace {
            fail: self.server.fail(),
            repair: self.server.repair(),
            lose: self.storage.fail(),
            mend: self.storage.repair(),
            failover: 1.0 / days(self.failover),
        }
    }

    /// Whether every volume has a mirror behind the other server, so that storage is part of each server.
    pub const fn is_mirrored(model: Model) -> bool {
        match model {
            Model::Symmetric => true,
            Model::Single | Model::Asymmetric | Model::NPlusOne => false,
        }
    }

    /// What the chain says of a model.
    pub fn figures(&self, model: Model) -> Result<Figures, Fail> {
        let (servers, services) = self.size(model);
        let pace = self.pace();
        let homes = |primaries, standbys, room| Homes { primaries, standbys, room, pace };
        let pool = |room, arrays| Pool { servers, services, room, arrays, pace };
        let mut figures = match model {
            Model::Single => solve(&homes(1, 0, 0), services)?,
            Model::Asymmetric => solve(&pool(1, false), services)?,
            Model::Symmetric => solve(&pool(2, true), services)?,
            Model::NPlusOne => solve(&homes(self.primaries, self.standbys, self.capacity), services)?,
        };
        figures.storage = if Self::is_mirrored(model) { 0.0 } else { self.storage.down() };
        figures.planned = self.planned_share(model);
        Ok(figures)
    }

    /// The share of the time that a service is down for planned work, and for going home after a repair.
    fn planned_share(&self, model: Model) -> f64 {
        let a_year = f64::from(self.planned);
        let failures = YEAR / days(self.server.mtbf);
        let devices = YEAR / days(self.storage.mtbf);
        let gap = days(self.switchover);
        let lost = match model {
            Model::Single => a_year * days(self.maintenance),
            // The standby first, then a move, then the other: nothing goes back.
            Model::Asymmetric => a_year * gap,
            Model::Symmetric => (2.0 * a_year + failures + devices) * gap,
            Model::NPlusOne => (2.0 * a_year + failures) * gap,
        };
        (lost / YEAR).min(1.0)
    }

    /// How table A-2 counts it: the days a year that a server's and a storage device's failures are felt, over 365.
    pub fn table_a2(&self, model: Model) -> Days {
        let (server, storage) = (self.server.days_a_year(), self.storage.days_a_year());
        match model {
            Model::Single => Days { server, storage, over: 1 },
            Model::Asymmetric => Days { server: 0.0, storage, over: 1 },
            Model::Symmetric => Days { server: 0.0, storage: 0.0, over: 1 },
            Model::NPlusOne => Days { server: 0.0, storage, over: self.primaries },
        }
    }
}

/// A row of table A-2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days {
    /// Days a year that the failure of a server is felt.
    pub server: f64,
    /// Days a year that the failure of a storage device is.
    pub storage: f64,
    /// What the year is multiplied by.
    pub over: u32,
}

impl Days {
    /// The share of the time.
    pub fn down(self) -> f64 {
        (self.server + self.storage) / (YEAR * f64::from(self.over))
    }
}

/// What share of the time a service is down, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// It is being failed over.
    pub failover: f64,
    /// No server has room for it: all are down, or more than the standbys can carry.
    pub no_place: f64,
    /// Its storage device is down.
    pub storage: f64,
    /// It is down for planned work or on its way home.
    pub planned: f64,
    /// No server can carry anything: of the time, not of a service's.
    pub all_down: f64,
    /// How many states were solved.
    pub states: usize,
}

impl Figures {
    /// The share of the time that a service is down unplanned; servers and storage fail independently.
    pub fn unplanned(&self) -> f64 {
        let servers = self.failover + self.no_place;
        servers + self.storage - servers * self.storage
    }

    /// The share of the time that a service is down.
    pub fn down(&self) -> f64 {
        let unplanned = self.unplanned();
        unplanned + self.planned - unplanned * self.planned
    }
}

/// Solves the chain of these rules.
pub fn solve(rules: &impl Rules, services: u32) -> Result<Figures, Fail> {
    let chain = Chain::explore(rules.first(), |state| rules.next(state))?;
    let mut figures = Figures { states: chain.len(), ..Figures::default() };
    for (state, share) in chain.solve() {
        let meaning = rules.meaning(&state);
        let of_services = |number: u32| share * f64::from(number) / f64::from(services);
        figures.failover += of_services(meaning.waiting - meaning.placeless);
        figures.no_place += of_services(meaning.placeless);
        figures.all_down += if meaning.all_down { share } else { 0.0 };
    }
    Ok(figures)
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;

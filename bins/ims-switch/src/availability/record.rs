//! How the figures of a model are told.

use std::time::Duration;

use ims::{Record, span::millis};
use schemars::JsonSchema;
use serde::Serialize;

use super::model::{Assumed, Days, Figures, Model};
use super::simulate::{Interval, Seen};

/// Where the mean time of a failover comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Nobody said; it is a guess.
    Assumed,
    /// From the command line.
    Given,
    /// The mean of the failovers in a group's journal.
    Measured,
}

/// A figure as the simulation saw it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The lower end of its 99.9 % confidence interval; absent where it was seen too rarely to have one.
    pub from: Option<f64>,
    /// The upper end.
    pub to: Option<f64>,
}

impl Estimate {
    fn of(interval: Interval) -> Self {
        let end = |end: f64| interval.is_judged().then_some(end.max(0.0));
        Self {
            mean: interval.mean,
            from: end(interval.mean - interval.half),
            to: end(interval.mean + interval.half),
        }
    }
}

/// What the simulation says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Check {
    /// The share of the time that a service was down unplanned.
    pub down: Estimate,
    /// The share of the time that no server could carry anything.
    pub all_down: Estimate,
    /// How many years were simulated.
    pub years: u32,
    /// The seed.
    pub seed: u64,
    /// Whether the chain's figures lie within the intervals that there are; absent without any.
    pub agrees: Option<bool>,
}

impl Check {
    /// Compares.
    pub fn new(figures: &Figures, simulated: &Seen, years: u32, seed: u64) -> Self {
        let verdicts =
            [simulated.unplanned.holds(figures.unplanned()), simulated.all_down.holds(figures.all_down)];
        Self {
            down: Estimate::of(simulated.unplanned),
            all_down: Estimate::of(simulated.all_down),
            years,
            seed,
            agrees: verdicts.into_iter().flatten().reduce(|one, other| one && other),
        }
    }
}

/// The unavailability of a model. Shares are of the time, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AvailabilityRecord {
    /// The model.
    pub model: Model,
    /// How many servers it has.
    pub servers: u32,
    /// How many services.
    pub services: u32,
    /// The share as table A-2 counts it, which knows no two failures at once and no time for a failover.
    pub table_a2: f64,
    /// How it is counted.
    pub formula: String,
    /// The share of the time that a service is down.
    pub down: f64,
    /// The same as milliseconds of a year of 365 days.
    pub down_ms_a_year: u64,
    /// Of it: while the service is failed over.
    pub failover: f64,
    /// Of it: while no server has room for it. All are down, or more than the standbys can carry.
    pub no_place: f64,
    /// Of it: while its storage device is down. Where volumes are mirrored it counts as the server's.
    pub storage: f64,
    /// Of it: for planned work, and for going home after a repair.
    pub planned: f64,
    /// The share of the time that no server can carry anything.
    pub all_down: f64,
    /// The mean time of a failover that was reckoned with, the time before it begins included.
    pub failover_ms: u64,
    /// Where that comes from.
    pub failover_is: Source,
    /// What the simulation says; absent without `--check`.
    pub check: Option<Check>,
    /// What the seed's table leaves out, where it matters.
    pub note: Option<String>,
}

impl AvailabilityRecord {
    /// The figures of a model as a record.
    pub fn new(model: Model, assumed: &Assumed, figures: &Figures, source: Source) -> Self {
        let (servers, services) = assumed.size(model);
        let table = assumed.table_a2(model);
        let a_year = figures.down() * Duration::from_secs(365 * 86_400).as_secs_f64();
        Self {
            model,
            servers,
            services,
            table_a2: table.down(),
            formula: formula(&table),
            down: figures.down(),
            down_ms_a_year: Duration::try_from_secs_f64(a_year).map_or(u64::MAX, millis),
            failover: figures.failover,
            no_place: figures.no_place,
            storage: figures.storage,
            planned: figures.planned,
            all_down: figures.all_down,
            failover_ms: millis(assumed.failover),
            failover_is: source,
            check: None,
            note: note(model, services),
        }
    }
}

/// What the table counts otherwise than the chain.
fn note(model: Model, services: u32) -> Option<String> {
    match model {
        Model::NPlusOne if services > 1 => Some(format!(
            "table A-2 divides one device's day by {services}; but {services} devices have {services} such days, \
             each felt by 1/{services} of the services: a service is down as often as with one device"
        )),
        Model::Single | Model::Asymmetric | Model::Symmetric | Model::NPlusOne => None,
    }
}

/// How a row of table A-2 is counted, as it is printed there.
fn formula(days: &Days) -> String {
    let over = if days.over == 1 { "365".to_owned() } else { format!("(365x{})", days.over) };
    let down = if days.down() > 0.0 { percent(days.down()) } else { "near 0".to_owned() };
    format!("({} + {})/{over} = {down}", short(days.server), short(days.storage))
}

/// A number with up to two decimals.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as percent with at least two decimals, and two digits where it is less.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = [0.1, 0.01, 0.001, 0.0001].iter().position(|least| percent >= *least);
    match decimals {
        _ if share <= 0.0 => "0".to_owned(),
        Some(more) => format!("{percent:.*} %", more + 2),
        None => format!("{percent:.1e} %"),
    }
}

/// A length of time in its two largest units.
fn length(ms: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
    let mut parts = Vec::new();
    let mut left = ms;
    for (unit, size) in units {
        if left >= size || !parts.is_empty() {
            parts.push(format!("{} {unit}", left / size));
            left %= size;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0".to_owned() } else { parts.join(" ") }
}

impl Record for AvailabilityRecord {
    const SCHEMA: &'static str = "ims.availability/1";

    fn columns() -> &'static [&'static str] {
        &[
            "model", "table_a2", "down", "a_year", "failover", "no_place", "storage", "planned", "all_down",
            "check",
        ]
    }

    fn row(&self) -> Vec<String> {
        let check = self.check.as_ref().map_or("-", |check| match check.agrees {
            Some(true) => "agrees",
            Some(false) => "differs",
            None => "not seen",
        });
        let mut row = vec![self.model.word().to_owned(), self.formula.clone(), percent(self.down)];
        row.push(length(self.down_ms_a_year));
        row.extend([self.failover, self.no_place, self.storage, self.planned, self.all_down].map(percent));
        row.push(check.to_owned());
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_the_digits_that_say_something() {
        for (share, told) in [
            (5.0 / 365.0, "1.37 %"),
            (1.0 / 365.0, "0.27 %"),
            (0.000_120_1, "0.012 %"),
            (0.000_009_3, "0.00093 %"),
            (0.000_000_000_4, "4.0e-8 %"),
            (0.0, "0"),
        ] {
            assert_eq!(percent(share), told);
        }
    }

    #[test]
    fn a_length_of_time_has_its_two_largest_units() {
        for (ms, told) in [
            (432_000_000, "5 d 0 h"),
            (3_783_000, "1 h 3 min"),
            (61_000, "1 min 1 s"),
            (1500, "1 s 500 ms"),
            (7, "7 ms"),
            (0, "0"),
        ] {
            assert_eq!(length(ms), told);
        }
    }
}

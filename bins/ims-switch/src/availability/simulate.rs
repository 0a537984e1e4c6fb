//! The same world once more, as a simulation of every single server, storage device and service, which shares
//! nothing with the chain: one is the check of the other. The same seed gives the same course.

use fastrand::Rng;

use super::model::{Assumed, Model, Wear, days};

/// How many stretches of equal length the interval is made from.
const STRETCHES: u32 = 30;

/// In how many of them a figure must have been seen to be judged: an interval from one or two events says nothing.
const LEAST: usize = 10;

/// Student's t for 99.9 % on both sides and one degree of freedom less than there are stretches.
const T: f64 = 3.659;

/// The mean of a figure and half the width of its 99.9 % confidence interval, by batch means.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Half the width.
    pub half: f64,
    /// In how many stretches there was anything of it.
    pub seen_in: usize,
}

impl Interval {
    fn of(samples: &[f64]) -> Self {
        let count = f64::from(STRETCHES);
        let mean = samples.iter().sum::<f64>() / count;
        let square = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let seen_in = samples.iter().filter(|sample| **sample > 0.0).count();
        Self { mean, half: T * (square / count).sqrt(), seen_in }
    }

    /// Whether it was seen often enough.
    pub const fn is_judged(self) -> bool {
        self.seen_in >= LEAST
    }

    /// Whether a figure lies within; unknown where it was seen too rarely.
    pub fn holds(self, figure: f64) -> Option<bool> {
        self.is_judged().then(|| (figure - self.mean).abs() <= self.half)
    }
}

/// What was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// The share of the time that a service was down unplanned.
    pub unplanned: Interval,
    /// The share of it for which no server could carry anything.
    pub all_down: Interval,
}

#[derive(Debug)]
struct Part {
    is_up: bool,
    /// When it changes next, in days.
    at: f64,
}

#[derive(Debug)]
struct Server {
    machine: Part,
    array: Option<Part>,
    /// How many services it can carry.
    room: u32,
    carries: u32,
}

impl Server {
    fn is_up(&self) -> bool {
        self.machine.is_up && self.array.as_ref().is_none_or(|array| array.is_up)
    }
}

#[derive(Debug)]
struct Service {
    /// Its own server, and whether it goes back there as soon as that is repaired.
    home: Option<usize>,
    runs_on: Option<usize>,
    /// When its failover will be done.
    due: Option<f64>,
    storage: Option<Part>,
}

struct World<'a> {
    model: Model,
    assumed: &'a Assumed,
    rng: Rng,
    servers: Vec<Server>,
    services: Vec<Service>,
    now: f64,
}

/// Lives through so many years.
pub fn simulate(model: Model, assumed: &Assumed, years: u32, seed: u64) -> Seen {
    let mut world = World::new(model, assumed, seed);
    let length = f64::from(years) * 365.0 / f64::from(STRETCHES);
    let (mut down, mut all) = (Vec::new(), Vec::new());
    for stretch in 1..=STRETCHES {
        let (lost, dark) = world.live(f64::from(stretch) * length);
        down.push(lost / length);
        all.push(dark / length);
    }
    Seen { unplanned: Interval::of(&down), all_down: Interval::of(&all) }
}

/// A random time, exponential with this rate.
fn pause(rng: &mut Rng, rate: f64) -> f64 {
    -(1.0 - rng.f64()).ln() / rate
}

impl<'a> World<'a> {
    fn new(model: Model, assumed: &'a Assumed, seed: u64) -> Self {
        let (servers, services) = assumed.size(model);
        let rng = Rng::with_seed(seed);
        let mut world = Self { model, assumed, rng, servers: Vec::new(), services: Vec::new(), now: 0.0 };
        let has_mirrors = Assumed::is_mirrored(model);
        for number in 0..servers {
            let room = match model {
                Model::Single | Model::Asymmetric => 1,
                Model::Symmetric => 2,
                Model::NPlusOne if number < assumed.primaries => 0,
                Model::NPlusOne => assumed.capacity,
            };
            let machine = world.part(assumed.server.fail());
            let array = has_mirrors.then(|| world.part(assumed.storage.fail()));
            world.servers.push(Server { machine, array, room, carries: 0 });
        }
        for (number, _) in (0..services).enumerate() {
            let goes_home = match model {
                Model::Single | Model::NPlusOne => true,
                Model::Asymmetric | Model::Symmetric => false,
            };
            let storage = (!has_mirrors).then(|| world.part(assumed.storage.fail()));
            let home = goes_home.then_some(number);
            world.services.push(Service { home, runs_on: None, due: None, storage });
            world.place(number, number);
        }
        world
    }

    /// A part that is up.
    fn part(&mut self, fail: f64) -> Part {
        Part { is_up: true, at: self.now + pause(&mut self.rng, fail) }
    }

    fn place(&mut self, service: usize, on: usize) {
        let Some(moved) = self.services.get_mut(service) else { return };
        let from = moved.runs_on.replace(on);
        moved.due = None;
        if let Some(server) = from.and_then(|from| self.servers.get_mut(from)) {
            server.carries -= 1;
        }
        if let Some(server) = self.servers.get_mut(on) {
            server.carries += 1;
        }
    }

    /// Lives until then; gives the days of a service that were lost, the mean of all of them, and those in which no
    /// server could carry anything.
    fn live(&mut self, until: f64) -> (f64, f64) {
        let (mut lost, mut dark) = (0.0, 0.0);
        while self.now < until {
            let next = self.next().min(until);
            let is_lost = |service: &&Service| {
                service.runs_on.is_none() || service.storage.as_ref().is_some_and(|storage| !storage.is_up)
            };
            for _ in self.services.iter().filter(is_lost) {
                lost += next - self.now;
            }
            if !self.servers.iter().any(Server::is_up) {
                dark += next - self.now;
            }
            self.now = next;
            self.turn();
            self.fail_over();
        }
        (lost / f64::from(self.assumed.size(self.model).1), dark)
    }

    /// When something happens next.
    fn next(&self) -> f64 {
        let machines = self.servers.iter().map(|server| server.machine.at);
        let arrays = self.servers.iter().filter_map(|server| Some(server.array.as_ref()?.at));
        let devices = self.services.iter().filter_map(|service| Some(service.storage.as_ref()?.at));
        let moves = self.services.iter().filter_map(|service| service.due);
        machines.chain(arrays).chain(devices).chain(moves).fold(f64::INFINITY, f64::min)
    }

    /// Lets happen what is due now.
    fn turn(&mut self) {
        let (now, rng, assumed) = (self.now, &mut self.rng, self.assumed);
        let mut flip = |part: &mut Part, wear: Wear| {
            if part.at <= now {
                part.is_up = !part.is_up;
                let rate = if part.is_up { wear.fail() } else { wear.repair() };
                part.at = now + pause(rng, rate);
            }
        };
        for server in &mut self.servers {
            flip(&mut server.machine, assumed.server);
            if let Some(array) = &mut server.array {
                flip(array, assumed.storage);
            }
        }
        for service in &mut self.services {
            if let Some(storage) = &mut service.storage {
                flip(storage, assumed.storage);
            }
        }
        for number in 0..self.services.len() {
            let Some(service) = self.services.get(number) else { continue };
            let is_up = |on: usize| self.servers.get(on).is_some_and(Server::is_up);
            if let Some(home) = service.home.filter(|home| is_up(*home)) {
                if service.runs_on != Some(home) {
                    self.place(number, home);
                }
            } else if let Some(on) = service.runs_on.filter(|on| !is_up(*on)) {
                self.drop_from(number, on);
            }
        }
    }

    fn drop_from(&mut self, service: usize, on: usize) {
        if let Some(service) = self.services.get_mut(service) {
            service.runs_on = None;
        }
        if let Some(server) = self.servers.get_mut(on) {
            server.carries -= 1;
        }
    }

    /// Ends the failovers that are due, and begins those that can be: a service that waits goes to the server with
    /// the least to carry of those that have room.
    fn fail_over(&mut self) {
        for number in 0..self.services.len() {
            let due = self.services.get(number).and_then(|service| service.due);
            if due.is_some_and(|due| due <= self.now)
                && let Some(on) = self.with_room()
            {
                self.place(number, on);
            }
        }
        let has_room = self.with_room().is_some();
        let rate = 1.0 / days(self.assumed.failover);
        let mut able = self.free();
        for number in 0..self.services.len() {
            let waits = self.services.get(number).is_some_and(|service| service.runs_on.is_none());
            let may = waits && has_room && able > 0;
            if may {
                able -= 1;
            }
            let due = self.services.get(number).and_then(|service| service.due);
            let due = may.then(|| due.unwrap_or_else(|| self.now + pause(&mut self.rng, rate)));
            if let Some(service) = self.services.get_mut(number) {
                service.due = due;
            }
        }
    }

    fn with_room(&self) -> Option<usize> {
        let able = self.servers.iter().enumerate().filter(|(_, server)| server.is_up());
        able.filter(|(_, server)| server.carries < server.room)
            .min_by_key(|(_, server)| server.carries)
            .map(|(number, _)| number)
    }

    /// How many more services could be carried.
    fn free(&self) -> u32 {
        self.servers
            .iter()
            .filter(|server| server.is_up())
            .map(|server| server.room.saturating_sub(server.carries))
            .sum()
    }
}

//! What the model checker walks through: nodes with what they have, runs under way, and what may go wrong.
//!
//! Each run is driven as `crate::drive` does it, with the planner as it is: lock, look, plan, begin what is ready, look
//! again, go on when the source died, go back when a step failed. The volume's own guard is left out: the planner
//! must be safe without it.

use ims::State;

use super::mutant::Mutant;
use crate::plan::Verb;
use crate::plan::scenarios::world::{Job, MOST, Side, World};

/// Whether a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Power {
    /// It runs.
    On,
    /// It stands still, keeps what it has, and may go on at any time.
    Frozen,
    /// It is off, and has nothing.
    Off,
}

/// A step under way on a node. It goes on when the run that began it is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Doing {
    /// What is done.
    pub verb: Verb,
    /// The node that drives its run, and its place in the plan.
    pub by: Option<(usize, usize)>,
}

/// A node as it is, whoever knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    /// Whether it runs.
    pub power: Power,
    /// Whether it is cut off from all others.
    pub is_cut: bool,
    /// What is up there; partial while it is being started or stopped, and after that failed.
    pub has: [State; MOST],
    /// The steps under way there, by their resource.
    pub doing: [Option<Doing>; MOST],
    /// The driver of the run that holds the group's lock there.
    pub lock: Option<usize>,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    /// What is wished, by its place among the wishes.
    pub wish: usize,
    /// Whether the first steps have begun.
    pub has_begun: bool,
    /// Whether the plan was made anew because the source died.
    pub went_on: bool,
    /// Whether it is on the way back.
    pub goes_back: bool,
    /// The node that the group goes to.
    pub target: Option<usize>,
    /// What was found before the first step.
    pub before: World,
    /// What was found last.
    pub looked: World,
    /// The nodes that it fenced, as bits.
    pub fenced: u32,
    /// The steps.
    pub jobs: Vec<Job>,
    /// The steps that were begun, as bits.
    pub begun: u32,
    /// The steps that succeeded, as bits.
    pub done: u32,
    /// The steps that failed, or of which nothing was heard, as bits.
    pub failed: u32,
}

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct System {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The run that each node drives.
    pub runs: Vec<Option<Run>>,
    /// What the fault monitor heard of the servers.
    pub heard: Vec<State>,
    /// The nodes that were ever fenced, as bits.
    pub proofs: u32,
    /// How many faults may come yet.
    pub faults: u8,
    /// How many runs may begin yet.
    pub asks: u8,
    /// The property that a step broke.
    pub broken: Option<&'static str>,
}

/// How a fencing ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shot {
    /// The node is off, and that is confirmed.
    Confirmed,
    /// The node is off, and nobody hears of it.
    Unheard,
    /// The node is not off.
    Missed,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A node begins a run: node, wish.
    Ask(usize, usize),
    /// The fault monitor hears of the servers, and acts on it.
    Hear(State),
    /// A run begins its first steps.
    Go(usize),
    /// A step on a node ends: node, resource, whether it succeeded, whether its driver hears of it.
    End(usize, usize, bool, bool),
    /// A run gives up waiting for a step on a node that does not answer: driver, step.
    GiveUp(usize, usize),
    /// A fencing ends: driver, step, how.
    Fence(usize, usize, Shot),
    /// A run's driver is killed.
    Kill(usize),
    /// A node loses its power.
    Crash(usize),
    /// A node stands still.
    Freeze(usize),
    /// It goes on.
    Thaw(usize),
    /// A node is cut off.
    Cut(usize),
    /// It is connected again.
    Mend(usize),
    /// A node that is off starts.
    Boot(usize),
    /// A resource that nothing requires dies: node, resource.
    Die(usize, usize),
}

impl System {
    /// Whether a node hears another.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        let is_on = |node: usize| self.nodes[node].power == Power::On;
        let is_connected = from == to || (!self.nodes[from].is_cut && !self.nodes[to].is_cut);
        is_on(from) && is_on(to) && is_connected
    }

    /// What a driver finds; a node that it fenced stays fenced however it looks.
    pub fn look(&self, driver: usize, fenced: u32, can_be_fenced: bool, mutant: Option<Mutant>) -> World {
        let side = |node: usize| {
            if fenced >> node & 1 == 1 {
                return Side::Fenced;
            }
            if !self.reaches(driver, node) {
                return match mutant {
                    Some(Mutant::LostIsOff) => Side::Fenced,
                    Some(Mutant::OldProof) if self.proofs >> node & 1 == 1 => Side::Fenced,
                    Some(_) | None => Side::Lost { can_be_fenced },
                };
            }
            let read = |state| match (state, mutant) {
                (State::Partial, Some(Mutant::PartialIsDown)) => State::Down,
                (state, _) => state,
            };
            Side::Reached(self.nodes[node].has.map(read))
        };
        (0..self.nodes.len()).map(side).collect()
    }

    /// A node has nothing any more, and drives nothing.
    pub fn power_off(&mut self, node: usize) {
        self.end_run(node);
        let off = &mut self.nodes[node];
        off.power = Power::Off;
        off.is_cut = false;
        off.has = [State::Down; MOST];
        off.doing = [None; MOST];
        off.lock = None;
    }

    /// A run is over, or its driver is no more: what is under way goes on and holds the lock where it is.
    pub fn end_run(&mut self, driver: usize) {
        self.runs[driver] = None;
        for node in &mut self.nodes {
            for doing in node.doing.iter_mut().flatten() {
                doing.by = doing.by.filter(|(by, _)| *by != driver);
            }
            if node.lock == Some(driver) && node.doing.iter().all(Option::is_none) {
                node.lock = None;
            }
        }
    }

    /// Whether a step is under way on a node: its driver and its place in the plan.
    pub fn is_under_way(&self, step: (usize, usize)) -> bool {
        self.nodes.iter().flat_map(|node| node.doing.iter().flatten()).any(|doing| doing.by == Some(step))
    }

    /// Whether any of these resources may be up on two nodes at once.
    pub fn is_double(&self, own: &[usize]) -> bool {
        own.iter().any(|resource| {
            let has = |node: &&Node| node.power != Power::Off && node.has[*resource] != State::Down;
            self.nodes.iter().filter(has).count() > 1
        })
    }
}

//! The course of a plan: it is carried out on a model world in every order that the steps' `after` permits, with
//! everything that is ready under way at once, and every single step is judged by the properties of the design.
//!
//! What may be up counts as up: a partial or unknown resource, and everything on a node that does not answer. It is
//! enough to look at the largest set of steps under way: what only may be, while a step is under way, forbids at
//! least as much as what is certain before or after it.

use std::collections::{HashSet, VecDeque};

use ims::State;

use super::world::{Job, Shape, Side, World, has, ready, state};
use crate::plan::Verb;

/// What was wrong, with the world and the steps.
pub type Wrong = String;

/// Steps of a plan from a world, carried out in every order.
pub struct Course<'a> {
    /// The group.
    pub shape: &'a Shape,
    /// Before the first step.
    pub before: &'a World,
    /// The steps.
    pub jobs: &'a [Job],
    /// What is restarted where it is, if that is the wish.
    pub restarted: Option<usize>,
}

impl Course<'_> {
    /// Every point that the course can come to: the steps that are done there, and the world.
    pub fn points(&self) -> Result<Vec<(u32, World)>, Wrong> {
        let mut seen = HashSet::from([0]);
        let mut waiting = VecDeque::from([(0, self.before.clone())]);
        let mut points = Vec::new();
        while let Some((done, world)) = waiting.pop_front() {
            let ready = ready(self.jobs, done);
            if ready.is_empty() && done.count_ones() != u32::try_from(self.jobs.len()).unwrap() {
                return Err(self.wrong("steps wait for each other", &world, None));
            }
            for index in &ready {
                self.judge(&world, *index, &ready).map_err(|rule| self.wrong(rule, &world, Some(*index)))?;
                let after = done | 1 << index;
                if seen.insert(after) {
                    let mut world = world.clone();
                    self.jobs[*index].succeed(&mut world);
                    waiting.push_back((after, world));
                }
            }
            points.push((done, world));
        }
        Ok(points)
    }

    fn wrong(&self, rule: &str, world: &World, index: Option<usize>) -> Wrong {
        let step = index.map(|index| self.jobs[index]);
        format!("{rule}: {step:?}\nin {world:?}\nfrom {:?}\nof {:#?}", self.before, self.jobs)
    }

    /// The state while all that is ready is under way: what is being started or stopped is unknown.
    fn meanwhile(&self, world: &World, ready: &[usize], except: usize, at: (usize, usize)) -> State {
        let is_touched = ready.iter().any(|index| {
            *index != except
                && self.jobs[*index].node == at.0
                && (self.jobs[*index].resource == Some(at.1) || self.jobs[*index].verb == Verb::Fence)
        });
        if is_touched { State::Unknown } else { state(world, at.0, at.1) }
    }

    /// Judges the beginning of a step while the others that are ready are under way.
    fn judge(&self, world: &World, index: usize, ready: &[usize]) -> Result<(), &'static str> {
        let (shape, job) = (self.shape, self.jobs[index]);
        let at = |node, resource| self.meanwhile(world, ready, index, (node, resource));
        let Some(resource) = job.resource else {
            return match world[job.node] {
                Side::Lost { can_be_fenced: true } => Ok(()),
                Side::Lost { can_be_fenced: false } => Err("a node is fenced that has no agent"),
                Side::Reached(_) | Side::Fenced => Err("a node is fenced that answers, or twice"),
            };
        };
        let is_its_own = |other: &&usize| {
            **other != index
                && (self.jobs[**other].node, self.jobs[**other].resource) == (job.node, job.resource)
        };
        if ready.iter().find(is_its_own).is_some() {
            return Err("stopped and started at once");
        }
        if !matches!(world[job.node], Side::Reached(_)) {
            return Err("a step on a node that does not answer");
        }
        let is_fenced_later =
            ready.iter().any(|other| *other != index && self.jobs[*other].verb == Verb::Fence);
        if is_fenced_later {
            return Err("something is touched before the fencing is confirmed");
        }
        match job.verb {
            Verb::Fence => Err("a resource is fenced"),
            Verb::Start => {
                let others = || (0..world.len()).filter(|node| *node != job.node);
                if !shape.persistent[resource]
                    && others().any(|node| at(node, resource) != State::Down)
                    && !self.is_held_here(world, job.node, resource)
                {
                    return Err("started while it may be up on another node");
                }
                if shape.requires[resource].iter().any(|needed| at(job.node, *needed) != State::Up) {
                    return Err("started without what it requires");
                }
                let is_lost = shape.volumes[resource] && state(world, job.node, resource) == State::Down;
                let is_used = |other: &usize| at(job.node, *other) != State::Down;
                if is_lost && shape.dependents[resource].iter().any(is_used) {
                    return Err("a volume comes back under a server that runs");
                }
                let is_needless = state(world, job.node, resource) == State::Up;
                if is_needless { Err("started though it is up") } else { Ok(()) }
            }
            Verb::Stop => {
                if shape.persistent[resource] {
                    return Err("what is only looked at is stopped");
                }
                if shape.dependents[resource].iter().any(|above| at(job.node, *above) != State::Down) {
                    return Err("stopped under what requires it");
                }
                let is_needless = state(world, job.node, resource) == State::Down;
                if is_needless { Err("stopped though it is down") } else { Ok(()) }
            }
        }
    }

    /// Whether a server is restarted that can run nowhere else: all it requires is held by this node, and by none that
    /// answers besides.
    fn is_held_here(&self, world: &World, node: usize, resource: usize) -> bool {
        let needed: Vec<usize> =
            self.shape.requires[resource].iter().copied().filter(|r| !self.shape.persistent[*r]).collect();
        let others = || (0..world.len()).filter(|other| *other != node);
        let is_here = |needed: &usize| {
            state(self.before, node, *needed) == State::Up
                || self.jobs.iter().any(|job| job.node == node && job.resource == Some(*needed))
        };
        self.restarted.is_some()
            && !needed.is_empty()
            && needed.iter().all(is_here)
            && !others().any(|other| matches!(state(world, other, resource), State::Up | State::Partial))
    }
}

/// Whether a step's order is implied by another: it comes later than one that waits for it too.
pub fn is_implied(jobs: &[Job], index: usize, after: usize) -> bool {
    let mut waiting: Vec<usize> =
        (0..jobs.len()).filter(|other| *other != after && has(jobs[index].after, *other)).collect();
    let mut seen = 0;
    while let Some(next) = waiting.pop() {
        if next == after {
            return true;
        }
        if !has(seen, next) {
            seen |= 1 << next;
            waiting.extend((0..jobs.len()).filter(|other| has(jobs[next].after, *other)));
        }
    }
    false
}

//! A model world, small enough to be compared and kept by the ten thousand: what each node has of a group, and what
//! a plan's steps make of it. Nothing in it is taken from the planner but the steps themselves.

use ims::State;
use ims::group::{Group, Kind};

use crate::found::{Found, Seen};
use crate::plan::{Step, Verb};

/// The most resources that a group of the model has.
pub const MOST: usize = 6;

/// What is known of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// It answers, with the states of the resources in the group's order.
    Reached([State; MOST]),
    /// It does not answer.
    Lost {
        /// Whether there is a fence agent for it.
        can_be_fenced: bool,
    },
    /// It was fenced.
    Fenced,
}

/// What is known of every node.
pub type World = Vec<Side>;

/// A group by numbers.
#[derive(Debug)]
pub struct Shape {
    /// The group.
    pub group: Group,
    /// For each resource those it requires.
    pub requires: Vec<Vec<usize>>,
    /// For each resource those that require it.
    pub dependents: Vec<Vec<usize>>,
    /// Which resources are only looked at.
    pub persistent: Vec<bool>,
    /// Which resources are volumes or disk groups.
    pub volumes: Vec<bool>,
}

impl Shape {
    /// The shape of a group.
    pub fn of(group: Group) -> Self {
        assert!(group.resources.len() <= MOST, "{} is too large for the model", group.name);
        let place = |name| group.resources.iter().position(|resource| &resource.name == name).unwrap();
        let requires: Vec<Vec<usize>> =
            group.resources.iter().map(|resource| resource.requires.iter().map(place).collect()).collect();
        let dependents = (0..requires.len())
            .map(|this| (0..requires.len()).filter(|other| requires[*other].contains(&this)).collect())
            .collect();
        let persistent = group.resources.iter().map(|resource| resource.kind.is_persistent()).collect();
        let volumes = group
            .resources
            .iter()
            .map(|resource| matches!(resource.kind, Kind::Volume(_) | Kind::DiskGroup { .. }))
            .collect();
        Self { group, requires, dependents, persistent, volumes }
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.requires.len()
    }

    /// The resources that may be up on one node only.
    pub fn own(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|resource| !self.persistent[*resource])
    }

    /// The world as the planner is told it.
    pub fn found(&self, world: &World) -> Found {
        let seen = |side: &Side| match side {
            Side::Reached(states) => Seen::Reached(
                self.group.resources.iter().zip(states).map(|(r, state)| (r.name.clone(), *state)).collect(),
            ),
            Side::Lost { can_be_fenced } => {
                Seen::Lost { why: "no answer within 5s".to_owned(), can_be_fenced: *can_be_fenced }
            }
            Side::Fenced => Seen::Fenced,
        };
        Found::new(self.group.nodes.iter().cloned().zip(world.iter().map(seen)).collect())
    }

    /// Steps by numbers.
    pub fn jobs(&self, steps: &[Step]) -> Vec<Job> {
        let place = |step: &Step| {
            let name = step.resource.as_ref()?;
            Some(self.group.resources.iter().position(|resource| &resource.name == name).unwrap())
        };
        steps
            .iter()
            .map(|step| Job {
                node: self.group.nodes.iter().position(|node| node == &step.node).unwrap(),
                resource: place(step),
                verb: step.verb,
                after: step.after.iter().fold(0, |after, other| after | 1 << other),
            })
            .collect()
    }
}

/// A step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Job {
    /// The node.
    pub node: usize,
    /// The resource; none when the node is fenced.
    pub resource: Option<usize>,
    /// What is done.
    pub verb: Verb,
    /// The steps that it waits for, as bits.
    pub after: u32,
}

impl Job {
    /// What it makes of the world when it succeeds.
    pub fn succeed(&self, world: &mut World) {
        match (self.verb, self.resource) {
            (Verb::Fence, _) | (_, None) => world[self.node] = Side::Fenced,
            (Verb::Stop, Some(resource)) => self.becomes(world, resource, State::Down),
            (Verb::Start, Some(resource)) => self.becomes(world, resource, State::Up),
        }
    }

    /// What it makes of the world when it ends otherwise.
    pub fn end_in(&self, world: &mut World, state: State) {
        if let Some(resource) = self.resource {
            self.becomes(world, resource, state);
        }
    }

    fn becomes(&self, world: &mut World, resource: usize, state: State) {
        if let Side::Reached(states) = &mut world[self.node] {
            states[resource] = state;
        }
    }
}

/// The state of a resource; unknown on a node that does not answer, down on one that was fenced.
pub fn state(world: &World, node: usize, resource: usize) -> State {
    match world[node] {
        Side::Reached(states) => states[resource],
        Side::Lost { .. } => State::Unknown,
        Side::Fenced => State::Down,
    }
}

/// Whether a step is among some that are given as bits.
pub const fn has(set: u32, index: usize) -> bool {
    set >> index & 1 == 1
}

/// The steps that wait for nothing any more, and were not taken.
pub fn ready(jobs: &[Job], done: u32) -> Vec<usize> {
    (0..jobs.len()).filter(|index| !has(done, *index) && jobs[*index].after & !done == 0).collect()
}

//! The bounds of the model, how a run begins, and what the fault monitor makes of what it hears: with the planner and
//! the policy as they are.

use std::collections::HashMap;
use std::sync::Mutex;

use ims::State;
use jiff::Timestamp;

use super::mutant::Mutant;
use super::system::{Run, System};
use crate::plan::scenarios::world::{Job, Shape, World};
use crate::plan::{Wish, back, plan};
use crate::react::policy::{Choice, Counts, Heard};

/// A plan by numbers: the target and the steps; none when it is refused.
type Planned = Option<(Option<usize>, Vec<Job>)>;

/// What the planner is asked: what is found, the wish and the node that it goes on to, and what was before.
type Question = (World, usize, Option<usize>, Option<World>);

/// What does not change: the group, the wishes, the bounds, and a rule that is broken.
#[derive(Debug)]
pub struct Rules {
    /// The group.
    pub shape: Shape,
    /// What may be wished.
    pub wishes: Vec<Wish>,
    /// Whether the nodes have fence agents.
    pub can_be_fenced: bool,
    /// How many faults may come.
    pub faults: u8,
    /// How many runs may begin.
    pub asks: u8,
    /// The rule that is broken.
    pub mutant: Option<Mutant>,
    /// What the planner said, so that it is asked once.
    pub known: Mutex<HashMap<Question, Planned>>,
}

impl Rules {
    /// Asks the planner: for a wish, or for the way back.
    pub fn planned(
        &self,
        found: &World,
        wish: usize,
        went_on_to: Option<usize>,
        before: Option<&World>,
    ) -> Planned {
        let key = (found.clone(), wish, went_on_to, before.cloned());
        if let Some(known) = self.known.lock().unwrap().get(&key) {
            return known.clone();
        }
        let group = &self.shape.group;
        let now = self.shape.found(found);
        let asked = match (before, went_on_to) {
            (Some(before), _) => back(group, &self.shape.found(before), &now),
            (None, Some(target)) => plan(group, &now, &Wish::Move(Some(group.nodes[target].clone()))),
            (None, None) => plan(group, &now, &self.wishes[wish]),
        };
        let planned = asked.ok().map(|plan| {
            let place = |node| group.nodes.iter().position(|known| known == node).unwrap();
            let mut jobs = self.shape.jobs(&plan.steps);
            if let Some(mutant) = self.mutant {
                mutant.spoil(&mut jobs);
            }
            (plan.target.as_ref().map(place), jobs)
        });
        self.known.lock().unwrap().insert(key, planned.clone());
        planned
    }

    /// A run begins: lock, look, plan. None when it is busy, refused, or has nothing to do.
    pub fn ask(&self, last: &System, driver: usize, wish: usize) -> Option<System> {
        let mut system = last.clone();
        system.asks = system.asks.checked_sub(1)?;
        let reached: Vec<usize> =
            (0..system.nodes.len()).filter(|node| system.reaches(driver, *node)).collect();
        let is_locked = |node: &usize| system.nodes[*node].lock.is_some();
        if self.mutant != Some(Mutant::NoLock) && reached.iter().any(is_locked) {
            return None;
        }
        let found = system.look(driver, 0, self.can_be_fenced, self.mutant);
        let (target, jobs) = self.planned(&found, wish, None, None)?;
        if jobs.is_empty() {
            return None;
        }
        for node in reached {
            system.nodes[node].lock = Some(driver);
        }
        system.runs[driver] = Some(Run {
            wish,
            has_begun: false,
            went_on: false,
            goes_back: false,
            target,
            before: found.clone(),
            looked: found,
            fenced: 0,
            jobs,
            begun: 0,
            done: 0,
            failed: 0,
        });
        Some(system)
    }

    /// The fault monitor of the first node hears of the servers. What it decides follows from all that it heard.
    pub fn hear(&self, last: &System, heard: State) -> Option<System> {
        let mut system = last.clone();
        system.heard.push(heard);
        let told = match (heard, self.mutant) {
            (State::Unknown, Some(Mutant::UnknownIsFault)) => State::Down,
            (heard, _) => heard,
        };
        let resource = self.shape.group.resources.last()?;
        let mut counts = Counts::default();
        let mut choice = Choice::Nothing;
        for (round, state) in system.heard.iter().enumerate() {
            let time = Timestamp::from_second(i64::try_from(round).unwrap() * 180).unwrap();
            let is_last = round + 1 == system.heard.len();
            let heard = Heard { state: if is_last { told } else { *state }, round: None, time };
            choice = counts.decide(&resource.name, &resource.policy, &heard).0;
            counts.acted(&resource.name, choice, time);
        }
        let wish = match choice {
            Choice::Nothing | Choice::Tolerate => return Some(system),
            Choice::Restart => Wish::Restart(resource.name.clone()),
            Choice::Giveover => Wish::Giveover,
        };
        if heard != State::Down {
            system.broken = Some("a fault is reacted to that nobody found");
        }
        let wish = self.wishes.iter().position(|known| *known == wish).unwrap();
        self.ask(&system, 0, wish).or(Some(system))
    }
}

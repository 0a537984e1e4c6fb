//! What the steps of a run make of the model: the nodes do as the kernel would, the run as `crate::drive` does.

use ims::State;
use ims::name::ResourceName;

use super::mutant::Mutant;
use super::rules::Rules;
use super::system::{Doing, Power, Run, Shot, System};
use crate::plan::scenarios::world::{Job, Side, World, has, ready, state};
use crate::plan::{Verb, Wish};

impl Rules {
    /// Begins what is ready, or goes on to what comes after all has ended, as long as the driver runs.
    pub fn advance(&self, system: &mut System, driver: usize) {
        if system.nodes[driver].power != Power::On {
            return;
        }
        while let Some(run) = system.runs[driver].clone() {
            let (jobs, begun) = (run.jobs, run.begun);
            let next: Vec<usize> = ready(&jobs, run.done).into_iter().filter(|i| !has(begun, *i)).collect();
            if run.failed == 0 && !next.is_empty() {
                for index in next {
                    self.begin(system, driver, index, jobs[index]);
                }
            } else if begun == run.done | run.failed {
                self.settle(system, driver);
            } else {
                return;
            }
        }
    }

    /// Begins a step. One that its node cannot be told of is waited for in vain.
    fn begin(&self, system: &mut System, driver: usize, index: usize, job: Job) {
        let reaches = system.reaches(driver, job.node);
        let Some(run) = &mut system.runs[driver] else { return };
        run.begun |= 1 << index;
        let Some(resource) = job.resource else { return };
        let node = &mut system.nodes[job.node];
        if !reaches {
            return;
        }
        if node.lock != Some(driver) && self.mutant != Some(Mutant::NoLock) {
            run.failed |= 1 << index; // the node started anew, and its session is no more
            return;
        }
        let is = |other: &usize, state| node.has[*other] == state;
        let shape = &self.shape;
        match job.verb {
            Verb::Start if !shape.requires[resource].iter().all(|needed| is(needed, State::Up)) => {
                system.broken = Some("started without what it requires");
            }
            Verb::Stop if !shape.dependents[resource].iter().all(|above| is(above, State::Down)) => {
                system.broken = Some("stopped under what requires it");
            }
            Verb::Start | Verb::Stop | Verb::Fence => {}
        }
        let settled = if job.verb == Verb::Start { State::Up } else { State::Down };
        if node.has[resource] != settled {
            node.has[resource] = State::Partial;
        }
        node.doing[resource] = Some(Doing { verb: job.verb, by: Some((driver, index)) });
    }

    /// A step on a node ends.
    pub fn end(&self, system: &mut System, at: (usize, usize), succeeds: bool, is_heard: bool) -> Option<()> {
        let (node, resource) = at;
        let Doing { verb, by } = system.nodes[node].doing[resource].take()?;
        if succeeds {
            system.nodes[node].has[resource] = if verb == Verb::Start { State::Up } else { State::Down };
        }
        let Some((driver, index)) = by else {
            let node = &mut system.nodes[node];
            let drives = node.lock.is_some_and(|driver| system.runs[driver].is_some());
            if !drives && node.doing.iter().all(Option::is_none) {
                node.lock = None;
            }
            return Some(());
        };
        let is_heard =
            is_heard && (driver == node || !(system.nodes[driver].is_cut || system.nodes[node].is_cut));
        let counts = match (succeeds, self.mutant) {
            (true, _) => is_heard || self.mutant == Some(Mutant::SilenceIsDone),
            (false, Some(Mutant::FailedStopIsStopped)) => verb == Verb::Stop,
            (false, _) => false,
        };
        let run = system.runs[driver].as_mut()?;
        *(if counts { &mut run.done } else { &mut run.failed }) |= 1 << index;
        self.advance(system, driver);
        Some(())
    }

    /// A driver hears no more of a step's node.
    pub fn give_up(&self, system: &mut System, driver: usize, index: usize) -> Option<()> {
        let run = system.runs[driver].as_mut()?;
        let job = run.jobs[index];
        let is_taken_for_done = self.mutant == Some(Mutant::SilenceIsDone);
        *(if is_taken_for_done { &mut run.done } else { &mut run.failed }) |= 1 << index;
        if let Some(doing) = job.resource.and_then(|resource| system.nodes[job.node].doing[resource].as_mut())
        {
            doing.by = doing.by.filter(|by| *by != (driver, index));
        }
        self.advance(system, driver);
        Some(())
    }

    /// A fencing ends.
    pub fn shoot(&self, system: &mut System, driver: usize, index: usize, shot: Shot) -> Option<()> {
        let node = system.runs[driver].as_ref()?.jobs[index].node;
        if shot != Shot::Missed {
            system.power_off(node);
        }
        let run = system.runs[driver].as_mut()?;
        if shot == Shot::Confirmed || self.mutant == Some(Mutant::UnconfirmedFencing) {
            run.done |= 1 << index;
            run.fenced |= 1 << node;
            system.proofs |= 1 << node;
        } else {
            run.failed |= 1 << index;
        }
        self.advance(system, driver);
        Some(())
    }

    /// All that was begun has ended: looks again, and ends the run, goes on, or goes back.
    fn settle(&self, system: &mut System, driver: usize) {
        let Some(run) = system.runs[driver].clone() else { return };
        let now = system.look(driver, run.fenced, self.can_be_fenced, self.mutant);
        if run.failed == 0 {
            if !run.goes_back && self.says_so(&run, &now) && !self.is_so(system, &run) {
                system.broken = Some("said to be done, and is not so");
            }
            return system.end_run(driver);
        }
        let is_lost = |world: &World, node: usize| matches!(world[node], Side::Lost { .. });
        let newly_lost = |node: &usize| is_lost(&now, *node) && !is_lost(&run.looked, *node);
        let any_lost = (0..now.len()).any(|node| newly_lost(&node));
        let next = if run.goes_back {
            None
        } else if let Some(target) =
            run.target.filter(|target| !run.went_on && any_lost && !newly_lost(target))
        {
            let next = self.planned(&now, run.wish, Some(target), None);
            next.map(|(target, jobs)| Run { target, jobs, went_on: true, ..run.clone() })
        } else {
            let way = self.planned(&now, run.wish, None, Some(&run.before));
            way.map(|(_, jobs)| Run { jobs, goes_back: true, ..run.clone() })
        };
        match next.filter(|next| !next.jobs.is_empty()) {
            Some(next) => {
                system.runs[driver] = Some(Run { looked: now, begun: 0, done: 0, failed: 0, ..next });
            }
            None => system.end_run(driver),
        }
    }

    /// Whether the run says that it is done. A rule that is broken can make it believe its steps.
    fn says_so(&self, run: &Run, now: &World) -> bool {
        let believes = matches!(
            self.mutant,
            Some(Mutant::FailedStopIsStopped | Mutant::SilenceIsDone | Mutant::UnconfirmedFencing)
        );
        let is_whole = |node: usize| (0..self.shape.len()).all(|r| state(now, node, r) == State::Up);
        let is_down = |node: usize| self.shape.own().all(|r| state(now, node, r) == State::Down);
        let mut nodes = 0..now.len();
        believes
            || match (&self.wishes[run.wish], run.target) {
                (Wish::Restart(name), Some(target)) => state(now, target, self.place(name)) == State::Up,
                (_, Some(target)) => nodes.all(|node| is_whole(node) == (node == target)),
                (_, None) => nodes.all(is_down),
            }
    }

    /// Whether it is so on the nodes themselves, whatever was found of them.
    fn is_so(&self, system: &System, run: &Run) -> bool {
        let has = |node: usize, resource: usize| system.nodes[node].has[resource];
        let is_down = |node: usize| self.shape.own().all(|r| has(node, r) == State::Down);
        let mut others = (0..system.nodes.len()).filter(|node| Some(*node) != run.target);
        match (&self.wishes[run.wish], run.target) {
            (Wish::Restart(name), Some(target)) => has(target, self.place(name)) == State::Up,
            (_, Some(target)) => {
                (0..self.shape.len()).all(|r| has(target, r) == State::Up) && others.all(is_down)
            }
            (_, None) => others.all(is_down),
        }
    }

    fn place(&self, name: &ResourceName) -> usize {
        self.shape.group.resources.iter().position(|resource| &resource.name == name).unwrap()
    }
}

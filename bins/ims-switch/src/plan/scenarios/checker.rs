//! An independent checker of plans: whether a plan may be, whether its [course](super::course) breaks no rule, whether
//! it leads where it should, and the same for what is planned after each way in which the run can be cut short. It
//! knows nothing of how plans are made.

use std::collections::HashSet;

use ims::{Exit, State};

use super::course::{Course, Wrong};
use super::world::{Job, Shape, Side, World, ready, state};
use crate::plan::{Plan, Wish, back, plan};

/// Judges a plan and everything that can come of it, at first with failures, and later without.
pub struct Checker<'a> {
    shape: &'a Shape,
    planner: &'a dyn Fn(&Shape, &World, &Wish) -> Result<Plan, ims::Fail>,
    seen: HashSet<(World, String)>,
    seen_back: HashSet<(World, World)>,
    /// How many courses were judged.
    pub courses: usize,
    /// How many points of them.
    pub points: usize,
}

/// The planner as it is.
pub fn real(shape: &Shape, world: &World, wish: &Wish) -> Result<Plan, ims::Fail> {
    plan(&shape.group, &shape.found(world), wish)
}

impl<'a> Checker<'a> {
    /// A checker of a planner.
    pub fn new(
        shape: &'a Shape,
        planner: &'a dyn Fn(&Shape, &World, &Wish) -> Result<Plan, ims::Fail>,
    ) -> Self {
        Self { shape, planner, seen: HashSet::new(), seen_back: HashSet::new(), courses: 0, points: 0 }
    }

    /// Judges what is planned, then what is planned again after each way in which it can be cut short, up to so many
    /// such mishaps.
    pub fn check(&mut self, world: &World, wish: &Wish, mishaps: usize) -> Result<(), Wrong> {
        if !self.seen.insert((world.clone(), format!("{mishaps} {wish:?}"))) {
            return Ok(());
        }
        let plan = match (self.planner)(self.shape, world, wish) {
            Ok(plan) => plan,
            Err(fail) if may_refuse(self.shape, world, wish) => {
                let is_told = fail.exit() != Exit::Refused || fail.way_out().is_some();
                return if is_told { Ok(()) } else { Err(format!("no way out is told: {fail}")) };
            }
            Err(fail) => return Err(format!("refused: {fail}\n{} in {world:?}", wish.words())),
        };
        let jobs = self.shape.jobs(&plan.steps);
        let restarted = match wish {
            Wish::Restart(name) => self.shape.group.resources.iter().position(|r| &r.name == name),
            Wish::Renew(names) | Wish::Enable(names) | Wish::Disable(names) => {
                names.first().and_then(|name| self.shape.group.resources.iter().position(|r| &r.name == name))
            }
            Wish::Online(_) | Wish::Offline(_) | Wish::Move(_) | Wish::Leave(_) | Wish::Giveover => None,
        };
        let course = Course { shape: self.shape, before: world, jobs: &jobs, restarted };
        let points = course.points().map_err(|wrong| format!("{}: {wrong}", wish.words()))?;
        self.courses += 1;
        self.points += points.len();
        let (_, end) = points.last().unwrap();
        self.judge_end(world, end, wish, &plan).map_err(|rule| {
            format!("{rule}: {} from {world:?} ends in {end:?} by {jobs:#?}", wish.words())
        })?;
        if mishaps == 0 {
            return Ok(());
        }
        for (done, point) in &points {
            // The run is killed here, and the same command given again.
            self.check(point, wish, mishaps - 1)?;
            for index in ready(&jobs, *done) {
                for now in mishaps_of(&jobs[index], point) {
                    self.check(&now, wish, mishaps - 1)?;
                    self.check_back(world, &now)?;
                }
            }
        }
        Ok(())
    }

    /// Judges the way back from a run that failed.
    fn check_back(&mut self, before: &World, now: &World) -> Result<(), Wrong> {
        if !self.seen_back.insert((before.clone(), now.clone())) {
            return Ok(());
        }
        let Ok(way) = back(&self.shape.group, &self.shape.found(before), &self.shape.found(now)) else {
            return Ok(()); // told as broken, and nothing is done
        };
        let jobs = self.shape.jobs(&way.steps);
        let course = Course { shape: self.shape, before: now, jobs: &jobs, restarted: None };
        let points = course.points().map_err(|wrong| format!("the way back to {before:?}: {wrong}"))?;
        self.courses += 1;
        self.points += points.len();
        Ok(())
    }

    /// Judges where a plan leads.
    fn judge_end(&self, before: &World, end: &World, wish: &Wish, plan: &Plan) -> Result<(), &'static str> {
        let shape = self.shape;
        let place = |name: &ims::name::NodeName| shape.group.nodes.iter().position(|node| node == name);
        let is_down = |node: usize| shape.own().all(|resource| state(end, node, resource) == State::Down);
        let answers = |node: &usize| matches!(end[*node], Side::Reached(_));
        let nodes = || 0..end.len();
        match (wish, plan.target.as_ref().and_then(place)) {
            (Wish::Offline(alone), None) => {
                let alone = alone.as_ref().and_then(place);
                let is_so = nodes().filter(answers).all(|node| {
                    if alone.is_none_or(|a| a == node) { is_down(node) } else { end[node] == before[node] }
                });
                if is_so { Ok(()) } else { Err("it is not offline") }
            }
            (Wish::Restart(name), Some(target)) => {
                let restarted = shape.group.resources.iter().position(|r| &r.name == name).unwrap();
                let is_up = state(end, target, restarted) == State::Up;
                let is_kept = shape.own().all(|resource| {
                    resource == restarted
                        || state(before, target, resource) == state(end, target, resource)
                        || state(end, target, resource) == State::Up
                });
                if is_up && is_kept { Ok(()) } else { Err("it is not restarted") }
            }
            (Wish::Online(named) | Wish::Move(named), Some(target))
                if named.as_ref().is_some_and(|named| place(named) != Some(target)) =>
            {
                Err("it is not where it is wished")
            }
            (Wish::Renew(names) | Wish::Enable(names), Some(target)) => {
                let is_named =
                    |r: &usize| names.is_empty() || names.contains(&shape.group.resources[*r].name);
                let is_up = shape.own().filter(is_named).all(|r| state(end, target, r) == State::Up);
                if is_up { Ok(()) } else { Err("it is not started") }
            }
            (Wish::Disable(names), None) => {
                let is_named = |r: &usize| names.contains(&shape.group.resources[*r].name);
                let is_gone =
                    |node: usize| shape.own().filter(is_named).all(|r| state(end, node, r) == State::Down);
                if nodes().filter(answers).all(is_gone) { Ok(()) } else { Err("it is not stopped") }
            }
            (Wish::Enable(_), None) => {
                let is_kept = end == before && nodes().filter(answers).all(is_down);
                if is_kept { Ok(()) } else { Err("it is not started") }
            }
            (Wish::Leave(node), None) => {
                let left = place(node).unwrap();
                if end == before && (!answers(&left) || is_down(left)) {
                    Ok(())
                } else {
                    Err("it is not left")
                }
            }
            (Wish::Leave(node), Some(target)) if place(node) == Some(target) => Err("it is not left"),
            (Wish::Online(_) | Wish::Move(_) | Wish::Giveover | Wish::Leave(_), Some(target)) => {
                let is_whole = (0..shape.len()).all(|resource| state(end, target, resource) == State::Up);
                let others = nodes().filter(answers).filter(|node| *node != target).all(is_down);
                if !is_whole || !others {
                    return Err("it is not online on one node");
                }
                if matches!(wish, Wish::Online(_)) || matches!(wish, Wish::Move(Some(_))) {
                    let again = (self.planner)(shape, end, wish).map_err(|_| "a second run is refused")?;
                    if !again.steps.is_empty() {
                        return Err("a second run changes something");
                    }
                }
                Ok(())
            }
            (Wish::Online(_) | Wish::Move(_) | Wish::Giveover | Wish::Restart(_) | Wish::Renew(_), None)
            | (Wish::Offline(_) | Wish::Disable(_), Some(_)) => Err("the plan leads elsewhere"),
        }
    }
}

/// The worlds in which a step can end otherwise than well: the resource half-way, unchanged or unknown, or its node
/// lost, with an agent and without one.
fn mishaps_of(job: &Job, point: &World) -> Vec<World> {
    let mut worlds = Vec::new();
    for end in [State::Partial, State::Unknown] {
        let mut world = point.clone();
        job.end_in(&mut world, end);
        worlds.push(world);
    }
    for can_be_fenced in [true, false] {
        let mut world = point.clone();
        world[job.node] = Side::Lost { can_be_fenced };
        worlds.push(world);
    }
    worlds
}

/// Whether a wish may be refused: everything else must have a plan.
fn may_refuse(shape: &Shape, world: &World, wish: &Wish) -> bool {
    let place = |name: &ims::name::NodeName| shape.group.nodes.iter().position(|node| node == name);
    let is_reached = |node: usize| matches!(world[node], Side::Reached(_));
    let reached = (0..world.len()).filter(|node| is_reached(*node)).count();
    let is_barred = world.contains(&Side::Lost { can_be_fenced: false });
    let has_any = |node: usize| shape.own().any(|resource| state(world, node, resource) != State::Down);
    let reached_holders = (0..world.len()).filter(|node| is_reached(*node) && has_any(*node)).count();
    let answers = |name: &ims::name::NodeName| place(name).is_some_and(is_reached);
    match wish {
        Wish::Offline(alone) => alone.as_ref().is_some_and(|alone| place(alone).is_none()),
        Wish::Online(None) => reached == 0 || is_barred,
        Wish::Online(Some(name)) => !answers(name) || is_barred || reached_holders > 0,
        Wish::Move(Some(name)) => !answers(name) || is_barred,
        Wish::Move(None) | Wish::Giveover => reached < 2 || is_barred || reached_holders == 0,
        Wish::Leave(node) => !answers(node) || is_barred || reached < 2,
        Wish::Renew(names) => {
            let is_whole = |node: usize| (0..shape.len()).all(|r| state(world, node, r) == State::Up);
            let holder = (0..world.len()).find(|node| is_reached(*node) && has_any(*node));
            let is_looked_at =
                |name| shape.group.get(name).is_some_and(|resource| resource.kind.is_persistent());
            names.iter().any(is_looked_at)
                || is_barred
                || reached_holders != 1
                || reached < world.len()
                || !holder.is_some_and(is_whole)
        }
        // What they require, or what requires them, decides; that is for the stored answers to show.
        Wish::Enable(_) | Wish::Disable(_) => true,
        Wish::Restart(name) => {
            let is_looked_at = shape.group.get(name).is_some_and(|resource| resource.kind.is_persistent());
            is_looked_at || is_barred || reached_holders != 1 || reached < world.len()
        }
    }
}

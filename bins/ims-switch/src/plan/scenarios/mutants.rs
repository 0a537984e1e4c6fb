//! The checker itself is checked: a planner that breaks a rule, and a plan with one order less, must be caught.

use ims::{Fail, State};

use super::checker::{Checker, real};
use super::course::{Course, is_implied};
use super::world::{self, Shape, Side, World};
use super::{GROUPS, Scenario, generated, shape, tell};
use crate::plan::{Plan, Step, Verb, Wish};

/// Scenarios that a wrong planner is tried on.
fn tried() -> (Shape, Vec<Scenario>) {
    let shape = shape("IMS-RG");
    let scenarios = generated(&shape, GROUPS[0].1);
    (shape, scenarios)
}

#[test]
fn the_checker_misses_no_order_that_a_plan_has_and_a_mutant_has_not() {
    let (shape, scenarios) = tried();
    let mut caught = 0;
    for Scenario { words, world, wish, .. } in &scenarios {
        let Ok(plan) = real(&shape, world, wish) else { continue };
        let jobs = shape.jobs(&plan.steps);
        if matches!(wish, Wish::Restart(_) | Wish::Renew(_) | Wish::Enable(_)) {
            continue; // what only this node can hold waits for nothing elsewhere
        }
        for index in 0..jobs.len() {
            for after in (0..jobs.len()).filter(|after| world::has(jobs[index].after, *after)) {
                if is_implied(&jobs, index, after) {
                    continue;
                }
                let mut jobs = jobs.clone();
                jobs[index].after &= !(1 << after);
                let course = Course { shape: &shape, before: world, jobs: &jobs, restarted: None };
                let what = || format!("{words} | {}: {index} without {after} of {jobs:#?}", wish.words());
                assert!(course.points().is_err(), "not missed: {}", what());
                caught += 1;
            }
        }
    }
    tell(format_args!("{caught} plans with one order less are caught"));
    assert!(caught > 1000, "{caught}");
}

/// A planner that breaks a rule.
type Mutant = fn(&Shape, &World, &Wish) -> Result<Plan, Fail>;

#[test]
fn a_planner_that_breaks_a_rule_is_caught() {
    let (shape, scenarios) = tried();
    let mutants: [(&str, Mutant); 7] = [
        ("no fencing before a start", |shape, world, wish| {
            Ok(without(real(shape, world, wish)?, |step| step.verb == Verb::Fence))
        }),
        ("no stop on the other node", |shape, world, wish| {
            let plan = real(shape, world, wish)?;
            let target = plan.target.clone();
            Ok(without(plan, |step| step.verb == Verb::Stop && target.as_ref() != Some(&step.node)))
        }),
        ("a start before its requirement", |shape, world, wish| {
            let mut plan = real(shape, world, wish)?;
            for step in plan.steps.iter_mut().filter(|step| step.verb == Verb::Start) {
                step.after.retain(|_| false);
            }
            Ok(plan)
        }),
        ("the bottom stops first", |shape, world, wish| {
            let mut plan = real(shape, world, wish)?;
            for step in plan.steps.iter_mut().filter(|step| step.verb == Verb::Stop) {
                step.after.clear();
            }
            Ok(plan)
        }),
        ("a lost node taken for fenced", |shape, world, wish| {
            let lost = |side: &Side| if matches!(side, Side::Lost { .. }) { Side::Fenced } else { *side };
            real(shape, &world.iter().map(lost).collect(), wish)
        }),
        ("unknown taken for down", |shape, world, wish| real(shape, &read_as(world, State::Unknown), wish)),
        ("partial taken for down", |shape, world, wish| real(shape, &read_as(world, State::Partial), wish)),
    ];
    for (name, mutant) in mutants {
        let mut checker = Checker::new(&shape, &mutant);
        let caught = scenarios.iter().filter(|s| checker.check(&s.world, &s.wish, 0).is_err()).count();
        tell(format_args!("{name}: caught in {caught} of {} scenarios", scenarios.len()));
        assert!(caught > 0, "{name}");
    }
}

/// A plan without some of its steps.
fn without(plan: Plan, is_left_out: impl Fn(&Step) -> bool) -> Plan {
    let kept: Vec<usize> = (0..plan.steps.len()).filter(|index| !is_left_out(&plan.steps[*index])).collect();
    let place = |old: &usize| kept.iter().position(|index| index == old);
    let steps = kept
        .iter()
        .map(|index| {
            let step = plan.steps[*index].clone();
            Step { after: step.after.iter().filter_map(place).collect(), ..step }
        })
        .collect();
    Plan { target: plan.target, steps }
}

/// A world in which a state is read as down.
fn read_as(world: &World, read: State) -> World {
    let side = |side: &Side| match side {
        Side::Reached(states) => {
            Side::Reached(states.map(|state| if state == read { State::Down } else { state }))
        }
        Side::Lost { .. } | Side::Fenced => *side,
    };
    world.iter().map(side).collect()
}

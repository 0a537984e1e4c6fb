//! The critical path of a run: the chain of steps, each waiting for the one before, that its length is made of; and
//! what the outage would be if one step took no time. Pure, from the times that were measured.

use super::kind::{end_of, is_taken, outage_begins};
use crate::journal::Told;
use crate::record::StepRecord;

/// What a step is to the length of its run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Its time on the critical path; 0 beside it.
    pub critical_ms: u64,
    /// How much shorter the outage would be if the step took no time.
    pub saves_ms: u64,
}

/// The weights of a run's steps, in the order of the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Of each step.
    pub weights: Vec<Weight>,
    /// The end of the last step: the length of the path.
    pub length_ms: u64,
    /// The part of it that no step took: between two steps, and before the first.
    pub between_ms: u64,
}

/// A step with what it waited for.
struct Timed<'a> {
    step: &'a StepRecord,
    at: u64,
    took: u64,
    /// The places of those it waited for; each before its own.
    after: Vec<usize>,
}

impl Timed<'_> {
    const fn end(&self) -> u64 {
        self.at.saturating_add(self.took)
    }
}

/// Finds the critical path.
pub fn path(told: &Told) -> Path {
    let timed = timed(&told.steps);
    let mut weights = vec![Weight::default(); told.steps.len()];
    let mut at = timed.iter().enumerate().max_by_key(|(_, timed)| timed.end()).map(|(place, _)| place);
    let length_ms = at.and_then(|place| timed.get(place)).map_or(0, Timed::end);
    let mut on_steps: u64 = 0;
    while let Some((place, last)) = at.and_then(|place| Some((place, timed.get(place)?))) {
        if let Some(weight) = weights.get_mut(place) {
            weight.critical_ms = last.took;
        }
        on_steps = on_steps.saturating_add(last.took);
        at = last.after.iter().copied().max_by_key(|place| timed.get(*place).map(Timed::end));
    }
    let whole = outage_without(told, &timed, None);
    for (place, weight) in weights.iter_mut().enumerate() {
        let without = outage_without(told, &timed, Some(place));
        weight.saves_ms = whole.zip(without).map_or(0, |(whole, without)| whole.saturating_sub(without));
    }
    Path { weights, length_ms, between_ms: length_ms.saturating_sub(on_steps) }
}

/// Gives each step the places of those it waited for. One that names none waited for all that ended before it
/// began: the preparation, or the run's first course when it had to go back.
fn timed(steps: &[StepRecord]) -> Vec<Timed<'_>> {
    let mut timed: Vec<Timed<'_>> = Vec::new();
    for step in steps {
        let (at, took) = (step.at_ms.unwrap_or(0), step.took_ms.unwrap_or(0));
        let waited_for = |other: &Timed<'_>| {
            if step.after.is_empty() { other.end() <= at } else { step.after.contains(&other.step.step) }
        };
        let before = timed.iter().enumerate().filter(|(_, other)| waited_for(other));
        let after = before.map(|(place, _)| place).collect();
        timed.push(Timed { step, at, took, after });
    }
    timed
}

/// The outage, had one step taken no time: every other still takes its own, and begins as long after those it
/// waits for as it did.
fn outage_without(told: &Told, timed: &[Timed<'_>], without: Option<usize>) -> Option<u64> {
    let mut moved: Vec<(u64, u64)> = Vec::new();
    for (place, step) in timed.iter().enumerate() {
        let was = step.after.iter().filter_map(|place| timed.get(*place)).map(Timed::end).max().unwrap_or(0);
        let is =
            step.after.iter().filter_map(|place| moved.get(*place)).map(|(_, end)| *end).max().unwrap_or(0);
        let at = is.saturating_add(step.at.saturating_sub(was));
        let took = if Some(place) == without { 0 } else { step.took };
        moved.push((at, at.saturating_add(took)));
    }
    let known = outage_begins(told)?;
    let steps = |verb: &'static str| {
        let both = timed.iter().zip(&moved);
        both.filter(move |(timed, _)| is_taken(timed.step, verb)).map(|(timed, times)| (timed.step, *times))
    };
    let end = steps("start").filter(|(step, _)| end_of(step).is_some()).map(|(_, (_, end))| end).max()?;
    // Where the outage began with a stop, it moves with that stop.
    let stop = steps("stop").filter(|(step, _)| step.at_ms.is_some()).map(|(_, (at, _))| at).min();
    let begin = if known == 0 { 0 } else { stop.unwrap_or(known) };
    end.checked_sub(begin)
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;

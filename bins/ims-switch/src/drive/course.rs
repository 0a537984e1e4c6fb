//! The course of a run once its plan is made: act, look again, go on when the source died, go back when a step
//! failed, and tell the end.

use std::time::Instant;

use ims::name::NodeName;
use ims::{Exit, Fail, Out, State};
use jiff::Timestamp;

use super::act::{Came, Crew, planned, since};
use super::outcome::{as_before, as_wished, failure, half_way, keep_fenced, lost_since};
use super::team::Team;
use super::{Asked, online_on};
use crate::found::{Found, Seen, state_on};
use crate::journal::gap_ms;
use crate::plan::{self, Plan, Wish, whereabouts};
use crate::record::{Outcome, RunRecord, StepRecord};

/// A run under way.
pub struct Run<'a> {
    /// What is asked for.
    pub asked: &'a Asked,
    /// When it began, to measure times.
    pub began: Instant,
    /// When it began, to tell people.
    pub time: Timestamp,
    /// What was done until now.
    pub steps: Vec<StepRecord>,
    /// Why nobody was told of some of it.
    pub untold: Option<Fail>,
}

impl Run<'_> {
    /// The run as a record.
    pub fn record(&self, exit: Exit, message: Option<String>, online_on: Option<NodeName>) -> RunRecord {
        RunRecord {
            run: None,
            group: self.asked.group.clone(),
            wish: self.asked.wish.words(),
            time: self.time,
            took_ms: Some(since(self.began)),
            gap_ms: gap_ms(&self.steps),
            changed: self.steps.iter().any(|step| step.changed),
            dry_run: self.asked.dry_run,
            status: Some(exit.word().to_owned()),
            online_on,
            message,
        }
    }

    /// The node on which a step failed first, if one did.
    pub fn failed_first_on(&self) -> Option<&NodeName> {
        self.steps.iter().find(|step| step.outcome == Outcome::Failed).map(|step| &step.node)
    }

    /// Ends a run that finds everything as it is wished.
    pub fn nothing_to_do(
        &self,
        team: &Team,
        found: &Found,
        plan: &Plan,
        out: &mut Out,
    ) -> Result<Exit, Fail> {
        let online_on = online_on(&team.group, found);
        let is_of_all = !matches!(self.asked.wish, Wish::Enable(_));
        if let Some(target) = plan.target.as_ref().filter(|_| is_of_all)
            && let Some(Seen::Reached(states)) = found.get(target)
            && state_on(&team.group, states) != State::Up
        {
            // Its own resources are up, but what they stand on is not.
            return Err(Fail::failed(format!("{} is not whole on {target}", team.group.name))
                .because(whereabouts(&team.group, found)));
        }
        let lost: Vec<String> = found
            .nodes()
            .filter(|(_, seen)| matches!(seen, Seen::Lost { .. }))
            .map(|(node, _)| node.to_string())
            .collect();
        let is_left = matches!(self.asked.wish, Wish::Leave(_));
        let exit = match (&plan.target, lost.is_empty() || is_left) {
            (None, false) => {
                return Err(Fail::unknown(format!(
                    "{} cannot be reached; whether {} is offline there is unknown",
                    lost.join(", "),
                    team.group.name
                )));
            }
            (Some(_), _) | (None, true) => Exit::Ok,
        };
        out.record(&self.record(exit, None, online_on))?;
        Ok(exit)
    }

    /// Ends a run whose plan is only shown.
    pub fn only_shown(&self, team: &Team, found: &Found, plan: &Plan, out: &mut Out) -> Result<Exit, Fail> {
        for (index, step) in plan.steps.iter().enumerate() {
            out.record(&planned(&self.asked.group, step, index, 0))?;
        }
        let record = self.record(Exit::Ok, None, online_on(&team.group, found));
        out.record(&RunRecord { changed: true, ..record })?;
        Ok(Exit::Ok)
    }

    /// Acts, and goes on or back when something fails. What is found at the end stands beside the failure.
    pub fn carry_out(
        &mut self,
        crew: &Crew<'_>,
        before: &Found,
        plan: Plan,
        out: &mut Out,
    ) -> Result<Found, (Fail, Found)> {
        let mut plan = plan;
        let mut looked = before.clone();
        for attempt in 0.. {
            let came = self.act(crew, &plan, out);
            let (now, _) = crew.team.look();
            let now = keep_fenced(&looked, &came, now);
            let Some(fail) = failure(crew, &came, &now) else {
                return as_wished(crew, &self.asked.wish, &plan, now);
            };
            let newly_lost = lost_since(&looked, &now);
            let goes_on = attempt == 0
                && came.interrupted.is_none()
                && !newly_lost.is_empty()
                && plan.target.as_ref().is_some_and(|target| !newly_lost.contains(target));
            if goes_on {
                // The source died on the way: what was begun is finished once that is certain.
                match plan::plan(&crew.team.group, &now, &Wish::Move(plan.target.clone())) {
                    Ok(next) => {
                        plan = next;
                        looked = now;
                        continue;
                    }
                    Err(next) => return Err((half_way(crew, &fail, &now).because(next), now)),
                }
            }
            if let Some(signal) = came.interrupted {
                let fail = if came.records.iter().any(|step| step.changed) {
                    Fail::broken(format!("stopped by {signal} between two steps"))
                        .because(whereabouts(&crew.team.group, &now))
                        .hint("run the same command again to finish")
                } else {
                    Fail::failed(format!("stopped by {signal} before anything was changed"))
                };
                return Err((fail, now));
            }
            if fail.exit() == Exit::Broken {
                // A step that ended half-way itself (a volume unmounted with writes lost) wants a person, not a way back.
                return Err((
                    half_way(crew, &fail, &now).hint("mend that, then run the same command again"),
                    now,
                ));
            }
            return Err(self.go_back(crew, fail, before, now, out));
        }
        Err((Fail::broken("the run did not end"), looked))
    }

    fn act(&mut self, crew: &Crew<'_>, plan: &Plan, out: &mut Out) -> Came {
        let mut came = crew.act(&plan.steps, self.steps.len(), out);
        self.steps.extend(came.records.iter().cloned());
        self.untold = self.untold.take().or(came.untold.take());
        came
    }

    /// Puts back what was before.
    fn go_back(
        &mut self,
        crew: &Crew<'_>,
        fail: Fail,
        before: &Found,
        now: Found,
        out: &mut Out,
    ) -> (Fail, Found) {
        let group = &crew.team.group;
        let exit = if fail.exit() == Exit::Refused { Exit::Refused } else { Exit::Failed };
        let back = match plan::back(group, before, &now) {
            Ok(back) => back,
            Err(undo) => return (fail.and_undo_failed(undo), now),
        };
        if back.steps.is_empty() {
            return if as_before(group, before, &now) {
                (fail.with_exit(exit), now)
            } else {
                (half_way(crew, &fail, &now), now)
            };
        }
        ims::sys::stderr::say("ims-switch", format_args!("{fail}; putting back what was before"));
        let came = self.act(crew, &back, out);
        let (last, _) = crew.team.look();
        let last = keep_fenced(&now, &came, last);
        match failure(crew, &came, &last) {
            Some(undo) => {
                let undo = Fail::broken(undo.to_string()).because(whereabouts(group, &last));
                (fail.and_undo_failed(undo), last)
            }
            None if as_before(group, before, &last) => {
                (Fail::new(exit, format!("{fail}; all was put back as before")), last)
            }
            None => (half_way(crew, &fail, &last), last),
        }
    }

    /// Tells the run's end.
    pub fn finish(
        self,
        crew: &Crew<'_>,
        result: Result<Found, (Fail, Found)>,
        out: &mut Out,
    ) -> Result<Exit, Fail> {
        let (fail, found) = match result {
            Ok(found) => (None, found),
            Err((fail, found)) => (Some(fail), found),
        };
        let exit = fail.as_ref().map_or(Exit::Ok, Fail::exit);
        let record = RunRecord {
            run: Some(crew.journal.run().to_owned()),
            ..self.record(exit, fail.as_ref().map(ToString::to_string), online_on(&crew.team.group, &found))
        };
        let written = crew.journal.finish(&record);
        let told = out.record(&record);
        if let Err(written) = written {
            ims::sys::stderr::say("ims-switch", written);
        }
        // What went wrong is graver than that nobody was told.
        match fail.or(self.untold).or(told.err()) {
            None => Ok(Exit::Ok),
            Some(fail) => Err(fail),
        }
    }
}

//! What a node does ahead of a run's steps, so that it does not lie in the outage.
//!
//! Commands of this house, and the shells behind which those of other people run, are started before their step's turn
//! comes. Each waits for the word to begin; whoever is not told ends without having done anything. And what was seen of
//! a resource just before, under the same lock, is not looked at again before its step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ims::group::{Kind, Resource};
use ims::name::ResourceName;
use ims::sys::exec::{Ended, Line, Waiting};
use ims::{Fail, State};

use super::{Here, Looked, agent, tool};
use crate::plan::{Hints, Verb, line};

/// How long all of them may take to be ready; one that is not begins a little later.
const READY: Duration = Duration::from_secs(1);

/// For how long what was seen counts before a step. A monitor is asked every three minutes else.
const FRESH: Duration = Duration::from_secs(1);

/// What was done ahead.
#[derive(Debug, Default)]
pub struct Ahead {
    /// The commands that wait, with the line that each carries out.
    waiting: Mutex<Vec<(ResourceName, Line, Waiting)>>,
    /// Those that were told, which rest until the run is over.
    told: Mutex<Vec<Waiting>>,
    /// The states that were seen, and when; each counts once.
    seen: Mutex<Option<(Instant, BTreeMap<ResourceName, State>)>>,
}

impl Ahead {
    /// Starts the commands of the steps that start and stop these resources, and waits until they are ready. One that
    /// cannot be started is started at its turn, which tells why. Of a resource that is stopped and started again only the
    /// stop waits: it keeps others away from it.
    pub fn start(
        &self,
        here: &Here<'_>,
        starts: &BTreeMap<ResourceName, Hints>,
        stops: &BTreeSet<ResourceName>,
    ) {
        let line = |resource: &Resource| {
            if stops.contains(&resource.name) {
                return Some(line::of(here.group, resource, Verb::Stop, &Hints::default()));
            }
            let hints = starts.get(&resource.name)?;
            Some(line::of(here.group, resource, Verb::Start, hints))
        };
        let mut started: Vec<(ResourceName, Line, Waiting)> = here
            .group
            .resources
            .iter()
            .filter_map(|resource| {
                let line = line(resource)?;
                let waiting = waits(here, resource, &line)?;
                Some((resource.name.clone(), line, waiting))
            })
            .collect();
        let end = Instant::now() + READY;
        for (_, _, waiting) in &mut started {
            waiting.is_ready(end);
        }
        held(&self.waiting).append(&mut started);
    }

    /// Tells the one that waits to carry out this line to begin, and runs it to its end; nothing when there is none. What
    /// waits for another line of the resource is let go: it holds what this one needs.
    pub fn carry_out(
        &self,
        resource: &ResourceName,
        line: &Line,
        timeout: Duration,
    ) -> Option<Result<Ended, Fail>> {
        let mut waiting = held(&self.waiting);
        let of_it: Vec<_> = waiting.extract_if(.., |(name, _, _)| name == resource).collect();
        drop(waiting);
        let fit = of_it.into_iter().filter(|(_, of, _)| of == line).map(|(_, _, waiting)| waiting);
        let mut waiting = fit.into_iter().find_map(|mut waiting| waiting.is_there().then_some(waiting))?;
        let ended = waiting.run(timeout);
        held(&self.told).push(waiting);
        Some(ended)
    }

    /// Remembers what was seen when it was begun to look.
    pub fn saw(&self, began: Instant, looked: &BTreeMap<ResourceName, Looked>) {
        let states = looked.iter().map(|(name, (state, _))| (name.clone(), *state));
        *held(&self.seen) = Some((began, states.collect()));
    }

    /// The state that was seen a moment ago; it is not known any more after the step that asks for it.
    pub fn last_seen(&self, resource: &ResourceName) -> Option<State> {
        let mut seen = held(&self.seen);
        let (began, states) = seen.as_mut()?;
        let state = states.remove(resource)?;
        (began.elapsed() < FRESH).then_some(state)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts what will carry out a line of a resource, if it can wait for its turn. What stands on layers of devices has
/// nothing to prepare before they are there.
fn waits(here: &Here<'_>, resource: &Resource, line: &Line) -> Option<Waiting> {
    match &resource.kind {
        Kind::LogicalIp { .. } => tool::ahead(here, line).ok(),
        Kind::Volume(volume) if volume.layers.is_empty() => tool::ahead(here, line).ok(),
        Kind::Command(_) | Kind::Ocf(_) => agent::ahead(here, line),
        Kind::Nic { .. }
        | Kind::Volume(_)
        | Kind::DiskGroup { .. }
        | Kind::DirectoryServer { .. }
        | Kind::MessagingServer { .. } => None,
    }
}

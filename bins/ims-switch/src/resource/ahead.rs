//! Commands of this house that are started before their step's turn comes, so that no start of a process lies in the
//! outage. Each waits for the word to begin; whoever is not told ends without having done anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ims::group::{Kind, Resource};
use ims::name::ResourceName;
use ims::sys::exec::{Line, Waiting};

use super::{Here, tool};
use crate::plan::{Hints, Verb, line};

/// How long all of them may take to be ready; one that is not begins a little later.
const READY: Duration = Duration::from_secs(1);

/// Those that wait, with the line that each carries out.
#[derive(Debug, Default)]
pub struct Ahead(Mutex<Vec<(ResourceName, Line, Waiting)>>);

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
            .filter(|resource| can_wait(resource))
            .filter_map(|resource| {
                let line = line(resource)?;
                let waiting = tool::ahead(here, &line).ok()?;
                Some((resource.name.clone(), line, waiting))
            })
            .collect();
        let end = Instant::now() + READY;
        for (_, _, waiting) in &mut started {
            waiting.is_ready(end);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut started);
    }

    /// The one that waits to carry out this line. What waits for another line of the resource is let go: it holds what
    /// this one needs.
    pub fn take(&self, resource: &ResourceName, line: &Line) -> Option<Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it: Vec<_> = waiting.extract_if(.., |(name, _, _)| name == resource).collect();
        drop(waiting);
        let fit = of_it.into_iter().filter(|(_, of, _)| of == line);
        fit.map(|(_, _, waiting)| waiting).find_map(|mut waiting| waiting.is_there().then_some(waiting))
    }
}

/// Whether a resource is brought up by a command of ours that knows how to wait. What stands on layers of devices has
/// nothing to prepare before they are there.
fn can_wait(resource: &Resource) -> bool {
    match &resource.kind {
        Kind::LogicalIp { .. } => true,
        Kind::Volume(volume) => volume.layers.is_empty(),
        Kind::Nic { .. }
        | Kind::DiskGroup { .. }
        | Kind::DirectoryServer { .. }
        | Kind::MessagingServer { .. }
        | Kind::Command(_)
        | Kind::Ocf(_) => false,
    }
}

//! Resources that are started, stopped and monitored by other people's command lines: `command` and `ocf:…`. Their word
//! is checked: after each start and stop the monitor is asked.

use std::path::Path;
use std::time::{Duration, Instant};

use ims::group::{Kind, Resource};
use ims::sys::exec::{Ended, Line, Waiting};
use ims::{Fail, State};

use crate::lap::Laps;
use crate::plan::{Hints, Verb, line};
use crate::resource::{Here, Looked};

/// A line with its program looked up below this node's root.
fn here(here: &Here<'_>, line: &Line) -> Line {
    let program = line.program();
    if here.host.is_elsewhere() && Path::new(&program).is_absolute() {
        line.clone().with_program(here.host.path(&program))
    } else {
        line.clone()
    }
}

fn said(line: &Line, ended: &Ended) -> String {
    let status = ended.status.map_or_else(|| "a signal".to_owned(), |status| format!("status {status}"));
    format!("{line} ended with {status}: {}", ended.last_words())
}

/// Asks the monitor; a status that means neither up nor down is unknown.
pub fn look(seat: &Here<'_>, resource: &Resource, up: &[i32], down: &[i32]) -> Result<Looked, Fail> {
    let Some(line) = line::look(seat.group, resource) else { return Ok((State::Unknown, None)) };
    let monitor = here(seat, &line).env("OCF_RESKEY_CRM_meta_interval", "0");
    let ended = monitor.run(resource.policy.monitor_timeout)?;
    Ok(match ended.status {
        Some(status) if up.contains(&status) => (State::Up, None),
        Some(status) if down.contains(&status) => (State::Down, None),
        Some(_) | None => (State::Unknown, Some(said(&line, &ended))),
    })
}

/// Starts it and asks the monitor whether it is up.
pub fn start(seat: &Here<'_>, resource: &Resource, laps: &Laps) -> Result<bool, Fail> {
    carry_out(seat, resource, Verb::Start, State::Up, laps)
}

/// Stops it and asks the monitor whether it is down.
pub fn stop(seat: &Here<'_>, resource: &Resource, laps: &Laps) -> Result<bool, Fail> {
    carry_out(seat, resource, Verb::Stop, State::Down, laps)
}

fn carry_out(
    seat: &Here<'_>,
    resource: &Resource,
    verb: Verb,
    wanted: State,
    laps: &Laps,
) -> Result<bool, Fail> {
    // What is remembered may save a look, and never a step.
    let seen = seat.ahead.and_then(|ahead| ahead.last_seen(&resource.name));
    let is_to_do = seen.is_some_and(|state| state != wanted);
    if !is_to_do && laps.time("monitor", || seat.look(resource)).0 == wanted {
        return Ok(false);
    }
    let timeout = match verb {
        Verb::Start => resource.limits.online_timeout,
        Verb::Stop | Verb::Fence => resource.limits.offline_timeout,
    };
    let deadline = Instant::now() + timeout;
    let line = line::of(seat.group, resource, verb, &Hints::default());
    let ended = laps.time(line.program(), || {
        let waits = seat.ahead.and_then(|ahead| ahead.carry_out(&resource.name, &line, timeout));
        waits.unwrap_or_else(|| waited_for(seat, &line, timeout))
    })?;
    if !ended.is_success() {
        return Err(Fail::failed(said(&line, &ended)));
    }
    let looked = laps.time("monitor", || match verb {
        Verb::Start => settled(seat, resource, deadline),
        Verb::Stop | Verb::Fence => seat.look(resource),
    });
    match looked {
        (state, _) if state == wanted => Ok(true),
        (State::Unknown, reason) => {
            Err(Fail::unknown(format!("cannot tell whether {} is {wanted}", resource.name))
                .because(reason.unwrap_or_default()))
        }
        (state, _) => Err(Fail::failed(format!("{} is {state} after its {}", resource.name, verb.word()))),
    }
}

/// Asks the monitor until it does not say down any more, for as many intervals as a start that has ended may take. Nobody
/// tells when a program of other people is up, so it is asked at once and then ever less often.
fn settled(seat: &Here<'_>, resource: &Resource, deadline: Instant) -> Looked {
    let policy = &resource.policy;
    let wait = policy.monitor_interval.saturating_mul(policy.online_wait_limit);
    let deadline = Instant::now().checked_add(wait).map_or(deadline, |end| end.min(deadline));
    let mut pause = Duration::from_millis(10);
    loop {
        let looked = seat.look(resource);
        let left = deadline.saturating_duration_since(Instant::now());
        if looked.0 != State::Down || left.is_zero() {
            return looked;
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Has a line wait for its turn behind a shell that is there already; nothing without a lock, which is what the shell is
/// for.
pub fn ahead(seat: &Here<'_>, line: &Line) -> Option<Waiting> {
    here(seat, line).waited_for_ahead(seat.lock?.file().file()).ok()
}

/// Runs a line that holds the group's lock while it runs, whatever becomes of us.
fn waited_for(seat: &Here<'_>, line: &Line, timeout: Duration) -> Result<Ended, Fail> {
    let line = here(seat, line);
    match seat.lock {
        Some(lock) => line.waited_for().run_holding(lock.file().file(), timeout),
        None => line.run(timeout),
    }
}

/// Whether the programs are there; one below a mount point of the group may come with its volume.
pub fn obstacles(seat: &Here<'_>, resource: &Resource) -> Vec<String> {
    let mut found = Vec::new();
    let start = line::of(seat.group, resource, Verb::Start, &Hints::default());
    for line in std::iter::once(start).chain(line::look(seat.group, resource)) {
        let program = line.program();
        let path = Path::new(&program);
        let on_a_volume = seat.group.resources.iter().any(|other| match &other.kind {
            Kind::Volume(volume) => path.starts_with(&volume.mount),
            Kind::Nic { .. }
            | Kind::LogicalIp { .. }
            | Kind::DiskGroup { .. }
            | Kind::DirectoryServer { .. }
            | Kind::MessagingServer { .. }
            | Kind::Command(_)
            | Kind::Ocf(_) => false,
        });
        if !on_a_volume && !is_there(seat, path) && !found.contains(&program) {
            found.push(program);
        }
    }
    found.into_iter().map(|program| format!("{program} is not there")).collect()
}

/// Whether a program can be found: an absolute path as it is, a name on the search path.
fn is_there(seat: &Here<'_>, program: &Path) -> bool {
    if program.components().count() > 1 {
        return seat.host.path(program).is_file();
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

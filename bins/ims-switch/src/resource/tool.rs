//! The commands of this house as steps: run as programs, their exit status and records read back.

use std::path::PathBuf;
use std::time::Duration;

use ims::group::{Kind, Resource};
use ims::sys::exec::{Ended, Line, Waiting};
use ims::{Exit, Fail, State};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::plan::{Hints, Verb, line};
use crate::resource::{Here, Looked};

/// How long looking at an address or a volume may take.
const LOOK: Duration = Duration::from_secs(30);

/// What every record of these commands may say.
#[derive(Debug, Default, Deserialize)]
struct Told {
    state: Option<State>,
    #[serde(default)]
    changed: bool,
    #[serde(alias = "why")]
    reason: Option<String>,
}

/// The command line with the program that stands beside this one, when it does: an installation's commands go
/// together.
pub fn beside(line: &Line) -> Line {
    let sibling = || {
        let program = line.program();
        let own = std::env::current_exe().ok()?;
        let path = own.parent()?.join(program.strip_prefix("ims-").map(|_| &program)?);
        path.is_file().then_some(path)
    };
    sibling().map_or_else(|| line.clone(), |path| line.clone().with_program(path))
}

/// The line as it is run on this node.
fn whole(here: &Here<'_>, line: &Line) -> Line {
    let line = beside(line).arg("--output").arg("json");
    if here.host.is_elsewhere() { line.arg("--root").arg(here.host.path("/")) } else { line }
}

/// Starts the command of a step ahead of its turn.
pub fn ahead(here: &Here<'_>, line: &Line) -> Result<Waiting, Fail> {
    whole(here, line).arg("--when-told").ahead(here.lock.map(|lock| lock.file().file()))
}

fn run_it(here: &Here<'_>, line: &Line, timeout: Duration) -> Result<Ended, Fail> {
    let line = whole(here, line);
    match here.lock {
        Some(lock) => line.run_holding(lock.file().file(), timeout),
        None => line.run(timeout),
    }
}

/// The records that a command of ours gives, and its exit status.
pub fn ask<T: DeserializeOwned>(
    here: &Here<'_>,
    line: &Line,
    timeout: Duration,
) -> Result<(Vec<T>, Exit), Fail> {
    let ended = run_it(here, line, timeout)?;
    let exit = ended.status.and_then(Exit::from_code).ok_or_else(|| failure(line, &ended))?;
    match exit {
        Exit::Usage | Exit::Refused | Exit::Failed | Exit::Broken | Exit::Busy => {
            return Err(failure(line, &ended));
        }
        Exit::Ok | Exit::No | Exit::Unknown => {}
    }
    let text = String::from_utf8_lossy(&ended.stdout);
    Ok((text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(), exit))
}

fn told(ended: &Ended) -> Told {
    let text = String::from_utf8_lossy(&ended.stdout);
    let mut records = text.lines().filter_map(|line| serde_json::from_str::<Told>(line).ok());
    records.rfind(|record| record.state.is_some()).unwrap_or_default()
}

/// The failure of a command of ours, with its own status and words.
pub fn failure(line: &Line, ended: &Ended) -> Fail {
    let words = ended.last_words();
    let words = words.strip_prefix(&format!("{}: ", line.program())).unwrap_or(&words).to_owned();
    match ended.status.and_then(Exit::from_code) {
        Some(Exit::No) => Fail::failed(line.to_string()).because(words),
        Some(exit) => Fail::new(exit, line.to_string()).because(words),
        None => Fail::unknown(line.to_string()).because(words),
    }
}

/// Looks at an interface, an address or a volume.
pub fn look(here: &Here<'_>, resource: &Resource) -> Result<Looked, Fail> {
    let Some(line) = line::look(here.group, resource) else { return Ok((State::Unknown, None)) };
    let ended = run_it(here, &line, LOOK)?;
    let told = told(&ended);
    match (told.state, ended.status.and_then(Exit::from_code)) {
        (Some(state), Some(Exit::Ok | Exit::No | Exit::Unknown)) => Ok((state, told.reason)),
        (None, Some(Exit::Ok)) => Ok((State::Up, None)),
        (None, Some(Exit::No)) => Ok((State::Down, None)),
        _ => Err(failure(&line, &ended)),
    }
}

/// Runs the step of a resource, which may wait for it already; says whether it changed anything.
pub fn step(here: &Here<'_>, resource: &Resource, line: &Line, timeout: Duration) -> Result<bool, Fail> {
    match here.ahead.and_then(|ahead| ahead.carry_out(&resource.name, line, timeout)) {
        Some(ended) => has_changed(line, &ended?),
        None => run(here, line, timeout),
    }
}

/// Runs a command; says whether it changed anything.
pub fn run(here: &Here<'_>, line: &Line, timeout: Duration) -> Result<bool, Fail> {
    has_changed(line, &run_it(here, line, timeout)?)
}

fn has_changed(line: &Line, ended: &Ended) -> Result<bool, Fail> {
    if ended.is_success() { Ok(told(ended).changed) } else { Err(failure(line, ended)) }
}

/// An interface is never started: it is up or the step fails.
pub fn must_be_up(here: &Here<'_>, resource: &Resource, device: &str) -> Result<bool, Fail> {
    match look(here, resource)? {
        (State::Up, _) => Ok(false),
        (state @ (State::Down | State::Partial), reason) => {
            let fail = Fail::failed(format!("{device} is {state}"));
            Err(match reason {
                Some(reason) => fail.because(reason),
                None => fail,
            })
        }
        (State::Unknown, reason) => {
            Err(Fail::unknown(format!("cannot tell whether {device} is up"))
                .because(reason.unwrap_or_default()))
        }
    }
}

/// Why a volume or disk group of this name would not be taken, by the state that it is in.
fn would_not_be_taken(here: &Here<'_>, resource: &Resource, name: &str, has_layers: bool) -> Option<String> {
    match here.look(resource) {
        (State::Up | State::Down, _) => None,
        // Read-only, mounted elsewhere, or something else is mounted there: it would not be taken.
        (State::Partial, reason) if !has_layers => Some(format!("{name}: {}", reason.unwrap_or_default())),
        // A run that was ended half-way may have left the layers active, which a take makes use of.
        (State::Partial, _) => {
            let line = line::of(here.group, resource, Verb::Start, &Hints::default()).arg("--dry-run");
            let ended = run_it(here, &line, LOOK);
            let failed = ended.map(|ended| (!ended.is_success()).then(|| failure(&line, &ended)));
            failed.unwrap_or_else(Some).map(|fail| fail.to_string())
        }
        (State::Unknown, reason) => {
            let reason = reason.unwrap_or_default();
            Some(format!("cannot tell the state of {}: {reason}", resource.name))
        }
    }
}

/// What keeps an interface, an address or a volume from coming up here.
pub fn obstacles(here: &Here<'_>, resource: &Resource) -> Vec<String> {
    match &resource.kind {
        Kind::Nic { .. } => match here.look(resource) {
            (State::Up, _) => Vec::new(),
            (state @ (State::Down | State::Partial | State::Unknown), reason) => {
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                vec![format!("{} is {state}{reason}", resource.name)]
            }
        },
        Kind::LogicalIp { device, .. } => {
            let path = PathBuf::from("/sys/class/net").join(device);
            if path.exists() { Vec::new() } else { vec![format!("there is no interface {device}")] }
        }
        Kind::Volume(volume) => {
            let mut found = Vec::new();
            match std::fs::metadata(&volume.device) {
                Ok(meta) if std::os::unix::fs::FileTypeExt::is_block_device(&meta.file_type()) => {}
                Ok(_) => found.push(format!("{} is not a block device", volume.device.display())),
                // It comes with its layers.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound && !volume.layers.is_empty() => {}
                Err(e) => found.push(format!("{}: {e}", volume.device.display())),
            }
            if !volume.mount.is_dir() {
                found
                    .push(format!("the mount point {0} is not there (mkdir -p {0})", volume.mount.display()));
            }
            found.extend(would_not_be_taken(
                here,
                resource,
                &volume.mount.display().to_string(),
                !volume.layers.is_empty(),
            ));
            found
        }
        Kind::DiskGroup { layers } => {
            let name = layers.last().map(ToString::to_string).unwrap_or_default();
            would_not_be_taken(here, resource, &name, true).into_iter().collect()
        }
        Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } | Kind::Command(_) | Kind::Ocf(_) => {
            Vec::new()
        }
    }
}

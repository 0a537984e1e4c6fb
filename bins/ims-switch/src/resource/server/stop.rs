//! Stopping servers: asked to end, waited for, killed when their time is over, and never called stopped before
//! the last process of theirs is gone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ims::group::Resource;
use ims::layout::Stop;
use ims::sys::process::Process;
use ims::{Exit, Fail};

use super::Programs;
use super::slot::{Running, Slot};
use crate::lap::Laps;
use crate::resource::Here;

/// How long the kernel may take to end what was killed; a process that waits for a hung disk takes longer.
const KILLED: Duration = Duration::from_secs(5);

/// SIGKILL.
const SIGKILL: i32 = 9;

/// SIGTERM.
const SIGTERM: i32 = 15;

/// Stops every program of a resource, the last that was started first, so that none loses what it works with;
/// says whether any ran.
pub fn stop(here: &Here<'_>, resource: &Resource, laps: &Laps) -> Result<bool, Fail> {
    let programs = Programs::of(here, resource)?;
    let slots = programs.slots(here, resource);
    let mut ran = false;
    for slot in slots.iter().rev() {
        ran |= end(slot, laps)?;
    }
    if programs.told.is_err() && !programs.are_elsewhere(here) {
        // Something may run that was not started here, and how to find it stands in what cannot be read.
        return programs.told.map(|_| ran);
    }
    Ok(ran)
}

/// Ends one program; says whether it ran.
pub fn end(slot: &Slot, laps: &Laps) -> Result<bool, Fail> {
    let running = slot.running()?;
    if !running.is_any() {
        slot.forget()?;
        return Ok(false);
    }
    // Whoever watches it knows that then; where it cannot be kept it is stopped all the same.
    let _ = slot.ends();
    laps.time(format!("{} ends", slot.name), || asked_then_killed(slot, &running))?;
    slot.forget()?;
    Ok(true)
}

fn asked_then_killed(slot: &Slot, running: &Running) -> Result<(), Fail> {
    let (how, patience) = slot.stop();
    let deadline = Instant::now() + patience;
    let asked = match (&how, &running.first) {
        (Stop::SignalAll(signal), first) => {
            signal_all(slot, running, *signal)?;
            if let Some(first) = first
                && others_ended(slot, running, first, deadline)?
            {
                kill_alone(slot, running, first)?;
            }
            true
        }
        (Stop::Drain { agents, moment }, first) => {
            drain(slot, running, first.as_ref(), agents, deadline.min(Instant::now() + *moment))?;
            true
        }
        (Stop::Signal(signal), Some(first)) => {
            first.signal(*signal).map_err(|e| cannot(slot, &e))?;
            true
        }
        // Its first process is gone and left others behind: nobody tells them that their work is over.
        (Stop::Signal(_), None) => {
            signal_all(slot, running, SIGTERM)?;
            true
        }
        // Whatever a command answers, only the processes count; one that hangs has used the patience up.
        (Stop::Command(line), _) => line.run(patience).is_ok(),
    };
    if asked && gone(slot, running, deadline)? {
        return Ok(());
    }
    kill(slot, running)?;
    if gone(slot, running, Instant::now() + KILLED)? {
        return Ok(());
    }
    Err(Fail::failed(format!("{} still runs after SIGKILL", slot.name))
        .hint("a process that waits for a hung disk cannot be ended; its node must be fenced"))
}

/// Sends every process of it a signal in one sweep, the first among them.
fn signal_all(slot: &Slot, running: &Running, signal: i32) -> Result<(), Fail> {
    for process in slot.processes(running)? {
        process.signal(signal).map_err(|e| cannot(slot, &e))?;
    }
    Ok(())
}

/// Waits until the first process is the only one left; says whether that was before the deadline.
fn others_ended(slot: &Slot, running: &Running, first: &Process, deadline: Instant) -> Result<bool, Fail> {
    while let Some(other) = slot.processes(running)?.into_iter().find(|process| process != first) {
        if !other.wait(deadline).map_err(|e| cannot(slot, &e))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Ends a first process that has nothing left to do but to notice that the others ended, which it may sleep over,
/// and clears its pid file away, which it would have done.
fn kill_alone(slot: &Slot, running: &Running, first: &Process) -> Result<(), Fail> {
    first.signal(SIGKILL).map_err(|e| cannot(slot, &e))?;
    // What it may have started in its last moment.
    signal_all(slot, running, SIGTERM)?;
    if first.wait(Instant::now() + KILLED).map_err(|e| cannot(slot, &e))? {
        slot.drop_pid_file(first)?;
    }
    Ok(())
}

/// Kills the first process unless it died before, lets those finish that are delivering something, and ends the rest.
fn drain(
    slot: &Slot,
    running: &Running,
    first: Option<&Process>,
    agents: &[PathBuf],
    deadline: Instant,
) -> Result<(), Fail> {
    let agents: Vec<PathBuf> =
        agents.iter().map(|agent| std::fs::canonicalize(agent).unwrap_or_else(|_| agent.clone())).collect();
    if let Some(first) = first {
        first.signal(SIGKILL).map_err(|e| cannot(slot, &e))?;
    }
    loop {
        // Without their first process no new ones come, so this ends.
        let delivering = slot
            .processes(running)?
            .into_iter()
            .find(|process| process.executable().is_some_and(|runs| agents.contains(&runs)));
        let Some(agent) = delivering else { break };
        if !agent.wait(deadline).map_err(|e| cannot(slot, &e))? {
            break;
        }
    }
    signal_all(slot, running, SIGTERM)
}

fn cannot(slot: &Slot, error: &std::io::Error) -> Fail {
    Fail::io(Exit::Failed, format!("cannot stop {}", slot.name), error)
}

/// Waits until every process is gone; says whether that was before the deadline.
fn gone(slot: &Slot, running: &Running, deadline: Instant) -> Result<bool, Fail> {
    for process in running.first.iter().chain(&running.others) {
        if !process.wait(deadline).map_err(|e| cannot(slot, &e))? {
            return Ok(false);
        }
    }
    match &slot.cgroup {
        Some(cgroup) => cgroup.wait_empty(deadline).map_err(|e| cannot(slot, &e)),
        None => Ok(true),
    }
}

fn kill(slot: &Slot, running: &Running) -> Result<(), Fail> {
    if let Some(cgroup) = slot.cgroup.as_ref().filter(|_| running.in_cgroup) {
        cgroup.kill().map_err(|e| cannot(slot, &e))?;
    }
    for process in running.first.iter().chain(&running.others) {
        process.signal(SIGKILL).map_err(|e| cannot(slot, &e))?;
    }
    Ok(())
}

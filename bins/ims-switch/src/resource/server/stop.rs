//! Stopping servers: asked to end, waited for, killed when their time is over, and never called stopped before
//! the last process of theirs is gone.

use std::time::{Duration, Instant};

use ims::group::Resource;
use ims::layout::Stop;
use ims::{Exit, Fail};

use super::Programs;
use super::slot::{Running, Slot};
use super::start::joined;
use crate::lap::Laps;
use crate::resource::Here;

/// How long the kernel may take to end what was killed; a process that waits for a hung disk takes longer.
const KILLED: Duration = Duration::from_secs(5);

/// SIGKILL.
const SIGKILL: i32 = 9;

/// Stops every program of a resource at once; says whether any ran.
pub fn stop(here: &Here<'_>, resource: &Resource, laps: &Laps) -> Result<bool, Fail> {
    let programs = Programs::of(here, resource)?;
    let slots = programs.slots(here, resource);
    let ended: Vec<Result<bool, Fail>> = std::thread::scope(|scope| {
        let threads: Vec<_> = slots.iter().map(|slot| scope.spawn(|| end(slot, laps))).collect();
        threads.into_iter().map(joined).collect()
    });
    let stopped = ended.into_iter().collect::<Result<Vec<bool>, Fail>>()?;
    if let Err(fail) = programs.told
        && here.host.path(programs.served.folder()).is_dir()
    {
        // Something may run that was not started here, and how to find it stands in what cannot be read.
        return Err(fail);
    }
    Ok(stopped.contains(&true))
}

/// Ends one program; says whether it ran.
pub fn end(slot: &Slot, laps: &Laps) -> Result<bool, Fail> {
    let running = slot.running()?;
    if !running.is_any() {
        slot.forget()?;
        return Ok(false);
    }
    laps.time(format!("{} ends", slot.name), || asked_then_killed(slot, &running))?;
    slot.forget()?;
    Ok(true)
}

fn asked_then_killed(slot: &Slot, running: &Running) -> Result<(), Fail> {
    let (how, patience) = slot.stop();
    let deadline = Instant::now() + patience;
    let asked = match (&how, &running.first) {
        (Stop::Signal(signal), Some(first)) => {
            first.signal(*signal).map_err(|e| cannot(slot, &e)).map(|_| ())
        }
        // Its first process is gone and left others behind: there is nobody to ask.
        (Stop::Signal(_), None) => Err(Fail::failed("nobody is left to be asked")),
        (Stop::Command(line), _) => match line.run(patience) {
            // Whatever it answers, only its processes count.
            Ok(_) | Err(_) => Ok(()),
        },
    };
    if asked.is_ok() && gone(slot, running, deadline)? {
        return Ok(());
    }
    kill(slot, running)?;
    if gone(slot, running, Instant::now() + KILLED)? {
        return Ok(());
    }
    Err(Fail::failed(format!("{} still runs after SIGKILL", slot.name))
        .hint("a process that waits for a hung disk cannot be ended; its node must be fenced"))
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

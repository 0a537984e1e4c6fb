//! Starting servers: one program after the other, each in its control group, and then until they answer.

use std::time::{Duration, Instant};

use ims::group::Resource;
use ims::layout::Program;
use ims::sys::folder;
use ims::{Exit, Fail};

use super::{Programs, Served, silent, slot::Slot, stop::end};
use crate::lap::Laps;
use crate::resource::{Here, tool};

/// How long one question to a server that is coming up may take.
const QUESTION: Duration = Duration::from_secs(2);

/// Starts the servers that do not run and waits until all answer; says whether any was started.
pub fn start(here: &Here<'_>, resource: &Resource, laps: &Laps) -> Result<bool, Fail> {
    let deadline = Instant::now() + resource.limits.online_timeout;
    let programs = Programs::of(here, resource)?;
    let served = programs.served.clone();
    let slots = programs.slots(here, resource);
    let described = programs.told?;
    let mut started = false;
    for slot in &slots {
        match described.iter().find(|program| program.name == slot.name) {
            Some(program) if slot.running()?.first.is_some() => slot.adopt(program)?,
            Some(program) => {
                // What a first process that died left behind serves nobody, and is in the way of the next.
                end(slot, laps)?;
                // One after the other: mail that meets no delivery server is put off for minutes.
                laps.time(program.name, || launch(here, slot, program, deadline))?;
                started = true;
            }
            // It is no longer part of the instance, so it has no business beside those that are.
            None => started |= end(slot, laps)?,
        }
    }
    laps.time("greeting", || answered(here, &served, &slots, deadline, laps))?;
    Ok(started)
}

/// Starts one program and remembers it.
fn launch(here: &Here<'_>, slot: &Slot, program: &Program, deadline: Instant) -> Result<(), Fail> {
    for (path, owner, mode) in &program.folders {
        folder::make(path, owner, *mode)?;
    }
    let start = program.start.clone();
    let line = match &slot.cgroup {
        Some(cgroup) => {
            cgroup.create()?;
            cgroup.enter(start)
        }
        None => start.waited_for(),
    };
    // Remembered before it runs: whoever comes after a crash knows how to stop it.
    slot.remember(program, None)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let ended = line.run_to(&slot.printed()?, here.lock.map(|lock| lock.file().file()), left)?;
    let running = slot.running()?;
    if ended.is_success() && running.is_any() {
        return slot.remember(program, running.first);
    }
    let status = ended.status.map_or_else(|| "a signal".to_owned(), |status| format!("status {status}"));
    let fail = Fail::failed(format!("cannot start {}: {} ended with {status}", program.name, program.start));
    Err(match slot.last_words() {
        Some(words) => fail.because(words),
        None => fail,
    })
}

/// Waits until every server answers. Postfix and Dovecot listen when their start returns; slapd has its port by then,
/// but begins to listen a moment later (`slapd_daemon_task`). Of that the kernel tells nobody, so
/// whoever refuses is asked again, twice at once and then ever less often, as long as the processes live and the
/// deadline is not over. One who accepts a connection and then says nothing is told by its name.
fn answered(
    here: &Here<'_>,
    served: &Served,
    slots: &[Slot],
    deadline: Instant,
    laps: &Laps,
) -> Result<(), Fail> {
    let mut pauses = [0, 0].into_iter().chain((2..).map(|turn| 1 << turn.min(6))).map(Duration::from_millis);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let (asked, patience) = (Instant::now(), QUESTION.min(left).max(Duration::from_millis(100)));
        let (line, ended) = served.asked(here, patience)?;
        match ended.status.and_then(Exit::from_code) {
            Some(Exit::Ok) => return Ok(()),
            Some(Exit::No | Exit::Unknown) if asked.elapsed() >= patience => {
                laps.passed(silent(&ended), asked);
            }
            Some(Exit::No | Exit::Unknown) => {}
            _ => return Err(tool::failure(&line, &ended)),
        }
        for slot in slots {
            if !slot.running()?.is_any() {
                let fail = Fail::failed(format!("{} ended right after its start", slot.name));
                return Err(match slot.last_words() {
                    Some(words) => fail.because(words),
                    None => fail,
                });
            }
        }
        if Instant::now() >= deadline {
            return Err(Fail::failed(format!("{} does not answer", served.name())).because(silent(&ended)));
        }
        if let Some(pause) = pauses.next().filter(|pause| !pause.is_zero()) {
            std::thread::sleep(pause);
        }
    }
}

//! `ims-switch run`: a command of cron's that runs where the group is online, stays quiet elsewhere, and is waited
//! for by whoever moves the group, or ended for it.

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ims::group::Group;
use ims::span::millis;
use ims::sys::exec::{self, Line};
use ims::sys::lock::{self, Lock};
use ims::sys::news::News;
use ims::sys::process::Process;
use ims::{Exit, Fail, Host, State};

use crate::cli::Run;
use crate::found::state_on;
use crate::interrupt::Interrupt;
use crate::marks;
use crate::runs::{self, Command, Place, cannot_wait, lock_path, turn_path};
use crate::seat::desk::Desk;

/// The longest wait; whatever it waits for wakes it.
const TURN: Duration = Duration::from_secs(60);

/// SIGTERM.
const SIGTERM: i32 = 15;

/// Runs the command where the group is online.
pub fn run(host: &Host, asked: &Run, interrupt: &Interrupt) -> Result<Exit, Fail> {
    let mut group = Group::load(host, &asked.group)?;
    marks::file::load(host, &asked.group)?.apply(&mut group);
    let _shared = share(host, asked)?;
    let desk = Desk::new(host, group.clone())?;
    let states = desk.looked().into_iter().map(|(name, (state, _))| (name, state)).collect();
    match state_on(&group, &states) {
        State::Up => {}
        State::Down => return Ok(Exit::Ok),
        state @ (State::Partial | State::Unknown) => {
            return Err(Fail::unknown(format!("{} is {state} here", asked.group))
                .hint(format!("ims-switch status {}", asked.group)));
        }
    }
    let line = Line::new(&asked.command);
    let name = name_of(asked);
    let only = host.path(lock::FOLDER).join(format!("switch-{}.run-{name}.lock", asked.group));
    let _only = Lock::take(&only, Duration::ZERO)
        .map_err(|fail| Fail::new(fail.exit(), format!("{line} still runs")).because(fail))?;
    let place = Place::of(host, &asked.group, &name);
    if let Some((_, process)) = place.left()? {
        return Err(Fail::busy(format!("{line} still runs as pid {}", process.pid))
            .hint("the run that started it was killed"));
    }
    // Whoever moves the group says so by a lock in this folder.
    let mut news = News::new()?;
    news.follow(&host.path(lock::FOLDER))?;
    let grace_ms = asked.stop_on_move.then(|| millis(asked.grace.0));
    let mut command = Command { line: line.to_string(), process: None, grace_ms };
    place.keep(&command)?;
    // It has a process group of its own, and one that is not the terminal's is stopped when it reads from there.
    let stdin = if std::io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() };
    let spawned = line.spawn(stdin, Stdio::inherit(), Stdio::inherit());
    let mut child = match spawned {
        Ok(child) => child,
        Err(fail) => {
            place.forget()?;
            return Err(fail.with_exit(Exit::Usage));
        }
    };
    // Not yet waited for, it has its number even when it has ended.
    command.process = i32::try_from(child.id()).ok().and_then(Process::of);
    let kept = place.keep(&command);
    let attended = match &command.process {
        Some(process) => attend(host, asked, process, &news, interrupt),
        None => Ok(false),
    };
    let ended = child.wait().map_err(|e| cannot_wait(&command.line, &e))?;
    place.forget()?;
    kept?;
    let for_a_move =
        if attended? { format!(" for a move of {} (--stop-on-move)", asked.group) } else { String::new() };
    match (ended.code(), ended.signal()) {
        (Some(0), _) => Ok(Exit::Ok),
        (Some(code), _) => Err(Fail::failed(format!("{line} ended with status {code}{for_a_move}"))),
        (None, signal) => Err(Fail::failed(format!(
            "{line} was ended by signal {}{for_a_move}",
            signal.unwrap_or_default()
        ))),
    }
}

/// The lock that is shared with other commands; whoever moves the group takes it alone, and has the turn meanwhile.
fn share(host: &Host, asked: &Run) -> Result<Lock, Fail> {
    let deadline = Instant::now() + asked.timeout.0;
    let _turn = Lock::share(&turn_path(host, &asked.group), asked.timeout.0)?;
    Lock::share(&lock_path(host, &asked.group), deadline.saturating_duration_since(Instant::now()))
}

/// Waits until the command has ended; says whether it was ended for a move.
fn attend(
    host: &Host,
    asked: &Run,
    process: &Process,
    news: &News,
    interrupt: &Interrupt,
) -> Result<bool, Fail> {
    let cannot = |e: &std::io::Error| cannot_wait(&Line::new(&asked.command).to_string(), e);
    let Some(handle) = process.handle().map_err(|e| cannot(&e))? else { return Ok(false) };
    let turn = turn_path(host, &asked.group);
    let mut is_told = false;
    loop {
        if asked.stop_on_move && Lock::is_held(&turn)? {
            runs::end(process, asked.grace.0)?;
            return Ok(true);
        }
        let mut fds = vec![handle.as_fd()];
        if asked.stop_on_move {
            fds.push(news.as_fd());
        }
        if !is_told {
            fds.push(interrupt.as_fd());
        }
        if exec::wait_any(&fds, TURN).map_err(|e| cannot(&e))?.first() == Some(&true) {
            return Ok(false);
        }
        news.read().map_err(|e| cannot(&e))?;
        if !is_told && interrupt.came().is_some() {
            is_told = true;
            process.signal(SIGTERM).map_err(|e| cannot(&e))?;
        }
    }
}

/// The name of a command line: two runs of the same never overlap.
fn name_of(asked: &Run) -> String {
    // FNV-1a, which is the same in every build.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in &asked.command {
        for byte in word.as_encoded_bytes().iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

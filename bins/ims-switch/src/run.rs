//! `ims-switch run`: a command of cron's that runs where the group is online, stays quiet elsewhere, and is waited
//! for by whoever moves the group.

use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ims::group::Group;
use ims::sys::exec::Line;
use ims::sys::lock::{self, Lock};
use ims::sys::process::Process;
use ims::{Exit, Fail, Host, State};

use crate::cli::Run;
use crate::found::state_on;
use crate::interrupt::Interrupt;
use crate::marks;
use crate::seat::desk::{Desk, runs_path};

/// How soon a signal to us reaches the command.
const SLICE: Duration = Duration::from_millis(200);

/// SIGTERM.
const SIGTERM: i32 = 15;

/// Runs the command where the group is online.
pub fn run(host: &Host, asked: &Run, interrupt: &Interrupt) -> Result<Exit, Fail> {
    let mut group = Group::load(host, &asked.group)?;
    marks::file::load(host, &asked.group)?.apply(&mut group);
    // Shared with other commands; whoever moves the group takes it alone, and so waits for all of them.
    let lock = Lock::share(&runs_path(host, &asked.group), asked.timeout.0)?;
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
    let only = Lock::take(&own_lock(host, asked), Duration::ZERO)
        .map_err(|fail| Fail::new(fail.exit(), format!("{line} still runs")).because(fail))?;
    // The command keeps both locks should this process be killed.
    lock.inherit()?;
    only.inherit()?;
    // It has a process group of its own, and one that is not the terminal's is stopped when it reads from there.
    let stdin = if std::io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() };
    let mut child =
        line.spawn(stdin, Stdio::inherit(), Stdio::inherit()).map_err(|fail| fail.with_exit(Exit::Usage))?;
    let process = i32::try_from(child.id()).ok().and_then(Process::of);
    let mut told = false;
    while let Some(process) = process {
        let over = process
            .wait(Instant::now() + SLICE)
            .map_err(|e| Fail::io(Exit::Unknown, format!("cannot wait for {line}"), &e))?;
        if over {
            break;
        }
        if !told && interrupt.came().is_some() {
            told = true;
            // It may have ended just now.
            let _ = process.signal(SIGTERM);
        }
    }
    let ended = child.wait().map_err(|e| Fail::io(Exit::Unknown, format!("cannot wait for {line}"), &e))?;
    match (ended.code(), ended.signal()) {
        (Some(0), _) => Ok(Exit::Ok),
        (Some(code), _) => Err(Fail::failed(format!("{line} ended with status {code}"))),
        (None, signal) => {
            Err(Fail::failed(format!("{line} was ended by signal {}", signal.unwrap_or_default())))
        }
    }
}

/// The lock of one command line: two runs of the same never overlap.
fn own_lock(host: &Host, asked: &Run) -> PathBuf {
    // FNV-1a, which is the same in every build.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in &asked.command {
        for byte in word.as_encoded_bytes().iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    host.path(lock::FOLDER).join(format!("switch-{}.run-{hash:016x}.lock", asked.group))
}

//! Runs a program and everything it starts under ptrace(2): each system call that changes something can be watched,
//! made to fail, or be the one at which all of them are killed. A filter in the kernel (seccomp(2)) stops them at
//! those calls alone.
//!
//! x86-64 alone, whose registers it reads.

mod call;
mod filter;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub use call::{Call, Does};
use filter::Filter;

use super::must::Must;
use super::thread::on_its_own;

/// A traced run that takes longer is killed.
const DEADLINE: Duration = Duration::from_secs(60);

/// When a program stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the kernel has done anything.
    Before,
    /// When it has, and said so.
    After(i64),
}

/// What becomes of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is made.
    Go,
    /// It is not made and fails; only before it.
    Fail(Errno),
    /// It is made, and so is all that follows: nothing is watched any more.
    Leave,
    /// The program and all it started are killed here.
    Kill,
}

/// How a traced program ended.
#[derive(Debug)]
pub struct Traced {
    /// Its exit status, `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

/// Whose calls are watched, and which; each that is costs its time.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Those of the programs that it starts, too.
    pub started: bool,
    /// Those that only look a path up, too.
    pub looks: bool,
    /// What the kernel answered, too.
    pub answers: bool,
}

/// What is traced of a process; with the last of them the kernel leaves its filter alone.
const TRACED: Options = Options::PTRACE_O_TRACESYSGOOD
    .union(Options::PTRACE_O_TRACESECCOMP)
    .union(Options::PTRACE_O_TRACEFORK)
    .union(Options::PTRACE_O_TRACEVFORK)
    .union(Options::PTRACE_O_TRACECLONE)
    .union(Options::PTRACE_O_TRACEEXEC)
    .union(Options::PTRACE_O_EXITKILL);
const LEFT: Options = TRACED.union(Options::from_bits_retain(libc::PTRACE_O_SUSPEND_SECCOMP));

/// Runs a program to its end; `judge` hears of each watched call, in their order, before and after.
pub fn traced(command: &mut Command, watch: Watch, judge: impl FnMut(&Call, Moment) -> Act + Send) -> Traced {
    let (stdout, stderr) =
        (tempfile::tempfile().must("make a file"), tempfile::tempfile().must("make a file"));
    let copy = |file: &File| Stdio::from(file.try_clone().must("share a file"));
    command.stdout(copy(&stdout)).stderr(copy(&stderr));
    // A thread of its own: what it waits for are its own children and no other thread's.
    let status = on_its_own(|| {
        let root = start(command, Filter::of(watch));
        let (over, watched) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if watched.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let _ = kill(root, Signal::SIGKILL); // it may have ended just now
                }
            });
            let alive = HashMap::from([(root, true)]);
            let status =
                Tree { root, watch, alive, inside: HashMap::new(), is_left: false, is_over: false, judge }
                    .watch();
            drop(over);
            status
        })
    });
    Traced { status, stdout: text(stdout), stderr: text(stderr) }
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).must("read what was printed");
    text
}

#[allow(unsafe_code)]
#[allow(clippy::zombie_processes)] // it is waited for with what it starts
fn start(command: &mut Command, mut filter: Filter) -> Pid {
    let begin = move || {
        ptrace::traceme()?;
        filter.put_on()
    };
    // SAFETY: between fork and exec only ptrace(2) and prctl(2) are called, which allocate nothing and take no lock.
    unsafe { command.pre_exec(begin) };
    let child = command.spawn().must("start a program to trace");
    let pid = Pid::from_raw(child.id().cast_signed());
    waitpid(pid, Some(WaitPidFlag::__WALL)).must("wait for the traced program");
    ptrace::setoptions(pid, TRACED).must("trace");
    ptrace::cont(pid, None).must("go on");
    pid
}

/// A program and what it started.
struct Tree<J> {
    root: Pid,
    watch: Watch,
    /// Each process, and whether it is the program itself.
    alive: HashMap<Pid, bool>,
    /// The watched calls that are being made.
    inside: HashMap<Pid, Call>,
    is_left: bool,
    is_over: bool,
    judge: J,
}

impl<J: FnMut(&Call, Moment) -> Act> Tree<J> {
    /// Until all of them have ended; gives the program's exit status.
    fn watch(mut self) -> Option<i32> {
        let mut status = None;
        while !self.alive.is_empty() {
            // Of this thread's children alone: other tests of this process have theirs.
            match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
                Ok(WaitStatus::Exited(pid, code)) => {
                    if pid == self.root {
                        status = Some(code);
                    }
                    self.alive.remove(&pid);
                }
                Ok(WaitStatus::Signaled(pid, ..)) => {
                    self.alive.remove(&pid);
                    if pid == self.root {
                        self.end();
                    }
                }
                Ok(WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_SECCOMP)) => {
                    self.at_call(pid, Self::before);
                }
                Ok(WaitStatus::PtraceSyscall(pid)) => self.at_call(pid, Self::after),
                Ok(WaitStatus::PtraceEvent(pid, ..)) => self.go_on(pid, None),
                Ok(WaitStatus::Stopped(pid, signal)) => {
                    let thread =
                        || std::fs::exists(format!("/proc/{}/task/{pid}", self.root)).unwrap_or(false);
                    let is_new = !self.alive.contains_key(&pid);
                    self.alive.entry(pid).or_insert_with(thread);
                    // The first thing a traced child does is to stop.
                    self.go_on(pid, (!is_new).then_some(signal));
                }
                Ok(other) => panic!("a traced program: {other:?}"),
                Err(Errno::ECHILD) => break,
                Err(e) => panic!("cannot wait for a traced program: {e}"),
            }
        }
        status
    }

    fn end(&mut self) {
        self.is_over = true;
        for pid in self.alive.keys() {
            let _ = kill(*pid, Signal::SIGKILL); // it may be dead and not yet waited for
        }
    }

    fn go_on(&self, pid: Pid, signal: Option<Signal>) {
        if self.is_over {
            let _ = kill(pid, Signal::SIGKILL); // as above
        }
        let is_inside = self.inside.contains_key(&pid);
        let go = if is_inside { ptrace::syscall(pid, signal) } else { ptrace::cont(pid, signal) };
        match go {
            Ok(()) | Err(Errno::ESRCH) => {} // it was killed
            Err(e) => panic!("cannot go on with a traced program: {e}"),
        }
    }

    fn at_call(&mut self, pid: Pid, look: fn(&mut Self, Pid) -> nix::Result<Act>) {
        match look(self, pid) {
            Ok(Act::Kill) => self.end(),
            Ok(Act::Go | Act::Fail(_) | Act::Leave) | Err(Errno::ESRCH) => {}
            Err(e) => panic!("cannot look at a traced program: {e}"),
        }
        self.go_on(pid, None);
    }

    fn before(&mut self, pid: Pid) -> nix::Result<Act> {
        let is_own = self.alive.get(&pid).is_some_and(|is_own| *is_own);
        if self.is_left || (!is_own && !self.watch.started) {
            // A kernel that does not do that, or not for us, stops it at the next such call again.
            let _ = ptrace::setoptions(pid, LEFT);
            return Ok(Act::Go);
        }
        let mut registers = ptrace::getregs(pid)?;
        let (number, args) = (
            registers.orig_rax,
            [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9],
        );
        let Some(call) = Call::of(pid, number, args, is_own, self.watch.looks) else { return Ok(Act::Go) };
        let act = (self.judge)(&call, Moment::Before);
        match act {
            Act::Fail(errno) => {
                registers.orig_rax = u64::MAX; // no such call: the kernel does nothing
                registers.rax = (-i64::from(errno as i32)).cast_unsigned();
                ptrace::setregs(pid, registers)?;
            }
            Act::Leave => self.is_left = true,
            Act::Go | Act::Kill if self.watch.answers => drop(self.inside.insert(pid, call)),
            Act::Go | Act::Kill => {}
        }
        Ok(act)
    }

    fn after(&mut self, pid: Pid) -> nix::Result<Act> {
        let Some(call) = self.inside.remove(&pid) else { return Ok(Act::Go) };
        let answer = ptrace::getregs(pid)?.rax.cast_signed();
        Ok((self.judge)(&call, Moment::After(answer)))
    }
}

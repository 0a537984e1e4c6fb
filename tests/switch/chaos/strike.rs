//! Troubles as they are carried out on a run that is under way.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::lab::*;
use super::super::mail::{SERVERS, running};
use super::MOVE;
use super::dice::{Side, Strike, Trouble};
use crate::support::*;

/// The nodes as a move sees them.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    pub source: &'a Node,
    pub target: &'a Node,
}

impl<'a> Sides<'a> {
    /// The group is on the node of this number.
    pub fn of(lab: &'a Lab, owner: usize) -> Self {
        Self { source: lab.nodes()[owner], target: lab.nodes()[1 - owner] }
    }

    pub fn node(&self, side: Side) -> &'a Node {
        match side {
            Side::Source => self.source,
            Side::Target => self.target,
        }
    }
}

/// Carries all strikes out, each at its moment, and waits for the end of the run and of all of them. A strike that found
/// nothing to strike is given, too.
pub fn struck(run: Running, sides: Sides<'_>, strikes: &[Strike]) -> (Ran, Vec<Strike>) {
    let missed = std::thread::scope(|scope| {
        let run = &run;
        let strikes: Vec<_> = strikes
            .iter()
            .map(|strike| {
                (
                    strike,
                    scope.spawn(move || {
                        std::thread::sleep(strike.after); // the moment is part of the schedule
                        carry_out(strike.trouble, run, sides)
                    }),
                )
            })
            .collect();
        let missed =
            strikes.into_iter().filter_map(|(strike, thread)| (!thread.join().unwrap()).then_some(*strike));
        missed.collect()
    });
    (run.wait(MOVE), missed)
}

/// Carries one trouble out; says whether there was anything to strike.
fn carry_out(trouble: Trouble, run: &Running, sides: Sides<'_>) -> bool {
    match trouble {
        Trouble::Nothing => true,
        Trouble::KillRun => signal(run, Signal::KILL),
        Trouble::StopRun => signal(run, Signal::TERM),
        Trouble::Kill { program, on, skip, later } => kill_one(program, sides.node(on), skip, later, run),
        Trouble::KillServer(on, which) => {
            let first = running(sides.node(on), SERVERS[which]);
            for pid in &first {
                kill(*pid);
            }
            !first.is_empty()
        }
        Trouble::Cut(on, time) => for_a_time(sides.node(on), Node::cut_if_up, time),
        Trouble::Freeze(on, time) => for_a_time(sides.node(on), Node::freeze_if_up, time),
        Trouble::Power(on) => {
            sides.node(on).power_cut();
            true
        }
        Trouble::PowerOfBoth => {
            sides.source.power_cut();
            sides.target.power_cut();
            true
        }
        Trouble::Rival(on) => {
            let (node, back) = (sides.node(on), sides.source.name());
            let is_up = node.is_up();
            if is_up {
                node.spawn(["ims-switch", "move", "IMS-RG", "--to", back]).wait(MOVE);
            }
            is_up
        }
    }
}

fn signal(run: &Running, signal: Signal) -> bool {
    let is_running = run.is_running();
    run.signal(signal);
    is_running
}

fn for_a_time(node: &Node, strike: fn(&Node) -> bool, time: Duration) -> bool {
    let is_up = strike(node);
    if is_up {
        std::thread::sleep(time); // part of the schedule
        node.recover();
    }
    is_up
}

/// Kills a program that runs on a node, once so many others of its kind were seen; gives up when the run is over.
fn kill_one(program: &str, node: &Node, skip: u64, later: Duration, run: &Running) -> bool {
    let (mut seen, mut is_killed) = (BTreeSet::new(), false);
    until(MOVE, || {
        let mut of_it = node.processes().into_iter().filter(|pid| is(*pid, program));
        let found = of_it.find(|pid| seen.insert(*pid) && seen.len() as u64 > skip);
        if let Some(pid) = found {
            std::thread::sleep(later); // part of the schedule
            is_killed = is(pid, program);
            if is_killed {
                kill(pid);
            }
        }
        found.is_some() || !run.is_running()
    });
    is_killed
}

/// Whether a process runs a program of ours, such as `ims-diskctl`, with this subcommand, when it has one.
fn is(pid: u32, program: &str) -> bool {
    let Some((exe, words)) = program_of(pid) else { return false };
    let mut wanted = program.split(' ');
    wanted.next() == Some(&*exe) && wanted.next().is_none_or(|word| words.iter().any(|is| is == word))
}

fn kill(pid: u32) {
    let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL); // it may have ended
}

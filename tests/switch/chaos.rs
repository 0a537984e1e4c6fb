//! Chaos: a mail service moves to and fro while a client sends, and random trouble strikes each move: our programs are
//! killed, wires cut, nodes frozen, powers cut. A schedule is all in its seed, but for the time that things take.
//!
//! Two schedules are played; `make chaos` plays 200: `IMS_CHAOS` of them, from the seed `IMS_CHAOS_SEED` on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::lab::*;
use super::mail::{at, lab, servers_are_on};
use crate::support::mail::{Stream, account_within};
use crate::support::*;

/// How many moves a schedule has.
const MOVES: usize = 3;
/// How long a move may take, with a fencing and the kernel's own wait for a guard in it.
const MOVE: Duration = Duration::from_secs(150);
/// Within what time the group must be online again when everything else works.
const HEALED: Duration = Duration::from_secs(180);

/// What strikes a move.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    None,
    /// The run that moves it is killed.
    KillRun,
    /// One of our programs on a node is killed.
    KillOne(usize),
    /// A node's wire is cut for so many milliseconds.
    Cut(usize, u64),
    /// A node stands still for so many milliseconds.
    Freeze(usize, u64),
    /// A node's power is cut.
    Power(usize),
}

/// Numbers that look random and follow from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn node(&mut self) -> usize {
        usize::try_from(self.below(2)).unwrap()
    }

    fn trouble(&mut self) -> Trouble {
        match self.below(6) {
            0 => Trouble::None,
            1 => Trouble::KillRun,
            2 => Trouble::KillOne(self.node()),
            3 => Trouble::Cut(self.node(), 200 + self.below(5000)),
            4 => Trouble::Freeze(self.node(), 200 + self.below(5000)),
            _ => Trouble::Power(self.node()),
        }
    }
}

#[test]
fn whatever_strikes_the_service_no_message_is_lost_and_nothing_is_had_twice() {
    if !needs_root() {
        return;
    }
    let number = |name: &str, otherwise| {
        std::env::var(name).map_or(otherwise, |text| text.parse::<u64>().expect("a number"))
    };
    let (count, first) = (number("IMS_CHAOS", 2), number("IMS_CHAOS_SEED", 1));
    let lab = lab();
    let client = lab.bed.client();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let stream = client.inside(|| Stream::start(at(25), Duration::from_millis(50)));
    let (watch, mut owner) = (Twice::watch(&lab), 0);
    for seed in first..first + count {
        let (began, mut dice) = (Instant::now(), Dice(seed));
        let mut told = Vec::new();
        for _ in 0..MOVES {
            told.push(strike(&lab, &mut dice, owner));
            owner = heal(&lab, &mut dice, seed, &told);
            assert_eq!(watch.seen(), None, "seed {seed}: {told:#?}");
        }
        let more = stream.acknowledged() + 5;
        assert!(
            until(SOON, || stream.acknowledged() > more),
            "seed {seed}: no mail is taken after {told:#?}"
        );
        let account = client.inside(|| account_within(&stream.so_far(), at(143), SOON)).unwrap();
        assert!(account.lost.is_empty(), "seed {seed}: {told:#?}\n{account:?}");
        println!(
            "chaos: seed {seed}, {:.1} s: {} acknowledged, none lost, {} told twice: {}",
            began.elapsed().as_secs_f64(),
            account.acknowledged,
            account.doubled.len(),
            told.join("; "),
        );
    }
    watch.end();
    stream.stop();
}

/// Moves the group away from its owner and strikes; says what was done.
fn strike(lab: &Lab, dice: &mut Dice, owner: usize) -> String {
    let nodes = lab.nodes();
    let (driver, target) = (nodes[dice.node()], nodes[1 - owner]);
    let (trouble, after) = (dice.trouble(), Duration::from_millis(dice.below(900)));
    let told = format!("{} moves it to {}, {trouble:?} after {after:?}", driver.name(), target.name());
    let moving = driver.spawn(["ims-switch", "move", "IMS-RG", "--to", target.name()]);
    std::thread::sleep(after); // the moment is part of the schedule
    match trouble {
        Trouble::None => drop(moving.wait(MOVE)),
        Trouble::KillRun => drop(moving.kill()),
        Trouble::KillOne(node) => {
            kill_one_of_ours(nodes[node], dice);
            moving.wait(MOVE);
        }
        Trouble::Cut(node, ms) => {
            nodes[node].cut();
            std::thread::sleep(Duration::from_millis(ms)); // part of the schedule
            nodes[node].recover();
            moving.wait(MOVE);
        }
        Trouble::Freeze(node, ms) => {
            nodes[node].freeze();
            std::thread::sleep(Duration::from_millis(ms)); // part of the schedule
            nodes[node].recover();
            moving.wait(MOVE);
        }
        Trouble::Power(node) => {
            nodes[node].power_cut();
            moving.wait(MOVE);
        }
    }
    told
}

/// Kills one of the programs of ours that run on a node, if any does.
fn kill_one_of_ours(node: &Node, dice: &mut Dice) {
    let is_ours = |pid: &u32| {
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ims-"))
    };
    let ours: Vec<u32> = node.processes().into_iter().filter(is_ours).collect();
    if !ours.is_empty() {
        let pid = ours[usize::try_from(dice.below(ours.len() as u64)).unwrap()];
        let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL); // it may have ended
    }
}

/// Gives every node its power and its wire again, and brings the group online where it can be; gives its owner.
fn heal(lab: &Lab, dice: &mut Dice, seed: u64, told: &[String]) -> usize {
    for node in lab.nodes() {
        node.recover();
        node.start_again();
    }
    lab.sign();
    let mut last = None;
    let is_healed = until(HEALED, || {
        let node = lab.nodes()[dice.node()];
        let ran = node.command(["ims-switch", "online", "IMS-RG"]).deadline(MOVE).run();
        let is_online = ran.status == Some(0);
        last = Some(ran);
        is_online
    });
    assert!(is_healed, "seed {seed}: not online again after {told:#?}: {}", last.unwrap());
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).ok();
    let owner = record(&status, "ims.group/1")["online_on"].as_str().unwrap().to_owned();
    let owner = lab.nodes().iter().position(|node| node.name() == owner).unwrap();
    servers_are_on(lab, Some(lab.nodes()[owner]));
    owner
}

/// Looks all the time whether both nodes have the volume or the address.
struct Twice {
    over: Arc<AtomicBool>,
    seen: Arc<Mutex<Option<&'static str>>>,
    thread: JoinHandle<u64>,
}

impl Twice {
    fn watch(lab: &Lab) -> Self {
        let (over, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let ([one, two], disk) = ([lab.mail_1.clone(), lab.mail_2.clone()], lab.disk.clone());
        let (is_over, twice) = (Arc::clone(&over), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            let (address, mut looks) = (IP.parse().unwrap(), 0);
            while !is_over.load(Ordering::Relaxed) {
                // Two looks at the first round the one at the second: only then both had it at the same time.
                let looked = [&one, &two, &one].map(|node| node.holds(&disk, address));
                for (index, what) in ["the volume", "the address"].into_iter().enumerate() {
                    if looked.iter().all(|held| held[index]) {
                        *twice.lock().unwrap() = Some(what);
                    }
                }
                looks += 1;
                std::thread::sleep(Duration::from_millis(5)); // a look costs time of which the move is to have most
            }
            looks
        });
        Self { over, seen, thread }
    }

    /// What both had at once.
    fn seen(&self) -> Option<&'static str> {
        *self.seen.lock().unwrap()
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        assert!(self.thread.join().unwrap() > 0, "nobody looked");
    }
}

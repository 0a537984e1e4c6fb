//! The part of the matrix where a lease of sanlock guards the volume: real daemons, and machines with a kernel and a
//! watchdog of their own. They share the disks and have no wire between them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::Holder::{self, Alive, Clean, Crashed, Cut, Frozen};
use super::Proof::{self, Another, Good, Stale, Without};
use crate::diskctl::sanlock::{Pair, run, sh};
use crate::support::stamps::{self, Stamp, interleavings};
use crate::support::{Disk, Machine, Ran, needs_root, until};

/// One pair, whose first node is left in one way after the other, and the takes of the second: which proof, how it ends,
/// and what it says. What was taken is released again.
type Row = &'static [(Holder, &'static [(Proof, i32, &'static str)])];

/// It renewed its place while that was watched, or between the proof and the take.
const HOLDS: &str = "mail-1";
const ALIVE: &str = "/dev/ubda is alive on mail-1: it renewed its place in the lockspace";
const STALE: &str = "/tmp/proof does not prove it dead: mail-1 was fenced at ";
const ANOTHER: &str = "/tmp/proof does not prove it dead: it is about mail-3, and mail-1 holds the volume";

/// The lease runs out in those that come first. Who confirmed that the living holder is off was mistaken; one that is
/// frozen or cut off, and about which the proof is good, had its power cut.
const ROWS: &[Row] = &[
    &[(Cut, &[(Stale, 4, STALE), (Another, 4, ANOTHER), (Without, 0, "")])],
    &[(Frozen, &[(Stale, 4, STALE), (Another, 4, ANOTHER), (Without, 0, "")])],
    &[(Crashed, &[(Without, 0, "")])],
    &[
        (Clean, &[(Without, 0, ""), (Good, 0, "")]),
        (Alive, &[(Stale, 4, STALE), (Another, 4, ANOTHER), (Good, 4, HOLDS), (Without, 4, ALIVE)]),
        (Crashed, &[(Stale, 4, STALE), (Another, 4, ANOTHER), (Good, 0, "")]),
    ],
    &[(Clean, &[(Stale, 0, ""), (Another, 0, "")]), (Frozen, &[(Good, 0, "")])],
    &[(Cut, &[(Good, 0, "")])],
];
/// How many rows run at once. A machine that lost its power or stands still takes nothing.
const SIDE_BY_SIDE: usize = 5;

const MIB: u64 = 32;
/// Before that no lease of a holder without a proof has run out: 8 times the I/O timeout of 2 s and the 60 s of the
/// watchdog, from its last sign of life on, which was before the take.
const RESET: Duration = Duration::from_secs(60);
/// In which a node's daemon has looked at the others' places, of which it thinks as alive until then.
const LOOKS: Duration = Duration::from_secs(30);
/// The disk of the leases gives nothing but errors.
const CUT: &str = "dmsetup suspend --nolockfs --noflush leases; echo 0 16384 error | dmsetup load leases
                   dmsetup resume leases";

struct Course {
    one: Option<Machine>,
    two: Machine,
    disk: Disk,
    _leases: Disk,
    held_since: Timestamp,
    /// The last stamp of the first node when it was frozen.
    frozen_at: Option<u64>,
    /// How often the volume was mounted, by what `take` answered.
    mounts: u16,
}

impl Course {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Pair { one, two, disk, leases } = Pair::with(1, &stamps::layout(&folder));
        let held_since = Timestamp::now();
        Self { one: Some(one), two, disk, _leases: leases, held_since, frozen_at: None, mounts: 0 }
    }

    /// The first node takes the volume, writes, and is left like that.
    fn leave(&mut self, holder: Holder) {
        let one = self.one.as_mut().unwrap();
        self.held_since = Timestamp::now();
        run(one, "take").ok();
        self.mounts += 1;
        write(one);
        match holder {
            Clean => {
                stop(one);
                run(one, "release").ok();
            }
            Crashed => self.cut_power(),
            Alive => {}
            Frozen => {
                one.freeze();
                self.frozen_at = Some(last(&stamps::read(&self.disk, MIB)));
            }
            Cut => {
                sh(one, CUT).ok();
            }
        }
    }

    fn cut_power(&mut self) {
        self.one.take().unwrap().power_cut();
    }

    fn take(&mut self, holder: Holder, proof: Proof) -> Ran {
        if proof == Good && matches!(holder, Frozen | Cut) {
            self.cut_power();
        }
        let before = self.held_since.checked_sub(SignedDuration::from_secs(20)).unwrap();
        let mut ran = None;
        until(LOOKS, || {
            let now = Timestamp::now();
            let record = match proof {
                Without => None,
                Good => Some(("mail-1", now)),
                Stale => Some(("mail-1", before)),
                Another => Some(("mail-3", now)),
            };
            let mut line = "take --timeout 110s".to_owned();
            if let Some((node, time)) = record {
                let record = format!(
                    r#"{{"schema":"ims.fenced/1","host":"mail-2","node":"{node}","method":"fence_x","confirmed_by":"operator","time":"{time}"}}"#
                );
                sh(&mut self.two, &format!("echo '{record}' >/tmp/proof")).ok();
                line += " --proof /tmp/proof";
            }
            let now = ran.insert(run(&mut self.two, &line));
            // What the holder wrote last, this node's daemon may have seen after the proof.
            proof != Good || !now.stderr.contains(STALE)
        });
        ran.unwrap()
    }

    /// What comes after an answer; gives what is wrong.
    fn follow(&mut self, holder: Holder, ran: &Ran) -> Option<String> {
        if !ran.is_ok() {
            let alive = self.one.as_mut().filter(|_| holder == Alive)?;
            some_more(alive);
            return (!has_mounted(alive) || has_mounted(&mut self.two)).then(|| "the mount tables".into());
        }
        self.mounts += 1;
        write(&mut self.two);
        let mut wrong = None;
        if let Some(one) = &mut self.one {
            if matches!(holder, Frozen | Cut) {
                if ran.took < RESET {
                    wrong = Some(format!("taken before its watchdog had to reset it: {:?}", ran.took));
                }
                if holder == Frozen {
                    one.thaw();
                }
                // Nothing tells that it writes no more; one that could writes within milliseconds.
                let end = last(&stamps::read(&self.disk, MIB)) + 1;
                if until(Duration::from_secs(5), || last(&stamps::read(&self.disk, MIB)) > end) {
                    wrong = Some("it went on writing".to_owned());
                }
            } else if has_mounted(one) {
                wrong = Some("both have it mounted".to_owned());
            }
        }
        some_more(&mut self.two);
        stop(&mut self.two);
        run(&mut self.two, "release").ok();
        wrong
    }

    /// What the disk says of who wrote, and how often it was mounted.
    fn judge(&self) -> Option<String> {
        let mut stamps = stamps::read(&self.disk, MIB);
        if let Some(frozen_at) = self.frozen_at {
            // One write may have been under way when it stood still: it counts as written then.
            stamps.retain(|stamp| stamp.node != "mail-1" || stamp.number != frozen_at + 1);
            for stamp in stamps.iter_mut().filter(|stamp| stamp.saw.1 == frozen_at + 1) {
                stamp.saw.1 = frozen_at;
            }
        }
        let found = interleavings(&stamps);
        let mounts = u16::from_le_bytes(self.disk.read(1024 + 0x34, 2).try_into().unwrap());
        (!found.is_empty() || last(&stamps) == 0 || mounts != self.mounts)
            .then(|| format!("{mounts} mounts, {} by the answers; {found:?}", self.mounts))
    }
}

/// The number of the last stamp of the first node.
fn last(stamps: &[Stamp]) -> u64 {
    stamps.iter().filter(|stamp| stamp.node == "mail-1").map(|stamp| stamp.number).max().unwrap_or(0)
}

fn has_mounted(machine: &mut Machine) -> bool {
    machine.sh("grep -q ' /srv/ims ' /proc/mounts").is_ok()
}

/// Starts a writer, and waits until it has written.
fn write(machine: &mut Machine) {
    let words = stamps::words("/srv/ims", machine.name()).join(" ");
    let script = format!(
        "rm -f /run/written
         {words} </dev/null >/run/written 2>/run/stopped &
         echo $! >/run/writer
         while [ ! -s /run/written ]; do kill -0 $!; sleep 0.01; done # it writes by itself"
    );
    machine.sh(&script).ok();
}

/// Waits until the writer has written more.
fn some_more(machine: &mut Machine) {
    let script = "enough=$(($(wc -l </run/written) + 20))
        while [ $(wc -l </run/written) -lt $enough ]; do kill -0 $(cat /run/writer); sleep 0.01; done # the same";
    machine.sh(script).ok();
}

fn stop(machine: &mut Machine) {
    machine.sh("kill $(cat /run/writer); while kill -0 $(cat /run/writer) 2>&-; do sleep 0.01; done").ok();
}

/// Runs a row to its end; gives what was wrong with it.
fn run_row(row: Row) -> Vec<String> {
    let mut course = Course::new();
    let mut wrong = Vec::new();
    for (holder, takes) in row {
        course.leave(*holder);
        for (proof, status, words) in *takes {
            let ran = course.take(*holder, *proof);
            println!("{holder:?}, {proof:?}: {:?} after {:?}", ran.status, ran.took);
            if ran.status != Some(*status) || !ran.stderr.contains(words) {
                wrong.push(format!("{holder:?}, {proof:?}: not {status}, '{words}': {ran}"));
            }
            let follows = course.follow(*holder, &ran);
            wrong.extend(follows.map(|what| format!("{holder:?}, {proof:?}: {what}")));
        }
        if *holder == Alive {
            let one = course.one.as_mut().unwrap();
            stop(one);
            run(one, "release").ok();
        }
    }
    wrong.extend(course.judge().map(|what| format!("{row:?}: {what}")));
    wrong
}

#[test]
fn whatever_became_of_the_holder_of_a_lease_no_two_nodes_ever_write_at_once() {
    if !needs_root() {
        return;
    }
    let began = Instant::now();
    let rows = Mutex::new(ROWS.iter());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        // A machine ends with the thread that booted it.
        let work = || {
            let next = || rows.lock().unwrap().next();
            std::iter::from_fn(next).flat_map(|row| run_row(row)).collect::<Vec<_>>()
        };
        let working: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        working.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    println!("all rows: {:?}", began.elapsed());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

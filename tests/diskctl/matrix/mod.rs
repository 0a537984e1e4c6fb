//! The two-node matrix: how the holder was left, what guards the volume, what proof there is; what `take` answers on the
//! other node, and that no two nodes ever wrote at once. A writer on each node stamps blocks of the volume all the time.

mod leased;
mod rows;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::Pair;
use crate::support::stamps::{self, interleavings};
use crate::support::{Ran, Running, until};

/// How the first node is when the second takes the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// It gave the volume up.
    Clean,
    /// Its power was cut while it wrote.
    Crashed,
    /// It has the volume and writes.
    Alive,
    /// Its processes stand still, the writer first, and its kernel does not.
    Frozen,
    /// It writes on, and its wire is cut.
    Cut,
}

/// What guards the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Multiple mount protection of ext4.
    Mmp,
    /// Nothing, and that is not said.
    None,
    /// Nothing, and that is said: the detector must find what comes of it.
    NoneSaid,
}

/// The proof that the first node was fenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// There is none.
    Without,
    /// It is about the holder and was confirmed by a person just now, rightly or not.
    Good,
    /// It was confirmed before the holder took the volume.
    Stale,
    /// It is about another node.
    Another,
}

/// One pair of nodes, and the takes on it, of which only the last may succeed.
pub struct Row {
    /// How the first node is.
    pub holder: Holder,
    /// What guards the volume.
    pub guard: Guard,
    /// With which proof `take` is run, how it ends, and what it says.
    pub takes: &'static [(Proof, i32, &'static str)],
}

const MIB: u64 = 32;

/// The pair of a row, with its writers.
struct Course {
    pair: Pair,
    held_since: Timestamp,
    first: Option<Running>,
}

impl Course {
    fn begin(row: &Row) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let guard = match row.guard {
            Guard::Mmp => "-O mmp -E mmp_update_interval=1",
            Guard::None | Guard::NoneSaid => "-O ^mmp",
        };
        let pair = Pair::with(&format!("-L ims {guard} {}", stamps::layout(&folder)));
        let held_since = Timestamp::now();
        let more: &[&str] = if row.guard == Guard::Mmp { &[] } else { &["--guard", "none"] };
        pair.run(&pair.one, "take", more).ok();
        let writer = stamps::write(&pair.one, "/srv/ims");
        let first = match row.holder {
            Holder::Clean => {
                writer.kill();
                pair.run(&pair.one, "release", &[]).ok();
                None
            }
            Holder::Crashed => {
                pair.one.power_cut();
                writer.wait(Duration::from_secs(30));
                None
            }
            Holder::Alive => Some(writer),
            Holder::Frozen => {
                writer.signal(Signal::STOP);
                pair.one.freeze();
                Some(writer)
            }
            Holder::Cut => {
                pair.one.cut();
                Some(writer)
            }
        };
        Self { pair, held_since, first }
    }

    fn take(&self, guard: Guard, proof: Proof) -> Ran {
        let pair = &self.pair;
        let now = Timestamp::now();
        let before = self.held_since.checked_sub(SignedDuration::from_secs(3)).unwrap();
        let record = match proof {
            Proof::Without => None,
            Proof::Good => Some(("mail-1", now)),
            Proof::Stale => Some(("mail-1", before)),
            Proof::Another => Some(("mail-3", now)),
        };
        let mut more = Vec::new();
        if let Some((node, time)) = record {
            pair.proof_by("operator", node, time, "/tmp/proof");
            more.extend(["--proof", "/tmp/proof"]);
        }
        if guard == Guard::NoneSaid {
            more.extend(["--guard", "none"]);
        }
        pair.run(&pair.two, "take", &more)
    }

    /// Whether both nodes have the volume in their mount tables.
    fn is_mounted_twice(&self) -> bool {
        let Pair { one, two, disk, .. } = &self.pair;
        one.is_up() && one.has_mounted(disk) && two.has_mounted(disk)
    }

    /// Runs the row to its end; gives what was wrong with it.
    fn run(&self, row: &Row) -> Vec<String> {
        let mut wrong = Vec::new();
        let over = AtomicBool::new(false);
        let twice = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                // Until the row is over, all the time.
                until(Duration::from_secs(120), || over.load(Ordering::Relaxed) || self.is_mounted_twice());
                self.is_mounted_twice()
            });
            for (proof, status, words) in row.takes {
                let ran = self.take(row.guard, *proof);
                if ran.status != Some(*status) || !ran.stderr.contains(words) {
                    wrong.push(format!("{proof:?}: not {status}, '{words}': {ran}"));
                }
                if ran.is_ok() {
                    let second = stamps::write(&self.pair.two, "/srv/ims");
                    // A holder that was frozen and is let go writes before the other has ended.
                    if row.holder == Holder::Frozen {
                        self.pair.one.thaw();
                    }
                    if let Some(first) = &self.first {
                        first.signal(Signal::CONT);
                        stamps::some_more(first, 3);
                    }
                    stamps::some_more(&second, 3);
                    second.kill();
                }
            }
            over.store(true, Ordering::Relaxed);
            watcher.join().unwrap()
        });
        let found = interleavings(&stamps::read(&self.pair.disk, MIB));
        if twice != (row.guard == Guard::NoneSaid) || found.is_empty() == twice {
            wrong.push(format!("mounted twice: {twice}; {found:?}"));
        }
        wrong
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        if self.pair.one.is_up() {
            self.pair.one.thaw();
        }
    }
}

#[test]
fn whatever_became_of_the_holder_no_two_nodes_ever_write_at_once() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let each = |row: &'static Row| {
            scope.spawn(move || {
                let wrong = Course::begin(row).run(row);
                wrong.into_iter().map(|what| format!("{:?}, {:?}: {what}", row.holder, row.guard)).collect()
            })
        };
        let running: Vec<_> = rows::ROWS.iter().map(each).collect();
        running.into_iter().flat_map(|row| -> Vec<String> { row.join().unwrap() }).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! What probes cost: processor time of the prober, which is pinned to one core, and time by the clock.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The core of whoever probes; the servers have the other one.
const PROBER: &str = "0";
/// The core of servers.
pub const SERVER: &str = "1";

/// What so many probes cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    pub probes: u32,
    pub cpu: Duration,
    pub wall: Duration,
}

impl Cost {
    /// Probes in a second of processor time.
    pub fn a_cpu_second(self) -> f64 {
        f64::from(self.probes) / self.cpu.as_secs_f64()
    }

    fn add(&mut self, other: Self) {
        self.probes += other.probes;
        self.cpu += other.cpu;
        self.wall += other.wall;
    }

    fn tell(self, who: &str) {
        let a_second = f64::from(self.probes) / self.wall.as_secs_f64();
        let each = self.cpu.as_secs_f64() * 1e6 / f64::from(self.probes);
        let rate = self.a_cpu_second();
        println!("    {who:<40} {rate:>8.0} a CPU second ({each:.0} µs each), {a_second:.0} a second");
    }
}

/// A program that is pinned to the prober's core.
pub fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", PROBER]).arg(program);
    command
}

/// What the programs cost that are started and waited for in `work`.
pub fn of_programs(probes: u32, work: impl FnOnce()) -> Cost {
    let spent = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let micros = (usage.user_time() + usage.system_time()).num_microseconds();
        Duration::from_micros(micros.try_into().unwrap())
    };
    measured(probes, spent, work)
}

/// What a program that was running before costs meanwhile.
pub fn of_a_process(pid: u32, probes: u32, work: impl FnOnce()) -> Cost {
    let spent = || {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
        let ticks: u32 = ticks.map(|ticks| ticks.parse::<u32>().unwrap()).sum();
        Duration::from_millis(10) * ticks // USER_HZ is 100
    };
    measured(probes, spent, work)
}

fn measured(probes: u32, spent: impl Fn() -> Duration, work: impl FnOnce()) -> Cost {
    let (before, started) = (spent(), Instant::now());
    work();
    Cost { probes, cpu: spent().saturating_sub(before), wall: started.elapsed() }
}

/// Tells what ours and a peer cost, in turn and so many times; gives by how much ours is cheaper.
pub fn compare(
    what: &str,
    rounds: u32,
    names: [&str; 2],
    ours: impl Fn() -> Cost,
    peer: impl Fn() -> Cost,
) -> f64 {
    let (mut mine, mut theirs) = (Cost::default(), Cost::default());
    for _ in 0..rounds {
        mine.add(ours());
        theirs.add(peer());
    }
    let ratio = mine.a_cpu_second() / theirs.a_cpu_second();
    println!("{what}  (n = {rounds})");
    mine.tell(names[0]);
    theirs.tell(names[1]);
    println!("    ratio {ratio:.2}");
    ratio
}

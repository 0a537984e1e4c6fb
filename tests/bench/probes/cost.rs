//! What probes cost: processor time of the prober, which has one core for itself, and time by the clock.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of whoever probes.
pub const PROBER: usize = 0;
/// The core of servers.
pub const SERVER: usize = 1;

/// What so many probes cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    probes: u32,
    pub cpu: Duration,
    wall: Duration,
}

impl Cost {
    /// Probes in a second of processor time.
    fn a_cpu_second(self) -> f64 {
        f64::from(self.probes) / self.cpu.as_secs_f64()
    }

    /// Probes in a second by the clock.
    fn a_second(self) -> f64 {
        f64::from(self.probes) / self.wall.as_secs_f64()
    }
}

/// Does something on a core; what is started there stays there.
pub fn on_core<T>(core: usize, work: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).unwrap();
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).unwrap();
    let done = work();
    sched_setaffinity(None, &before).unwrap();
    done
}

/// What it costs to run a program to its end on the prober's core, with all that it starts. It must end well.
pub fn of_a_run(probes: u32, command: &mut Command) -> Cost {
    of_children(probes, || {
        output(command);
    })
}

/// What a program says that runs on the prober's core and must end well.
pub fn output(command: &mut Command) -> String {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = on_core(PROBER, || command.spawn().unwrap());
    let output = on_core(SERVER, || child.wait_with_output().unwrap());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}: {}", told.lines().last().unwrap_or_default());
    told
}

/// What the programs cost that are started and waited for meanwhile.
pub fn of_children(probes: u32, work: impl FnOnce()) -> Cost {
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

/// Who is compared: a name, and what one round of it costs.
pub type Row<'a> = (&'a str, &'a dyn Fn() -> Cost);

/// Tells what each costs, in turn and so many times, and the ratios to the first one, ours: of the medians of
/// processor time a probe. Gives these ratios.
pub fn compare<const N: usize>(what: &str, rounds: u32, rows: [Row<'_>; N]) -> [f64; N] {
    let mut costs = rows.map(|_| Vec::new());
    for _ in 0..rounds {
        for (costs, (_, run)) in costs.iter_mut().zip(&rows) {
            costs.push(run());
        }
    }
    println!("{what}  (n = {rounds})");
    let rates = costs.each_ref().map(|costs| median(costs, Cost::a_cpu_second));
    for ((name, _), (rate, costs)) in rows.iter().zip(rates.iter().zip(&costs)) {
        let a_second = median(costs, Cost::a_second);
        println!(
            "    {name:<40} {rate:>8.0} a CPU second ({:.1} µs each), {a_second:.0} a second",
            1e6 / rate
        );
    }
    let ratios = rates.map(|rate| rates[0] / rate);
    let told: Vec<String> = ratios[1..].iter().map(|ratio| format!("{ratio:.2}")).collect();
    println!("    ours by the others: {}", told.join(", "));
    ratios
}

fn median(costs: &[Cost], of: impl Fn(Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(|cost| of(*cost)).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

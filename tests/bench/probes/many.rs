//! Ten thousand targets of one run: their memory, the beats of a continuous run, its report and its table.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use super::cost::{self, Cost, compare, of_a_run, of_children};
use super::{MANY, addresses, bare_at, bound, ours, ours_at, stand_in, talk};
use crate::support::Terminal;

/// The interval of the continuous runs in milliseconds.
const EVERY: i64 = 5000;
/// The time in which starts are counted, in milliseconds, and how often it fits into the interval.
const WINDOW: i64 = 100;
const WINDOWS: usize = 50;
/// The most drawings of a table in two rounds, for nothing is drawn more often than every 250 ms.
const DRAWINGS: usize = 40;
/// The most bytes of one: 50 lines of 80 columns, with what moves the cursor and blocks of three bytes.
const DRAWING: usize = 10_000;

/// All of it.
pub fn many() -> Vec<String> {
    let mut missed: Vec<String> = floor().into_iter().collect();
    missed.extend(in_flight("smtp", stand_in::SILENT, "greet", 64));
    missed.extend(report());
    missed.extend(continuous());
    missed
}

/// Ten thousand at once, beside a loop that does no more than connect, read and close.
fn floor() -> Option<String> {
    let [_, ratio] = compare(
        "10,000 servers that greet, level greet",
        5,
        [
            ("ims-probe", &|| ours_at("smtp", stand_in::SMTP, "greet", MANY, MANY)),
            ("a bare loop: connect, read, close", &|| bare_at(talk::GREET, stand_in::SMTP, MANY, MANY)),
        ],
    );
    bound(ratio >= 0.5, "probes within twice a bare loop")
}

/// The memory of ten thousand probes under way at once, whose servers fall silent at a stage.
pub fn in_flight(scheme: &str, port: u16, stage: &str, most_mib: u32) -> Option<String> {
    let mut command = to_all(scheme, port);
    command.args(["--timeout", "10s", "--every", "1h"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().take(MANY as usize);
    let late = format!("\"stage\":\"{stage}\",\"words\":\"timed out after 10s\"");
    let late = answers.filter(|line| line.as_ref().unwrap().contains(&late)).count();
    let status = fs_err::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u32 = peak.split_whitespace().next().unwrap().parse().unwrap();
    let what = format!("10,000 probes of {scheme} in flight at {stage}");
    println!("{what}: {} MiB at the peak, {late} of them down on time", peak / 1024);
    bound(peak < most_mib * 1024 && late == MANY as usize, format!("{what} in {most_mib} MiB"))
}

/// A report of ten thousand in a file, beside a record of each.
fn report() -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ims.prom");
    let [_, ratio] = compare(
        "10,000 probes told as metrics, level session",
        5,
        [
            ("ims-probe -o prometheus --to", &|| {
                let mut command = to_all("smtp", stand_in::SMTP);
                of_a_run(MANY, command.args(["-o", "prometheus", "--to"]).arg(&file))
            }),
            ("ims-probe -o json", &|| of_a_run(MANY, &mut to_all("smtp", stand_in::SMTP))),
        ],
    );
    let text = fs_err::read_to_string(&file).unwrap();
    let up = text.lines().filter(|line| line.ends_with("state=\"up\"} 1")).count();
    println!("    {} MB of metrics, {up} up", text.len() / 1_000_000);
    bound(ratio >= 0.5 && up == MANY as usize, "metrics told in twice the cost of records")
}

/// Two rounds of ten thousand, told as records, as metrics and as a table on a terminal.
fn continuous() -> Vec<String> {
    let every = format!("{EVERY}ms");
    let rounds = |command: &mut Command| {
        command.args(["--every", &every, "--count", "2"]);
    };
    let mut told = String::new();
    let records = of_children(2 * MANY, || {
        let mut command = to_all("smtp", stand_in::SMTP);
        rounds(&mut command);
        told = cost::output(&mut command);
    });
    let busiest = busiest(&told);
    let evenly = MANY as usize / WINDOWS;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ims.prom");
    let mut command = to_all("smtp", stand_in::SMTP);
    rounds(command.args(["-o", "prometheus", "--to"]).arg(&file));
    let metrics = of_a_run(2 * MANY, &mut command);
    let mut screen = String::new();
    let table = of_children(2 * MANY, || screen = at_a_terminal(&rounds));
    let drawn = screen.matches("\x1b[?2026h").count();
    println!("10,000 probes every {every}, two rounds");
    println!("    starts of the second round: {busiest} in the busiest {WINDOW} ms, evenly {evenly}");
    for (name, Cost { cpu, .. }) in [("records", records), ("metrics", metrics), ("a live table", table)] {
        println!("    {name:<40} {:.0} ms of processor time", cpu.as_secs_f64() * 1000.0);
    }
    println!("    drawn {drawn} times, {} kB", screen.len() / 1000);
    let share = |cost: Cost| cost.cpu.as_secs_f64() / records.cpu.as_secs_f64();
    let bounds = [
        bound(busiest <= 4 * evenly, "10,000 targets make no burst"),
        bound(share(metrics) <= 2.0, "metrics of a continuous run told in twice the cost of records"),
        bound(share(table) <= 2.0, "a live table of 10,000 in twice the cost of records"),
        bound(
            drawn <= DRAWINGS && screen.len() <= drawn * DRAWING,
            "a live table is drawn no more than needed",
        ),
    ];
    bounds.into_iter().flatten().collect()
}

/// The most starts of second probes in one window of time.
fn busiest(told: &str) -> usize {
    let records = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut starts: Vec<i64> = records
        .filter(|record| record["attempt"] == 2)
        .map(|record| {
            let ended: Timestamp = record["time"].as_str().unwrap().parse().unwrap();
            ended.as_millisecond() - record["took_ms"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(starts.len(), MANY as usize);
    starts.sort_unstable();
    let until = |from: i64| starts.partition_point(|start| *start < from + WINDOW);
    starts.iter().enumerate().map(|(index, start)| until(*start) - index).max().unwrap()
}

/// Everything that a run shows at a terminal.
fn at_a_terminal(rounds: &impl Fn(&mut Command)) -> String {
    let mut command = to_all("smtp", stand_in::SMTP);
    rounds(&mut command);
    let terminal = cost::on_core(cost::PROBER, || Terminal::run(&command, None));
    let (status, screen) = cost::on_core(cost::SERVER, || terminal.end());
    assert!(status.success(), "{screen}");
    screen
}

/// Ours at all addresses.
fn to_all(scheme: &str, port: u16) -> Command {
    let mut command = ours("ims-probe");
    command.args(addresses(MANY).map(|ip| format!("{scheme}://{ip}:{port}")));
    command
}

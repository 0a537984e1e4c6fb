//! `ims-probe` against real and hostile servers.

mod auth;
mod certificates;
mod deliver;
mod dialogues;
mod exim_cyrus;
mod false_green;
mod floods;
mod hostile;
mod http;
mod inputs;
mod lies;
mod live;
mod login;
mod mailbox;
mod many;
mod office;
mod output;
mod prober;
mod real;
mod real_mailbox;
mod real_tls;
mod real_tls_login;
mod reports;
mod rhythm;
mod scarce;
mod servers;
mod sick_disk;
mod speeches;
mod stages;
mod starttls;
mod tarpit;
mod tls;
mod tls_hostile;
mod trust;
mod unpacked;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

/// `ims-probe` with nothing of the tester's environment.
fn ims_probe(args: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("ims-probe"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// What a finished run left behind.
struct Run {
    code: i32,
    records: Vec<Value>,
    stderr: String,
    took: Duration,
}

/// Runs `ims-probe` to its end, again where it says of itself that the machine let it stand still.
fn run(args: &[&str]) -> Run {
    finish(ims_probe(args).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn finish(command: &mut Command) -> Run {
    let mut run = finish_once(command);
    for _ in 0..9 {
        if !run.records.iter().any(stood_still) {
            break;
        }
        run = finish_once(command);
    }
    run
}

fn finish_once(command: &mut Command) -> Run {
    let start = Instant::now();
    let output = command.output().unwrap();
    let took = start.elapsed();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let records: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!records.is_empty(), "no record: {stderr}");
    let code = output.status.code().unwrap_or_else(|| panic!("{:?}: {stderr}", output.status));
    Run { code, records, stderr, took }
}

/// A run that goes on until it is told to end.
struct Going {
    child: Child,
    lines: Option<std::io::Lines<BufReader<ChildStdout>>>,
}

impl Going {
    fn start(args: &[&str]) -> Self {
        let mut child = ims_probe(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
        Self { child, lines }
    }

    fn record(&mut self) -> Value {
        let line = self.lines.as_mut().unwrap().next().expect("a record").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn stop_reading(&mut self) {
        self.lines = None;
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The most memory that was ever resident, in KiB.
    fn peak_kib(&self) -> u64 {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The status and stderr of a run that ends by itself now.
    fn end(mut self) -> (i32, String) {
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or_else(|| panic!("{status:?}: {told}")), told)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // Already ended in a test that passed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Probes many servers in one run, and gives what each answered in the order in which they are named.
fn run_all(urls: &[String], options: &[&str]) -> Run {
    let args: Vec<&str> = urls.iter().map(String::as_str).chain(options.iter().copied()).collect();
    let mut run = run(&args);
    run.records.sort_by_key(|answer| urls.iter().position(|url| answer["endpoint"] == **url));
    assert_eq!(run.records.len(), urls.len());
    run
}

/// Whether the prober got too little of the machine's time to tell. What it says then is tested in `prober`.
fn stood_still(answer: &Value) -> bool {
    verdict(answer).2.starts_with("ims-probe itself stood still for ")
}

/// The keys of an answer that say how it went.
fn verdict(answer: &Value) -> (&str, &str, &str) {
    let text = |key: &str| answer[key].as_str().unwrap_or("-");
    (text("state"), text("stage"), text("words"))
}

//! What the prober itself may be short of: descriptors, memory, the processor, a reader. No server is *down* for it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::many::{in_own_network, listener, urls};
use super::servers::{Say, Server, play};
use super::{finish, finish_once, ims_probe, stood_still, verdict};

/// A command line that a shell runs behind words of its own, such as a limit.
fn behind(words: &str, args: &[&str]) -> Command {
    let program = ims_probe(&[]).get_program().to_owned();
    let mut command = Command::new("sh");
    command.arg("-euc").arg(format!("{words} \"$@\"")).arg("sh").arg(program).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A mail server that has nothing wrong.
fn good() -> Server {
    Server::on(listener(), |stream| {
        play(
            &stream,
            &[
                ("", Say::Bytes(b"220 mail-1 ESMTP\r\n")),
                ("EHLO", Say::Bytes(b"250 mail-1\r\n")),
                ("QUIT", Say::Bytes(b"221 bye\r\n")),
            ],
        );
    })
}

#[test]
fn two_hundred_targets_are_probed_with_twenty_descriptors() {
    in_own_network(|| {
        let urls = urls("smtp", good().port(), 200);
        let mut args: Vec<&str> = urls.iter().map(String::as_str).collect();
        args.extend(["--timeout", "5s"]);
        let run = finish(&mut behind("ulimit -n 20; exec", &args));
        assert_eq!((run.code, run.records.len(), run.stderr.as_str()), (0, 200, ""));
    });
}

/// So much address space, in KiB, is too little to be started; and so much is more than enough.
const LIMITS: std::ops::Range<u32> = 12 * 1024..20 * 1024;

#[test]
fn a_prober_without_memory_calls_no_server_down() {
    in_own_network(|| {
        let urls = urls("smtp", good().port(), 100);
        let mut args: Vec<&str> = urls.iter().map(String::as_str).collect();
        args.extend(["--timeout", "5s"]);
        let mut ended = 0;
        for kib in LIMITS.step_by(256) {
            let output = behind(&format!("ulimit -v {kib}; exec"), &args).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let records = String::from_utf8(output.stdout).unwrap();
            assert!(!records.contains("\"down\""), "{kib} KiB: {records}");
            let count = records.lines().count();
            match (output.status.code(), output.status.signal()) {
                (Some(0), None) => {
                    assert_eq!(count, urls.len(), "{kib} KiB: {said}");
                    ended += 1;
                }
                // It says that it does not know, or ends with what the library says of an allocation.
                (Some(3), None) | (None, Some(6)) => assert!(!said.is_empty(), "{kib} KiB"),
                // The system could not start it.
                (Some(126 | 127), None) | (None, Some(9 | 11)) => assert_eq!(count, 0, "{kib} KiB: {said}"),
                end => panic!("{kib} KiB: {end:?}: {said}"),
            }
        }
        assert!(ended > 0, "no limit was enough");
    });
}

#[test]
fn a_prober_without_a_processor_calls_no_server_down() {
    in_own_network(|| {
        let hog = Hog::start();
        let server = good();
        // It is so slow to do what a machine does in 50 ms that its time is over before; how slow, the scheduler says. A
        // run that had time enough is followed by one that has twice as much to do.
        let mut took = Vec::new();
        let is_starved = [200, 400, 800, 1600, 3200].into_iter().any(|many| {
            let urls = urls("smtp", server.port(), many);
            let mut args: Vec<&str> = urls.iter().map(String::as_str).collect();
            args.extend(["--timeout", "1s"]);
            let run = finish_once(&mut behind("exec taskset -c 0 nice -n 19", &args));
            assert!(run.records.iter().all(|answer| verdict(answer).0 != "down"), "{:?}", run.records);
            assert_eq!(run.records.len(), urls.len());
            took.push(run.took);
            run.records.iter().any(stood_still)
        });
        drop(hog);
        assert!(is_starved, "it was never short of time: {took:?}");
    });
}

/// A program that takes all of the first processor.
struct Hog(std::process::Child);

impl Hog {
    fn start() -> Self {
        Self(Command::new("taskset").args(["-c", "0", "sh", "-c", "while :; do :; done"]).spawn().unwrap())
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// What waits for a reader, at least: with so much no new probes begin.
const FULL: u64 = 256 * 1024;

#[test]
fn a_reader_that_stops_for_longer_than_the_timeout_makes_no_answer_wrong() {
    in_own_network(|| {
        let urls = urls("smtp", good().port(), 1000);
        let (read, write) = std::io::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&write, 4096).unwrap();
        let mut command = ims_probe(&urls.iter().map(String::as_str).collect::<Vec<_>>());
        command.args(["--timeout", "2s"]);
        let mut child = command.stdout(write).spawn().unwrap();
        drop(command);
        std::thread::sleep(Duration::from_secs(3)); // longer than the timeout is what is tested
        let told: Vec<Value> =
            BufReader::new(read).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        assert!(child.wait().unwrap().success());
        assert_eq!(told.len(), urls.len());
        assert!(told.iter().map(|answer| answer.to_string().len() as u64).sum::<u64>() > FULL);
        for answer in &told {
            assert_eq!(verdict(answer).0, "up", "{answer}");
            assert!(answer["took_ms"].as_u64().unwrap() < 2000, "{answer}");
        }
        let ages: Vec<u64> = told.iter().map(|answer| answer["age_ms"].as_u64().unwrap()).collect();
        assert!(ages.iter().any(|age| *age >= 1500), "none waited: {ages:?}");
    });
}

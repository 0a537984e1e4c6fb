//! The path of a planned switchover: none of our commands sleeps in it or asks again on a clock.
//!
//! Two waits are left, each the time that somebody else is given to object: the answer to an address probe
//! (`ims-ipbind up`), and the claim on the volume's guard (`ims-diskctl take`), for a disk tells nobody that it was
//! written. They pass side by side.

use std::collections::HashMap;

use super::mail;
use crate::support::*;

/// The calls that can pass time.
const CALLS: &str =
    "nanosleep,clock_nanosleep,poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2";

/// Runs its arguments under a tracer that says which program each call is of, and ends when they do.
fn tracer(file: &str) -> String {
    format!(
        "#!/bin/sh\nexec strace -D -f -Y -qq -o {file} -e signal=none -e trace={CALLS} \"$@\" 2>{file}.stderr\n"
    )
}

/// The pauses that a trace tells of our own commands, as (program, call): sleeps, and waits whose time was over.
fn pauses(trace: &str) -> Vec<(String, String)> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut pauses = Vec::new();
    for line in trace.lines() {
        // 1234<ims-ipbind> ppoll([{fd=5, events=POLLIN}], 1, {tv_sec=0, tv_nsec=6429067}, NULL, 8) = 0 (Timeout)
        let (pid, rest) = line.split_once('<').unwrap();
        let (program, call) = rest.split_once("> ").unwrap();
        let call = call.trim_start();
        let call = match (call.strip_suffix("<unfinished ...>"), call.strip_prefix("<... ")) {
            (Some(beginning), None) => {
                begun.insert(pid, beginning);
                continue;
            }
            (None, Some(resumed)) => {
                let (_, end) = resumed.split_once("resumed>").unwrap();
                begun.remove(pid).unwrap_or_default().trim_end().to_owned() + end.trim_start()
            }
            _ => call.to_owned(),
        };
        // The part of ims-diskctl that may hang on a disk runs as /proc/self/exe.
        let is_ours = program.starts_with("ims-") || program == "exe";
        let is_at_once = call.contains(", 0)") || call.contains("{tv_sec=0, tv_nsec=0}");
        let is_pause = call.contains("nanosleep(") || call.ends_with("(Timeout)");
        if is_ours && is_pause && !is_at_once {
            pauses.push((program.to_owned(), call));
        }
    }
    pauses
}

#[test]
fn none_of_our_commands_sleeps_or_asks_again_on_a_clock_while_a_service_moves() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    for node in lab.nodes() {
        node.script("/usr/local/sbin/traced", tracer("/run/trace"));
    }
    lab.reach(&["ssh", "root@{}", "traced"]);
    lab.mail_1.run(["traced", "ims-switch", "move", "IMS-RG", "--to", "mail-2"]).ok();
    lab.reach(&["ssh", "root@{}"]);
    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok(); // what mail-2 started is traced until it ends
    let traces = lab.nodes().map(|node| node.read("/run/trace").unwrap());
    for (trace, command) in traces.iter().zip(["release", "take"]) {
        assert!(trace.contains("<ims-diskctl> "), "the {command} was traced: {trace}");
    }
    let [source, target] = traces.map(|trace| pauses(&trace));
    assert_eq!(source, [], "on the source");
    let (objections, rest): (Vec<_>, Vec<_>) = target
        .into_iter()
        .partition(|(program, call)| program == "ims-ipbind" && call.ends_with("(Timeout)"));
    assert!(!objections.is_empty(), "the address was probed for");
    // On a machine that has no time for it slapd may refuse three times; then it is asked ever less often.
    let (again, claims): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|(program, _)| program == "ims-switch");
    for (nth, (_, call)) in again.iter().enumerate() {
        assert!(call.contains(&format!("tv_nsec={}000000}}", 4 << nth)), "no fixed pause: {again:#?}");
    }
    let [(_, claim)] = &claims[..] else { panic!("one claim is waited for and nothing else: {claims:#?}") };
    assert!(claim.contains("nanosleep(") && claim.contains("tv_nsec=10000000"), "{claim}");
}

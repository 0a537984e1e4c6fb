//! `ims-portcheck` on a node with very many sockets: it reads the files of no process that it need not.

use std::time::Duration;

use crate::support::*;

#[test]
fn a_process_with_very_many_sockets_costs_nothing_when_the_port_is_another_s() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    crowd::instance(&node);
    let _crowd = crowd::crowd(&node, 5000);
    let count: u32 = node.sh("ss -Htan | wc -l").ok().stdout.trim().parse().unwrap();
    assert!(count >= 10_000, "{count}");
    let found = node.run(["ims-portcheck"]).status_is(1).records();
    let named = found.iter().find(|conflict| conflict["b"]["pid"].is_u64()).unwrap();
    assert_eq!((&named["port"], &named["b"]["command"]), (&25.into(), &"/usr/bin/perl".into()));
    // What they cost and not how long they took, which is everybody else's matter too.
    let (ours, peer) = (cost(&node, "ims-portcheck"), cost(&node, "ss -Htlnp"));
    println!("10,000 sockets: ims-portcheck {ours:?}, ss -tlnp {peer:?} of processor time, ten times each");
    assert!(ours < peer / 2, "{ours:?} and {peer:?}");
}

/// The processor time of a command that runs ten times, without what the shell itself takes.
fn cost(node: &Node, command: &str) -> Duration {
    let script =
        format!("for i in 1 2 3 4 5 6 7 8 9 10; do {command} >/dev/null || test $? = 1; done; times");
    let told = node.sh(&script).ok().stdout;
    // As POSIX has it of `times`: the shell's, then its children's, each of the user and of the system, as `0m1.250000s`.
    let of_children = told.lines().last().unwrap().split_whitespace();
    of_children
        .map(|word| {
            let (minutes, seconds) = word.trim_end_matches('s').split_once('m').unwrap();
            Duration::from_secs(60 * minutes.parse::<u64>().unwrap())
                + Duration::from_secs_f64(seconds.parse().unwrap())
        })
        .sum()
}

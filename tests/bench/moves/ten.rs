//! Ten independent resources beside one of them.

use std::time::Duration;

use super::super::bound;
use super::super::pair::Pair;
use super::stage::{NODES, Stage, ims_switch};
use crate::support::Ran;

/// How many times the time of one resource ten may take.
const TIMES: f64 = 2.0;

const ROUNDS: usize = 9;

/// Each sort of them moved in turn with one alone; gives what was missed.
pub fn resources() -> Vec<String> {
    let stage = Stage::set();
    for node in stage.nodes() {
        node.script("/usr/local/sbin/slow", SLOW);
    }
    let mut missed = Vec::new();
    for (what, group) in [
        ("servers that take 0.2 s to stop and to start", servers as fn(&Stage, usize) -> String),
        ("addresses", addresses),
        ("volumes", volumes),
    ] {
        stage.group("ONE-RG", &group(&stage, 1));
        stage.group("TEN-RG", &group(&stage, 10));
        let moves = |group: &str| {
            ims_switch(&stage.mail_1, &["online", group, "--on", "mail-1"]);
            let ran = ims_switch(&stage.mail_1, &["move", group, "--to", "mail-2"]);
            ims_switch(&stage.mail_1, &["offline", group]);
            Times::of(&ran)
        };
        let (mut ten, mut one): (Vec<Times>, Vec<Times>) = Default::default();
        for round in 0..=ROUNDS {
            let times = (moves("TEN-RG"), moves("ONE-RG"));
            if round > 0 {
                ten.push(times.0);
                one.push(times.1);
            }
        }
        for (part, of) in [
            ("from the first stop to the last start", (|times| times.outage) as fn(&Times) -> Duration),
            ("all of the move", |times| times.whole),
        ] {
            let pair = Pair::of(ten.iter().map(of).collect(), one.iter().map(of).collect());
            pair.tell(&format!("{what} moved, {part}"), "ten of them", "one");
            missed
                .extend(bound(pair.ratio() <= TIMES, format!("ten {what} within {TIMES} times one, {part}")));
        }
    }
    missed
}

/// What a move took, as it tells itself.
struct Times {
    /// In which something was down.
    outage: Duration,
    whole: Duration,
}

impl Times {
    fn of(ran: &Ran) -> Self {
        let record = ran.records().into_iter().rfind(|record| record["schema"] == "ims.run/1").unwrap();
        let time = |name: &str| Duration::from_millis(record[name].as_u64().unwrap());
        Self { outage: time("gap_ms"), whole: time("took_ms") }
    }
}

/// A server whose start and stop take their time.
const SLOW: &str = r#"#!/bin/sh
case $1 in
    start) sleep 0.2; : >"/run/$2" ;;
    stop) sleep 0.2; rm -f "/run/$2" ;;
    look) test -e "/run/$2" ;;
esac
"#;

fn servers(_: &Stage, count: usize) -> String {
    let one = |number| {
        format!(
            "[resource.s{number}]\ntype = \"command\"\nstart = [\"slow\", \"start\", \"s{number}\"]\n\
             stop = [\"slow\", \"stop\", \"s{number}\"]\nmonitor = [\"slow\", \"look\", \"s{number}\"]\n"
        )
    };
    NODES.to_owned() + &(0..count).map(one).collect::<String>()
}

fn addresses(_: &Stage, count: usize) -> String {
    let one = |number| {
        format!(
            "[resource.a{number}]\ntype = \"logical-ip\"\naddress = \"192.0.2.{}/24\"\ndevice = \"eth0\"\n",
            50 + number
        )
    };
    NODES.to_owned() + &(0..count).map(one).collect::<String>()
}

fn volumes(stage: &Stage, count: usize) -> String {
    let one = |number| {
        let disk = stage.bed.disk(16, "-O mmp");
        let mount = format!("/srv{}", disk.device());
        for node in stage.nodes() {
            node.attach(&disk);
            node.sh(&format!("mkdir -p {mount}")).ok();
        }
        format!(
            "[resource.v{number}]\ntype = \"volume\"\ndevice = \"{}\"\nmount = \"{mount}\"\n",
            disk.device()
        )
    };
    NODES.to_owned() + &(0..count).map(one).collect::<String>()
}

//! The verbs beside `move`, killed at moments spread over their runs, from either node: no file is ever half, nothing is
//! up twice, and the same command finishes.

use std::time::Instant;

use rustix::process::Signal;

use super::lab::*;
use crate::support::*;

/// How many moments of a run are tried.
const MOMENTS: u32 = 8;

const FILE: &str = "/etc/ims/groups/IMS-RG.toml";
const UNTIL_RESTART: &str = "/run/ims/marks/IMS-RG.json";
const LASTING: &str = "/var/lib/ims/marks/IMS-RG.json";

/// A command line of `ims-switch`, what leads to where it has something to do, and whether it is done.
struct Row {
    words: &'static [&'static str],
    before: fn(&Lab),
    is_done: fn(&Lab) -> bool,
}

fn switch(lab: &Lab, words: &[&str]) {
    lab.mail_1.run(["ims-switch"].iter().chain(words).copied()).ok();
}

/// What a node keeps in a file of marks, which is never half of one; nothing where there is none.
fn kept(node: &Node, file: &str) -> serde_json::Value {
    node.read(file).map_or(serde_json::Value::Null, |text| serde_json::from_str(&text).unwrap())
}

/// Whether both nodes keep the same, and it says so.
fn both_say(lab: &Lab, file: &str, key: &str, is_said: fn(&serde_json::Value) -> bool) -> bool {
    let [one, two] = lab.nodes().map(|node| kept(node, file));
    one == two && is_said(&one[key])
}

fn is_online_on(lab: &Lab, owner: &Node) -> bool {
    lab.nodes().iter().all(|node| lab.has(node) == [node.name() == owner.name(); 3])
}

fn both_have_file(lab: &Lab, is_there: bool) -> bool {
    lab.nodes().iter().all(|node| node.path(FILE).exists() == is_there)
}

/// The fault of the server was given up, as `react` keeps it.
fn give_up(lab: &Lab) {
    let mark = r#"{"by":"react","node":"mail-1","time":"2026-11-02T08:00:00Z","reason":"it does not start"}"#;
    let said = kept(&lab.mail_1, LASTING)["said"]["mail-1"].as_u64().unwrap_or(0) + 1;
    for node in lab.nodes() {
        let text = format!(
            r#"{{"said":{{"mail-1":{said}}},"frozen":null,"disabled":{{}},"faulted":{{"svc":{mark}}}}}"#
        );
        node.file(LASTING, text);
    }
}

/// Of a group that is online on mail-1.
const ONLINE: &[Row] = &[
    Row {
        words: &["freeze", "IMS-RG"],
        before: |lab| switch(lab, &["unfreeze", "IMS-RG"]),
        is_done: |lab| both_say(lab, UNTIL_RESTART, "frozen", serde_json::Value::is_object),
    },
    Row {
        words: &["unfreeze", "IMS-RG"],
        before: |lab| switch(lab, &["freeze", "IMS-RG"]),
        is_done: |lab| both_say(lab, UNTIL_RESTART, "frozen", serde_json::Value::is_null),
    },
    Row {
        words: &["clear", "IMS-RG"],
        before: give_up,
        is_done: |lab| both_say(lab, LASTING, "faulted", |said| said.as_object().unwrap().is_empty()),
    },
    Row {
        words: &["disable", "IMS-RG:svc"],
        before: |lab| switch(lab, &["enable", "IMS-RG:svc"]),
        is_done: |lab| {
            both_say(lab, LASTING, "disabled", |said| said["svc"].is_object())
                && lab.has(&lab.mail_1) == [true, true, false]
        },
    },
    Row {
        words: &["enable", "IMS-RG:svc"],
        before: |lab| switch(lab, &["disable", "IMS-RG:svc"]),
        is_done: |lab| {
            both_say(lab, LASTING, "disabled", |said| said.as_object().unwrap().is_empty())
                && is_online_on(lab, &lab.mail_1)
        },
    },
    Row {
        words: &["restart", "IMS-RG"],
        // The first line of what the server wrote is from before the restart.
        before: |lab| drop(lab.mail_1.sh("echo before >/global/ims/starts").ok()),
        is_done: |lab| {
            let starts = lab.mail_1.read("/global/ims/starts").unwrap_or_default();
            is_online_on(lab, &lab.mail_1) && starts.starts_with("before\nmail-1\n")
        },
    },
    Row {
        words: &["evacuate", "mail-1"],
        before: |lab| switch(lab, &["move", "IMS-RG", "--to", "mail-1"]),
        is_done: |lab| is_online_on(lab, &lab.mail_2),
    },
];

/// Of a group that is offline.
const OFFLINE: &[Row] = &[
    Row {
        words: &["remove", "IMS-RG"],
        before: |lab| switch(lab, &["add", "/root/IMS-RG.toml"]),
        is_done: |lab| {
            both_have_file(lab, false) && lab.nodes().iter().all(|node| !node.path(LASTING).exists())
        },
    },
    Row {
        words: &["add", "/root/IMS-RG.toml"],
        before: |lab| switch(lab, &["remove", "IMS-RG"]),
        is_done: |lab| both_have_file(lab, true),
    },
];

/// Kills a row's command at each moment and has it finish; says how many of them it was killed before its end.
fn kill(lab: &Lab, row: &Row) -> usize {
    let line: Vec<&str> = ["ims-switch"].iter().chain(row.words).copied().collect();
    (row.before)(lab);
    let began = Instant::now();
    lab.mail_1.run(line.iter().copied()).ok();
    let whole = began.elapsed();
    assert!((row.is_done)(lab), "{line:?}");
    let mut unfinished = 0;
    for moment in 0..MOMENTS {
        (row.before)(lab);
        assert!(!(row.is_done)(lab), "{line:?} has something to do");
        let driver = lab.nodes()[usize::from(moment % 2 == 1)];
        let running = driver.spawn(line.iter().copied());
        std::thread::sleep(whole * (2 * moment + 1) / (2 * MOMENTS)); // the moment itself is what is tested
        running.signal(Signal::KILL);
        let killed = running.wait(SOON);
        unfinished += usize::from(!(row.is_done)(lab));
        for node in lab.nodes() {
            assert!(node.read(FILE).map_or(true, |text| text == GROUP), "{killed}");
            for file in [UNTIL_RESTART, LASTING] {
                kept(node, file);
            }
        }
        driver.run(line.iter().copied()).ok();
        assert!((row.is_done)(lab), "{line:?} after it was killed at moment {moment}: {killed}");
    }
    unfinished
}

fn kill_all(lab: &Lab, rows: &[Row]) {
    let watch = lab.watch();
    for row in rows {
        let unfinished = kill(lab, row);
        println!("{}: {unfinished} of {MOMENTS} were killed before the end", row.words[0]);
        assert!(unfinished > 0, "{}: no moment was before the end", row.words[0]);
    }
    watch.end();
}

#[test]
fn what_is_said_of_a_group_and_what_moves_it_is_finished_by_the_same_command() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    kill_all(&lab, ONLINE);
}

/// What is left then looks like a group that nobody wants online.
#[test]
fn killed_and_its_node_without_power_the_same_command_brings_the_group_back() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    for row in ONLINE.iter().filter(|row| ["restart", "evacuate"].contains(&row.words[0])) {
        let line: Vec<&str> = ["ims-switch"].iter().chain(row.words).copied().collect();
        (row.before)(&lab);
        lab.mail_1.file("/run/svc.slow", "");
        let running = lab.mail_2.spawn(line.iter().copied());
        assert!(until(SOON, || lab.mail_1.path("/run/svc.stopping").exists()));
        running.signal(Signal::KILL);
        running.wait(SOON);
        lab.mail_1.power_cut();
        lab.mail_1.start_again();
        lab.sign();
        lab.is_online_on(None);
        let dry = lab.mail_2.run(line.iter().copied().chain(["-n"])).ok();
        assert!(dry.stderr.contains("was not finished; it is now: "), "{dry}");
        lab.is_online_on(None);
        let again = lab.mail_2.run(line.iter().copied()).ok();
        assert!((row.is_done)(&lab), "{again}");
        assert!(!lab.mail_2.run(line.iter().copied()).ok().stderr.contains("was not finished"));
    }
}

#[test]
fn a_groups_file_is_put_on_every_node_or_taken_away_by_the_same_command() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.nodes().iter().for_each(|node| node.file("/root/IMS-RG.toml", GROUP));
    kill_all(&lab, OFFLINE);
}

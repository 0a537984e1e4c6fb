//! `ims-switch history`: what is made of real runs, and of a journal that had bad days.

use super::lab::*;
use super::pictures::bars;
use crate::support::*;

#[test]
fn recovery_times_and_the_critical_path_are_told_of_real_moves() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    for _ in 0..3 {
        lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    }
    let history =
        lab.mail_1.run(["ims-switch", "history", "IMS-RG", "--timeline", "--svg", "/run/moves.svg"]).ok();
    assert_eq!(history.stderr, "");
    let of = |schema: &str| -> Vec<serde_json::Value> {
        history.records().into_iter().filter(|record| record["schema"] == schema).collect()
    };
    let (runs, timelines) = (of("ims.run/1"), of("ims.timeline/1"));
    assert_eq!((runs.len(), timelines.len()), (4, 4));
    for (run, timeline) in runs.iter().zip(&timelines) {
        let number = |key: &str| timeline[key].as_u64().unwrap();
        let steps = timeline["steps"].as_array().unwrap();
        let critical: u64 = steps.iter().map(|step| step["critical_ms"].as_u64().unwrap()).sum();
        assert_eq!(critical + number("between_ms"), number("length_ms"), "{timeline}");
        assert!(number("length_ms") <= run["took_ms"].as_u64().unwrap(), "{timeline}");
        assert_eq!(timeline["outage_ms"], run["gap_ms"], "{timeline}");
        let saves = |step: &serde_json::Value| step["saves_ms"].as_u64().unwrap();
        let most = timeline["outage_ms"].as_u64().unwrap_or(0);
        assert!(steps.iter().all(|step| saves(step) <= most), "{timeline}");
        assert!(steps.iter().any(|step| saves(step) > 0) == (most > 0), "{timeline}");
    }
    let drawn = lab.mail_1.read("/run/moves.svg").unwrap();
    let steps: usize = timelines.iter().map(|timeline| timeline["steps"].as_array().unwrap().len()).sum();
    let [shades, bars] = bars(&drawn);
    assert_eq!(shades, 3, "an outage for each move");
    assert!(bars >= steps, "a bar for each of {steps} steps, and for parts of them: {drawn}");

    let gaps: Vec<u64> = runs.iter().filter_map(|run| run["gap_ms"].as_u64()).collect();
    let stats = lab.mail_1.run(["ims-switch", "history", "IMS-RG", "--stats"]).ok();
    let kinds: Vec<serde_json::Value> = stats.records();
    let words: Vec<&str> = kinds.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(words, ["planned", "online"], "{stats}");
    let outage = &kinds[0]["outage"];
    assert_eq!(outage["max_ms"].as_u64(), gaps.iter().max().copied(), "{stats}");
    assert_eq!((outage["count"].as_u64(), kinds[0]["ok"].as_u64()), (Some(3), Some(3)), "{stats}");
    let line = ["ims-switch", "availability", "--from-history", "IMS-RG"];
    let none = lab.mail_1.run(line).status_is(3);
    assert!(none.stderr.contains("has no failover that was measured"), "{none}");

    // A failover, and what it makes of the availability.
    lab.is_online_on(Some(&lab.mail_2));
    lab.mail_2.power_cut();
    lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", "mail-1"]).ok();
    let stats = lab.mail_1.run(["ims-switch", "history", "IMS-RG", "--stats"]).ok();
    let failover = stats.records().into_iter().find(|record| record["kind"] == "failover").unwrap();
    let mean = failover["outage"]["mean_ms"].as_u64().unwrap();
    let took = failover["took"]["max_ms"].as_u64().unwrap();
    assert!(mean > 0 && mean <= took, "{failover}");
    let measured = lab.mail_1.run(line.into_iter().chain(["--detect", "3s"])).ok();
    for record in measured.records() {
        assert_eq!(record["failover_is"], "measured", "{record}");
        assert_eq!(record["failover_ms"].as_u64(), Some(mean + 3000), "{record}");
    }
}

#[test]
fn a_journal_with_bad_days_is_told_and_its_doubts_too() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let journal = include_str!("../data/history/bad-days.jsonl");
    node.file("/var/lib/ims/journal/IMS-RG.jsonl", journal);
    let stats = node.run(["ims-switch", "history", "IMS-RG", "--stats"]).ok();
    let told: Vec<&str> = stats.stderr.lines().collect();
    assert_eq!(
        told,
        [
            "ims-switch: journal of IMS-RG: 1 of its lines cannot be read and are passed over: 14",
            "ims-switch: journal of IMS-RG: the clock went back: a run of 2026-11-02T08:10:00Z took 3700 ms, and the \
             next one began at 2026-11-01T23:00:00Z; times within a run do not depend on it",
        ]
    );
    let counts: Vec<_> = stats
        .records()
        .iter()
        .map(|record| {
            let count = |key: &str| record[key].as_u64().unwrap();
            let outage = &record["outage"];
            (
                record["kind"].as_str().unwrap().to_owned(),
                [count("runs"), count("ok"), count("failed"), count("unfinished")],
                [outage["min_ms"].as_u64().unwrap(), outage["max_ms"].as_u64().unwrap()],
            )
        })
        .collect();
    assert_eq!(
        counts,
        [
            ("planned".to_owned(), [4, 2, 1, 1], [214, 1050]),
            ("failover".to_owned(), [1, 1, 0, 0], [3601, 3601]),
        ]
    );
    let table = node.run(["ims-switch", "history", "IMS-RG", "--stats", "-o", "table"]).ok().stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..7], ["planned", "4", "2", "1", "1", "214", "ms"], "{table}");
    let drawn = node.run(["ims-switch", "history", "IMS-RG", "--timeline", "-o", "table"]).ok().stdout;
    for line in [
        "IMS-RG move --to mail-1, 2026-11-02T08:00:00Z: killed",
        "  outage 3601 ms; quicker steps would save: reach 3000 ms, fence 500 ms, start mail 100 ms",
        "  outage 214 ms; quicker steps would save: start mail 80 ms, stop mountshared 60 ms, start mountshared 50 ms",
    ] {
        assert!(drawn.lines().any(|drawn| drawn == line), "{line}\n{drawn}");
    }
    let svg = ["ims-switch", "history", "IMS-RG", "--last", "2", "--svg"];
    node.run(svg.into_iter().chain(["/run/last.svg"])).ok();
    let picture = node.read("/run/last.svg").unwrap();
    assert!(bars(&picture)[1] > 0 && picture.contains("put back as before"), "{picture}");
    let lost = node.run(svg.into_iter().chain(["/no/such/folder/x.svg"])).status_is(5);
    assert!(lost.stderr.contains("/no/such/folder/x.svg"), "{lost}");
}

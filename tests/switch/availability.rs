//! `ims-switch availability`: table A-2 to its digits, and what is not to be believed refused.

use assert_cmd::Command;
use serde_json::Value;

fn ims_switch(args: &[&str]) -> (i32, Vec<Value>, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_ims-switch")).arg("availability").args(args).output().unwrap();
    let stdout = String::from_utf8(ran.stdout).unwrap();
    let records = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran.status.code().unwrap(), records, String::from_utf8(ran.stderr).unwrap())
}

fn texts(records: &[Value], key: &str) -> Vec<String> {
    records.iter().map(|record| record[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn table_a2_is_printed_from_its_assumptions_to_its_digits() {
    let (status, records, _) = ims_switch(&[]);
    assert_eq!(status, 0);
    assert_eq!(texts(&records, "model"), ["single", "asymmetric", "symmetric", "n+1"]);
    assert_eq!(
        texts(&records, "formula"),
        ["(4 + 1)/365 = 1.37 %", "(0 + 1)/365 = 0.27 %", "(0 + 0)/365 = near 0", "(0 + 1)/(365x3) = 0.091 %"]
    );
    // With one primary the divisor is one, and the number the table's own.
    let (_, one, _) = ims_switch(&["--model", "n+1", "--primaries", "1"]);
    assert_eq!(texts(&one, "formula"), ["(0 + 1)/365 = 0.27 %"]);
    // Other assumptions, other numbers: nothing is typed in.
    let (_, other, _) = ims_switch(&["--mtbf", "73d", "--storage-mttr", "48h"]);
    assert_eq!(texts(&other, "formula")[0], "(5 + 2)/365 = 1.92 %");
    assert!(records[3]["note"].as_str().unwrap().contains("3 devices have 3 such days"), "{}", records[3]);
}

#[test]
fn what_the_table_leaves_out_is_in_the_chain() {
    let (_, records, _) = ims_switch(&["--failover", "1ms"]);
    let figure = |model: usize, key: &str| records[model][key].as_f64().unwrap();
    let both_down = (4.0f64 / 365.0).powi(2);
    assert!((figure(1, "all_down") / both_down - 1.0).abs() < 1e-6, "{}", records[1]);
    assert!((figure(1, "down") - figure(1, "table_a2")) / both_down > 0.9, "{}", records[1]);
    assert!(figure(2, "down") > 0.0, "near 0 is not 0: {}", records[2]);
    let (_, slow, _) = ims_switch(&["--failover", "10m"]);
    let lost = slow[1]["failover"].as_f64().unwrap() * 365.0 * 1440.0;
    assert!((lost / 40.0 - 1.0).abs() < 0.03, "four failures a year, ten minutes each: {lost} minutes");
}

#[test]
fn a_check_simulates_agrees_and_is_the_same_each_time() {
    let line = ["--check", "--years", "3000", "--failover", "10m"];
    let (status, records, _) = ims_switch(&line);
    assert_eq!(status, 0, "{records:?}");
    assert!(records.iter().all(|record| record["check"]["agrees"] == true), "{records:?}");
    assert_eq!(ims_switch(&line).1, records);
    // In a hundred years without a failure nothing is seen, and nothing is said.
    let rare =
        ["--check", "--years", "100", "--mtbf", "1000y", "--storage-mtbf", "1000y", "--model", "symmetric"];
    let (status, records, _) = ims_switch(&rare);
    assert_eq!((status, &records[0]["check"]["agrees"]), (3, &Value::Null), "{records:?}");
}

#[test]
fn what_cannot_be_is_refused_with_the_way_out() {
    for (args, told) in [
        (&["--mttr", "2190h"][..], "--mtbf counts from one failure to the next, the repair included"),
        (&["--storage-mttr", "2y"][..], "a storage device is repaired longer"),
        (&["--failover", "0s"][..], "1ms is the shortest"),
        (&["--mtbf", "2000y"][..], "1000y is the longest"),
        (&["--primaries", "0"][..], "0 is not in 1..=32"),
        (&["--primaries", "32", "--standbys", "4"][..], "fewer primaries or fewer standbys"),
        (&["--years", "500"][..], "--check"),
        (&["--failover", "3s", "--from-history", "IMS-RG"][..], "cannot be used with"),
        (&["--model", "n+2"][..], "n+1"),
    ] {
        let (status, _, stderr) = ims_switch(args);
        assert_eq!(status, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(told) && stderr.lines().count() == 1, "{args:?}: {stderr}");
    }
}

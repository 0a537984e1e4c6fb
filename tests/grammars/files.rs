//! Each file by itself.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::every::{GRAMMARS, Grammar};
use super::{WORDS, after, collected, mishap};

/// What is not a file of its grammar, and why, is told by its name.
fn is_torn(name: &str) -> bool {
    name.starts_with("torn-")
}

#[test]
fn each_file_of_the_collection_is_read_and_printed_and_set() {
    let mut count = 0;
    for grammar in &GRAMMARS {
        for (path, bytes) in collected(grammar.name) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_utf_8 = std::str::from_utf8(&bytes).is_ok();
            assert_eq!((grammar.holds)(&bytes), is_utf_8 && !is_torn(name), "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 60, "only {count} files");
}

#[test]
fn each_file_has_its_reason_in_its_name() {
    let of = |grammar: &Grammar| collected(grammar.name).into_iter();
    for (path, bytes) in GRAMMARS.iter().flat_map(of) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let has = |part: &str| name.contains(part);
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(has("line-ends-of-windows"), text.contains("\r\n"), "{name}");
        assert_eq!(has("latin-1"), std::str::from_utf8(&bytes).is_err(), "{name}");
        assert_eq!(has("empty"), bytes.is_empty(), "{name}");
        assert_eq!(has("252-columns"), text.lines().any(|line| line.len() == 252), "{name}");
        if has("without-an-end") {
            assert!(!text.ends_with('\n'), "{name}");
        }
    }
    // What programs print, and what whole commands are tested with, is no grammar of ours.
    let printed = ["graph", "history", "import", "layers", "model", "plan", "sanlock", "vcs"];
    let names: BTreeSet<String> = fs_err::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !printed.contains(&name.as_str()))
        .collect();
    assert_eq!(names, GRAMMARS.iter().map(|grammar| grammar.name.to_owned()).collect());
}

/// Runs a grammar's properties over so many inputs, the same each time; new ones are for the fuzzers.
fn holds<S: Strategy>(grammar: &Grammar, cases: u32, inputs: S, bytes: impl Fn(S::Value) -> Vec<u8>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)).run(
        &inputs,
        |input| {
            (grammar.holds)(&bytes(input));
            Ok(())
        },
    );
    ran.unwrap_or_else(|e| panic!("{}: {e}", grammar.name));
}

#[test]
fn whatever_happens_to_a_file_it_prints_back_and_takes_a_setting() {
    for grammar in &GRAMMARS {
        let files = collected(grammar.name);
        let inputs = (any::<Index>(), prop::collection::vec(mishap(), 0..6));
        holds(grammar, 2000, inputs, |(at, mishaps)| {
            mishaps.iter().fold(files[at.index(files.len())].1.clone(), after)
        });
    }
}

#[test]
fn whatever_is_written_it_prints_back_and_takes_a_setting() {
    let words = prop_oneof![
        3 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        1 => "[a-z]{1,3}",
        1 => "\\PC{1,3}",
    ];
    for grammar in &GRAMMARS {
        holds(grammar, 2000, prop::collection::vec(words.clone(), 0..24), |words| {
            words.concat().into_bytes()
        });
    }
}

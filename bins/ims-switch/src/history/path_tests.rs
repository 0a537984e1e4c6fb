//! Critical paths of runs that were made for it, beside what a person reckons.

use super::*;
use crate::history::tests::told;

/// A planned move: the mail server stops, then address and volume side by side, and up again on the other side.
fn moved() -> Told {
    let mut told = told(
        "move --to mail-2",
        Some("ok"),
        &[
            ("reach", 0, 150),
            ("look", 150, 40),
            ("stop", 200, 20),  // 3: mail
            ("stop", 221, 4),   // 4: address
            ("stop", 221, 60),  // 5: volume
            ("start", 226, 30), // 6: address
            ("start", 283, 50), // 7: volume
            ("start", 334, 80), // 8: mail
        ],
    );
    let after: [&[usize]; 8] = [&[], &[], &[], &[3], &[3], &[4], &[5], &[6, 7]];
    for (step, after) in told.steps.iter_mut().zip(after) {
        step.after = after.to_vec();
    }
    told
}

#[test]
fn the_path_is_the_longest_chain_and_what_lies_beside_it_has_no_part() {
    let path = path(&moved());
    let critical: Vec<u64> = path.weights.iter().map(|weight| weight.critical_ms).collect();
    assert_eq!(critical, [150, 40, 20, 0, 60, 0, 50, 80]);
    // 10 before the first stop, and 1, 2, 1 between the steps after it.
    assert_eq!((path.length_ms, path.between_ms), (414, 14));
}

#[test]
fn a_step_saves_no_more_than_until_another_chain_is_the_longest() {
    let path = path(&moved());
    let saves: Vec<u64> = path.weights.iter().map(|weight| weight.saves_ms).collect();
    // Nothing before the first stop is in the outage. Without the volume's stop (60) the address is waited for only
    // if it is later: 221 + 2 + 50 = 273 is still after 256, so all 60 are saved.
    assert_eq!(saves, [0, 0, 20, 0, 60, 0, 50, 80]);
    let mut slow = moved();
    slow.steps[5].took_ms = Some(100); // the address is up at 326, the volume at 333
    let saves = super::path(&slow).weights[4].saves_ms;
    assert_eq!(saves, 7, "the address is what is waited for then");
}

#[test]
fn a_failover_counts_from_its_beginning_so_that_reaching_and_fencing_are_in_the_outage() {
    let mut told =
        told("giveover", Some("ok"), &[("reach", 0, 2000), ("fence", 2000, 500), ("start", 2500, 100)]);
    told.steps[2].after = vec![2];
    let path = path(&told);
    let saves: Vec<u64> = path.weights.iter().map(|weight| weight.saves_ms).collect();
    assert_eq!(saves, [2000, 500, 100]);
}

#[test]
fn a_journal_that_was_damaged_gives_a_path_and_no_panic() {
    let mut told = moved();
    told.steps[2].after = vec![8, 3, 99]; // a later one, itself, one that there is not
    told.steps[4].at_ms = None;
    told.steps[6].took_ms = None;
    told.steps[7].at_ms = Some(u64::MAX);
    assert_eq!(path(&told).weights.len(), 8);
    told.steps.clear();
    assert_eq!(path(&told), Path { weights: Vec::new(), length_ms: 0, between_ms: 0 });
}

//! Statistics over journals that were made for it.

use super::*;
use crate::history::tests::told;

#[test]
fn the_spread_is_by_nearest_rank_and_the_median_between_two() {
    let spread = |times: &[u64]| {
        Spread::of(times.to_vec()).map(|s| (s.min_ms, s.median_ms, s.p95_ms, s.max_ms, s.mean_ms))
    };
    assert_eq!(spread(&[]), None);
    assert_eq!(spread(&[7]), Some((7, 7, 7, 7, 7)));
    assert_eq!(spread(&[40, 10, 30, 20]), Some((10, 25, 40, 40, 25)));
    let hundred: Vec<u64> = (1..=100).rev().collect();
    assert_eq!(spread(&hundred), Some((1, 50, 95, 100, 50)));
    assert_eq!(spread(&[u64::MAX, u64::MAX]), Some((u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX)));
}

#[test]
fn runs_are_told_by_kind_with_those_that_failed() {
    let stop_start = [("stop", 100, 10), ("start", 110, 190)];
    let mut put_back = told("move --to mail-2", Some("failed"), &stop_start);
    put_back.run.online_on = Some("mail-1".parse().unwrap());
    let runs = [
        told("online", Some("ok"), &[("start", 50, 100)]),
        told("move --to mail-2", Some("ok"), &stop_start),
        put_back,
        told("move", Some("broken"), &stop_start), // nothing online at its end
        told("move", None, &[("stop", 100, 10)]),  // killed
        told("move", Some("ok"), &[("start", 400, 600)]), // nothing was up: nobody knows since when
        told("online", Some("ok"), &[("fence", 100, 300), ("start", 400, 600)]),
        told("giveover", Some("ok"), &[("stop", 500, 500), ("start", 1000, 1000)]),
        told("move --to mail-1", Some("ok"), &[("stop", 100, 10), ("fence", 300, 10), ("start", 310, 90)]),
        told("restart mail", Some("ok"), &stop_start),
        told("offline", Some("ok"), &[("stop", 10, 10)]),
        told("disable mail", Some("ok"), &stop_start),
        told("dance", Some("ok"), &[]),
    ];
    let group = "IMS-RG".parse().unwrap();
    let told: Vec<_> = recoveries(&group, &runs)
        .into_iter()
        .map(|r| {
            let outage = r.outage.map(|outage| (outage.min_ms, outage.max_ms, outage.count));
            (r.kind, [r.runs, r.ok, r.failed, r.unfinished], outage)
        })
        .collect();
    assert_eq!(
        told,
        [
            (Kind::Planned, [4, 1, 2, 1], Some((200, 200, 2))),
            (Kind::Failover, [3, 3, 0, 0], Some((300, 2000, 3))),
            (Kind::Restart, [1, 1, 0, 0], Some((200, 200, 1))),
            (Kind::Online, [2, 2, 0, 0], None),
            (Kind::Offline, [1, 1, 0, 0], None),
            (Kind::Other, [2, 2, 0, 0], None),
        ]
    );
    assert_eq!(mean_failover(&group, &runs).unwrap(), Duration::from_millis(1100));
}

#[test]
fn without_a_failover_there_is_no_mean_and_it_is_not_none_at_all() {
    let runs = [told("move", Some("ok"), &[("stop", 100, 10), ("start", 110, 190)])];
    let fail = mean_failover(&"IMS-RG".parse().unwrap(), &runs).unwrap_err();
    assert_eq!(fail.exit(), Exit::Unknown);
}

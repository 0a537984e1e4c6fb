//! The plans as tables: what was found and asked for, and the steps.

use super::*;
use clap::Parser as _;
use ims::sys::net::Mac;

const V4: &str = "192.0.2.7/24";
const V6: &str = "2001:db8::7/64";
const SECOND: Duration = Duration::from_secs(1);

fn eth0() -> Link {
    Link {
        index: 2,
        name: "eth0".to_owned(),
        mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        is_up: true,
        has_carrier: true,
        has_neighbours: true,
    }
}

fn args(line: &str) -> crate::cli::Verb {
    let words = format!("ims-ipbind {line} --device eth0");
    crate::cli::Args::try_parse_from(words.split_whitespace()).unwrap().verb.unwrap()
}

fn up_args(line: &str) -> cli::Up {
    let crate::cli::Verb::Up(args) = args(&format!("up {line}")) else { panic!("{line}") };
    args
}

fn down_args(line: &str) -> cli::Down {
    let crate::cli::Verb::Down(args) = args(&format!("down {line}")) else { panic!("{line}") };
    args
}

#[test]
fn an_address_is_asked_for_before_it_is_put_on_and_told_after() {
    use Maker::{Other, Untold, Us};
    use Standing::{Duplicate, Tentative, Usable};
    use Step::{Add, Adopt, Announce, Ask, Forget, Remove};
    for (row, line, place, steps) in [
        ("new", V4, Place::Nowhere, vec![Ask(SECOND), Add, Announce]),
        ("new, IPv6", V6, Place::Nowhere, vec![Ask(SECOND), Add, Announce]),
        ("nobody asked", "192.0.2.7/24 --probe-wait 0s", Place::Nowhere, vec![Add, Announce]),
        (
            "forgotten",
            "192.0.2.7/24 --flush-neighbours",
            Place::Nowhere,
            vec![Ask(SECOND), Add, Forget, Announce],
        ),
        ("there", V4, Place::Here(Usable, Us), vec![Announce]),
        ("there, who knows from whom", V6, Place::Here(Usable, Untold), vec![Announce]),
        ("ours already", "192.0.2.7/24 --adopt", Place::Here(Usable, Us), vec![Announce]),
        ("adopted", "192.0.2.7/24 --adopt", Place::Here(Usable, Other), vec![Adopt, Announce]),
        ("not to be used", V6, Place::Here(Tentative, Us), vec![Ask(SECOND), Remove, Add, Announce]),
        ("a duplicate", V6, Place::Here(Duplicate, Us), vec![Ask(SECOND), Remove, Add, Announce]),
    ] {
        assert_eq!(up(&eth0(), &place, &up_args(line)).unwrap(), steps, "{row}");
    }
}

#[test]
fn a_link_without_neighbours_is_neither_asked_nor_told() {
    let lo = Link { mac: None, has_neighbours: false, ..eth0() };
    assert_eq!(up(&lo, &Place::Nowhere, &up_args(V4)).unwrap(), [Step::Add]);
    let here = Place::Here(Standing::Usable, Maker::Us);
    assert!(!announce(V4.parse().unwrap(), &lo, &here).unwrap());
}

#[test]
fn what_would_leave_the_address_elsewhere_or_unasked_is_not_begun() {
    let cut = Link { has_carrier: false, ..eth0() };
    let set_down = Link { is_up: false, ..eth0() };
    for (link, place, line, exit) in [
        (eth0(), Place::OtherPrefix(25, Maker::Us), V4, Some(Exit::Refused)),
        (eth0(), Place::OtherDevice("eth1".into(), 24, Maker::Us), V4, Some(Exit::Refused)),
        (eth0(), Place::Here(Standing::Usable, Maker::Other), V4, Some(Exit::Refused)),
        (eth0(), Place::Here(Standing::Tentative, Maker::Other), V6, Some(Exit::Refused)),
        (cut.clone(), Place::Nowhere, V4, Some(Exit::Unknown)),
        (cut, Place::Nowhere, "192.0.2.7/24 --probe-wait 0s", None),
        (set_down, Place::Nowhere, "192.0.2.7/24 --probe-wait 0s", Some(Exit::Failed)),
    ] {
        let found = up(&link, &place, &up_args(line));
        assert_eq!(found.err().map(|fail| fail.exit()), exit, "{link:?}, {place:?}");
    }
}

#[test]
fn an_address_is_taken_off_exactly_where_it_was_said_and_when_it_is_ours() {
    use Maker::{Other, Untold, Us};
    use Standing::{Duplicate, Usable};
    use Step::{Forget, Remove, Reset};
    for (line, place, is_alone, steps) in [
        (V4, Place::Nowhere, false, Some(vec![])),
        ("192.0.2.7/24 --flush-neighbours", Place::Nowhere, false, Some(vec![Forget])),
        (V4, Place::Here(Usable, Us), true, Some(vec![Reset, Remove])),
        (V4, Place::Here(Usable, Us), false, Some(vec![Remove])),
        (V4, Place::Here(Usable, Untold), true, Some(vec![Reset, Remove])),
        (V4, Place::Here(Usable, Other), true, None),
        ("192.0.2.7/24 --force-not-ours", Place::Here(Usable, Other), true, Some(vec![Reset, Remove])),
        ("192.0.2.7/24 --keep-connections", Place::Here(Duplicate, Us), true, Some(vec![Remove])),
        ("192.0.2.7/24 --force-not-ours", Place::OtherPrefix(25, Us), true, None),
        ("192.0.2.7/24 --force-not-ours", Place::OtherDevice("eth1".into(), 24, Us), true, None),
    ] {
        assert_eq!(down(&place, is_alone, &down_args(line)).ok(), steps, "{line}, {place:?}");
    }
}

#[test]
fn only_what_is_up_is_announced() {
    let usable = Place::Here(Standing::Usable, Maker::Other);
    let cut = Link { has_carrier: false, ..eth0() };
    let set_down = Link { is_up: false, ..eth0() };
    for (link, place, exit) in [
        (eth0(), usable.clone(), None),
        (cut, usable.clone(), Some(Exit::Failed)),
        (set_down, usable, Some(Exit::Refused)),
        (eth0(), Place::Nowhere, Some(Exit::Refused)),
        (eth0(), Place::Here(Standing::Tentative, Maker::Us), Some(Exit::Refused)),
        (eth0(), Place::Here(Standing::Duplicate, Maker::Us), Some(Exit::Refused)),
        (eth0(), Place::OtherPrefix(25, Maker::Us), Some(Exit::Refused)),
        (eth0(), Place::OtherDevice("eth1".into(), 24, Maker::Us), Some(Exit::Refused)),
    ] {
        let found = announce(V4.parse().unwrap(), &link, &place);
        assert_eq!(found.err().map(|fail| fail.exit()), exit, "{place:?}");
    }
}

#[test]
fn announcements_keep_to_the_standards() {
    for (line, rhythm) in [
        ("192.0.2.7/24", Some((2, 2000))),
        ("192.0.2.7/24 --count 100 --every 10ms", Some((100, 10))),
        ("192.0.2.7/24 --every 9ms", None),
        ("192.0.2.7/24 --count 1 --every 0s", Some((1, 0))),
        ("2001:db8::7/64", Some((3, 1000))),
        ("2001:db8::7/64 --count 4", None),
        ("2001:db8::7/64 --every 999ms", None),
    ] {
        let crate::cli::Verb::Announce(args) = args(&format!("announce {line}")) else { panic!("{line}") };
        let found = args.rhythm().ok().map(|(count, every)| (count, every.as_millis()));
        assert_eq!(found, rhythm, "{line}");
    }
}

//! What to do with an address, from where it stands now. Pure: (wanted, found) → steps.

use std::fmt;
use std::time::Duration;

use ims::address::LogicalIp;
use ims::sys::net::{Link, Maker, Standing};
use ims::{Exit, Fail};

use super::cli;
use super::look::{Place, nobody_to_ask};

/// One step of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask the neighbours whether somebody else has the address.
    Ask(Duration),
    /// Reset the connections of the address.
    Reset,
    /// Take the address off.
    Remove,
    /// Put the address on.
    Add,
    /// Mark the address as ours.
    Adopt,
    /// Forget which neighbour had the address.
    Forget,
    /// Tell the neighbours.
    Announce,
}

impl Step {
    /// Whether the step is sure to change this node.
    pub const fn is_change(self) -> bool {
        match self {
            Self::Add | Self::Remove | Self::Adopt => true,
            Self::Ask(_) | Self::Reset | Self::Forget | Self::Announce => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(wait) => write!(f, "ask the neighbours for {wait:?} whether somebody has it"),
            Self::Reset => f.write_str("reset its connections"),
            Self::Remove => f.write_str("take it off"),
            Self::Add => f.write_str("put it on"),
            Self::Adopt => f.write_str("mark it as ours"),
            Self::Forget => f.write_str("forget which neighbour had it"),
            Self::Announce => f.write_str("tell the neighbours"),
        }
    }
}

/// The steps that bring an address up on a link.
///
/// An address that is there is announced again all the same: a run that was killed may have added and not told.
/// One that the kernel would not let be used, because it looks for a duplicate or found one, is put on anew.
pub fn up(link: &Link, place: &Place, args: &cli::Up) -> Result<Vec<Step>, Fail> {
    let (address, wait) = (args.address, args.probe_wait.0);
    match place {
        Place::Here(_, Maker::Other) if !args.adopt => return Err(stands_already(address, &link.name)),
        Place::Nowhere | Place::Here(..) => {}
        Place::OtherPrefix(prefix, maker) => {
            return Err(other_prefix(address, &link.name, *prefix, *maker));
        }
        Place::OtherDevice(other, prefix, maker) => {
            return Err(other_device(address, &link.name, other, *prefix, *maker));
        }
    }
    if !link.is_up {
        return Err(Fail::new(Exit::Failed, format!("cannot bring {address} up: {} is set down", link.name))
            .hint(format!("ip link set {} up", link.name)));
    }
    let is_usable = matches!(place, Place::Here(Standing::Usable, _));
    let asks = !is_usable && link.has_neighbours && !wait.is_zero();
    if asks && !link.has_carrier {
        return Err(nobody_to_ask(link, address));
    }
    let mut steps = Vec::new();
    if asks {
        steps.push(Step::Ask(wait));
    }
    match place {
        Place::Here(Standing::Usable, Maker::Other) => steps.push(Step::Adopt),
        Place::Here(Standing::Usable, Maker::Us | Maker::Untold) => {}
        Place::Here(Standing::Tentative | Standing::Duplicate, _) => {
            steps.extend([Step::Remove, Step::Add]);
        }
        Place::Nowhere | Place::OtherPrefix(..) | Place::OtherDevice(..) => steps.push(Step::Add),
    }
    if args.flush_neighbours {
        steps.push(Step::Forget);
    }
    if link.has_neighbours {
        steps.push(Step::Announce);
    }
    Ok(steps)
}

/// The steps that take an address off a link; none when it is not there.
///
/// Its connections are reset unless it stands on this node a second time, so that it goes on being used.
pub fn down(place: &Place, is_alone: bool, args: &cli::Down) -> Result<Vec<Step>, Fail> {
    let (address, device) = (args.address, &args.device);
    let mut steps = Vec::new();
    match place {
        Place::Nowhere => {}
        Place::Here(_, Maker::Other) if !args.force_not_ours => {
            return Err(Fail::refused(format!("{address} on {device} was not put on by ims-ipbind")).hint(
                "have it taken off by whoever put it on, or take it off all the same with --force-not-ours",
            ));
        }
        Place::Here(..) => {
            if is_alone && !args.keep_connections {
                steps.push(Step::Reset);
            }
            steps.push(Step::Remove);
        }
        Place::OtherPrefix(prefix, maker) => return Err(other_prefix(address, device, *prefix, *maker)),
        Place::OtherDevice(other, prefix, maker) => {
            return Err(other_device(address, device, other, *prefix, *maker));
        }
    }
    if args.flush_neighbours {
        steps.push(Step::Forget);
    }
    Ok(steps)
}

/// Whether there is anybody to be told that an address is at this link; fails when that would not be true.
pub fn announce(address: LogicalIp, link: &Link, place: &Place) -> Result<bool, Fail> {
    let device = &link.name;
    let why = match place {
        Place::Here(Standing::Usable, _) if !link.is_up => format!("{device} is set down"),
        Place::Here(Standing::Usable, _) if !link.has_carrier => {
            return Err(Fail::failed(format!("cannot announce {address}: {device} is not connected")));
        }
        Place::Here(Standing::Usable, _) => return Ok(link.has_neighbours),
        Place::Here(Standing::Tentative, _) => "the kernel still looks for a duplicate".to_owned(),
        Place::Here(Standing::Duplicate, _) => "the kernel found a duplicate".to_owned(),
        Place::Nowhere => "it is not there".to_owned(),
        Place::OtherPrefix(prefix, _) => format!("it stands there with the prefix length {prefix}"),
        Place::OtherDevice(other, ..) => format!("it is on {other}"),
    };
    Err(Fail::refused(format!("{address} is not up on {device}")).because(why))
}

fn stands_already(address: LogicalIp, device: &str) -> Fail {
    Fail::refused(format!("{address} is on {device} already and was not put on by ims-ipbind")).hint(
        "whoever put it on may do so on another node too, at boot for example; when that is settled, add --adopt",
    )
}

fn other_prefix(address: LogicalIp, device: &str, prefix: u8, maker: Maker) -> Fail {
    let there = format!("{}/{prefix}", address.address());
    Fail::refused(format!("{device} has {there}, not {address}"))
        .hint(format!("correct the prefix length, or first: {}", taken_off(&there, device, maker)))
}

fn other_device(address: LogicalIp, device: &str, other: &str, prefix: u8, maker: Maker) -> Fail {
    let there = format!("{}/{prefix}", address.address());
    Fail::refused(format!("{} is on {other}, not on {device}", address.address()))
        .hint(format!("correct the interface, or first: {}", taken_off(&there, other, maker)))
}

/// The command that takes an address off where it stands.
fn taken_off(there: &str, device: &str, maker: Maker) -> String {
    match maker {
        Maker::Us | Maker::Untold => format!("ims-ipbind down {there} --device {device}"),
        Maker::Other => format!("have {there} taken off {device} by whoever put it on"),
    }
}

#[cfg(test)]
mod tests {
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
        crate::cli::Args::try_parse_from(words.split_whitespace()).unwrap().verb
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
            let crate::cli::Verb::Announce(args) = args(&format!("announce {line}")) else {
                panic!("{line}")
            };
            let found = args.rhythm().ok().map(|(count, every)| (count, every.as_millis()));
            assert_eq!(found, rhythm, "{line}");
        }
    }
}

//! What to do with an address, from where it stands now. Pure: (wanted, found) → steps.

use std::fmt;
use std::time::Duration;

use ims::address::LogicalIp;
use ims::sys::net::{Dad, Link, Standing};
use ims::{Exit, Fail};

use super::look::{Place, nobody_to_ask};

/// One step of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask the neighbours whether somebody else has the address.
    Ask(Duration),
    /// Take the address off.
    Remove,
    /// Put the address on.
    Add(Dad),
    /// Wait until the kernel has looked for a duplicate.
    Settle,
    /// Tell the neighbours.
    Announce,
}

impl Step {
    /// Whether the step changes this node.
    pub const fn is_change(self) -> bool {
        match self {
            Self::Add(_) | Self::Remove => true,
            Self::Ask(_) | Self::Settle | Self::Announce => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(wait) => write!(f, "ask the neighbours for {wait:?} whether somebody has it"),
            Self::Remove => f.write_str("take it off"),
            Self::Add(Dad::Skip) => f.write_str("put it on"),
            Self::Add(Dad::Kernel) => f.write_str("put it on, tentatively"),
            Self::Settle => f.write_str("wait until the kernel has looked for a duplicate"),
            Self::Announce => f.write_str("tell the neighbours"),
        }
    }
}

/// The steps that bring an address up on a link.
///
/// An address that is there is announced again all the same: a run that was killed may have added and not told.
pub fn up(
    address: LogicalIp,
    link: &Link,
    place: &Place,
    wait: Duration,
    kernel_detects: bool,
) -> Result<Vec<Step>, Fail> {
    let anew = match place {
        Place::Nowhere | Place::Here(Standing::Duplicate, _) => true,
        Place::Here(Standing::Usable | Standing::Tentative, _) => false,
        Place::OtherPrefix(prefix) => return Err(other_prefix(address, &link.name, *prefix)),
        Place::OtherDevice(other) => return Err(other_device(address, &link.name, other)),
    };
    if !link.is_up {
        return Err(Fail::new(Exit::Failed, format!("cannot bring {address} up: {} is set down", link.name))
            .hint(format!("ip link set {} up", link.name)));
    }
    let asks = anew && link.has_neighbours && !wait.is_zero();
    if asks && !link.has_carrier {
        return Err(nobody_to_ask(link, address));
    }
    let by_kernel = asks && address.address().ip().is_ipv6() && kernel_detects;
    let mut steps = Vec::new();
    if matches!(place, Place::Here(Standing::Duplicate, _)) {
        steps.push(Step::Remove);
    }
    if asks && !by_kernel {
        steps.push(Step::Ask(wait));
    }
    if anew {
        steps.push(Step::Add(if by_kernel { Dad::Kernel } else { Dad::Skip }));
    }
    if by_kernel || matches!(place, Place::Here(Standing::Tentative, _)) {
        steps.push(Step::Settle);
    }
    if link.has_neighbours {
        steps.push(Step::Announce);
    }
    Ok(steps)
}

/// The steps that take an address off a link; none when it is not there.
pub fn down(address: LogicalIp, device: &str, place: &Place) -> Result<Vec<Step>, Fail> {
    match place {
        Place::Nowhere => Ok(Vec::new()),
        Place::Here(..) => Ok(vec![Step::Remove]),
        Place::OtherPrefix(prefix) => Err(other_prefix(address, device, *prefix)),
        Place::OtherDevice(other) => Err(other_device(address, device, other)),
    }
}

fn other_prefix(address: LogicalIp, device: &str, prefix: u8) -> Fail {
    let there = format!("{}/{prefix}", address.address());
    Fail::refused(format!("{device} has {there}, not {address}"))
        .hint(format!("correct the prefix length, or first: ims-ipbind down {there} --device {device}"))
}

fn other_device(address: LogicalIp, device: &str, other: &str) -> Fail {
    Fail::refused(format!("{} is on {other}, not on {device}", address.address()))
        .hint(format!("correct the interface, or first: ims-ipbind down {address} --device {other}"))
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn an_address_is_asked_for_before_it_is_put_on_and_told_after() {
        use Step::{Add, Announce, Ask, Remove, Settle};
        let here = |standing| Place::Here(standing, true);
        for (row, address, place, wait, kernel_detects, steps) in [
            ("new", V4, Place::Nowhere, SECOND, true, vec![Ask(SECOND), Add(Dad::Skip), Announce]),
            ("nobody asked", V4, Place::Nowhere, Duration::ZERO, true, vec![Add(Dad::Skip), Announce]),
            ("there", V4, here(Standing::Usable), SECOND, true, vec![Announce]),
            ("new v6", V6, Place::Nowhere, SECOND, true, vec![Add(Dad::Kernel), Settle, Announce]),
            ("v6, nobody asked", V6, Place::Nowhere, Duration::ZERO, true, vec![Add(Dad::Skip), Announce]),
            (
                "v6, the kernel does not look",
                V6,
                Place::Nowhere,
                SECOND,
                false,
                vec![Ask(SECOND), Add(Dad::Skip), Announce],
            ),
            ("v6, killed while waiting", V6, here(Standing::Tentative), SECOND, true, vec![Settle, Announce]),
            (
                "v6, killed after a duplicate was found",
                V6,
                here(Standing::Duplicate),
                SECOND,
                true,
                vec![Remove, Add(Dad::Kernel), Settle, Announce],
            ),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(up(address, &eth0(), &place, wait, kernel_detects).unwrap(), steps, "{row}");
        }
    }

    #[test]
    fn a_link_without_neighbours_is_neither_asked_nor_told() {
        let lo = Link { mac: None, has_neighbours: false, ..eth0() };
        let steps = up(V4.parse().unwrap(), &lo, &Place::Nowhere, SECOND, true).unwrap();
        assert_eq!(steps, [Step::Add(Dad::Skip)]);
    }

    #[test]
    fn what_would_leave_the_address_elsewhere_or_unasked_is_not_begun() {
        let cut = Link { has_carrier: false, ..eth0() };
        let down = Link { is_up: false, ..eth0() };
        for (link, place, wait, exit) in [
            (eth0(), Place::OtherPrefix(25), SECOND, Some(Exit::Refused)),
            (eth0(), Place::OtherDevice("eth1".into()), SECOND, Some(Exit::Refused)),
            (cut.clone(), Place::Nowhere, SECOND, Some(Exit::Unknown)),
            (cut, Place::Nowhere, Duration::ZERO, None),
            (down, Place::Nowhere, Duration::ZERO, Some(Exit::Failed)),
        ] {
            let found = up(V4.parse().unwrap(), &link, &place, wait, true);
            assert_eq!(found.err().map(|fail| fail.exit()), exit, "{link:?}, {place:?}");
        }
    }

    #[test]
    fn an_address_is_taken_off_exactly_where_it_was_said() {
        let address = V4.parse().unwrap();
        for (place, steps) in [
            (Place::Nowhere, Some(vec![])),
            (Place::Here(Standing::Usable, false), Some(vec![Step::Remove])),
            (Place::Here(Standing::Duplicate, true), Some(vec![Step::Remove])),
            (Place::OtherPrefix(25), None),
            (Place::OtherDevice("eth1".into()), None),
        ] {
            assert_eq!(down(address, "eth0", &place).ok(), steps, "{place:?}");
        }
    }
}

//! What the kernel says of an address and its interface, and what the neighbours say.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ims::address::LogicalIp;
use ims::span::millis;
use ims::sys::net::{self, Assigned, Claim, Link, Mac, Maker, Net, Standing};
use ims::{Exit, Fail, Out, State};

use super::record::{AddressRecord, LinkRecord};

/// Where an address stands on this node, seen from one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On no interface.
    Nowhere,
    /// On the interface, with the prefix length that was said.
    Here(Standing, Maker),
    /// On the interface, with another prefix length.
    OtherPrefix(u8, Maker),
    /// On another interface, with this prefix length.
    OtherDevice(String, u8, Maker),
}

impl Place {
    /// Whether it stands as it should, put on by us.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Here(_, Maker::Us))
    }
}

/// The node's links and addresses at one moment.
pub struct Found {
    /// The links.
    pub links: Vec<Link>,
    assigned: Vec<Assigned>,
}

impl Found {
    /// Looks now.
    pub fn now(net: &mut Net) -> Result<Self, Fail> {
        Ok(Self { links: net.links()?, assigned: net.assigned()? })
    }

    /// Looks and forgets it, so that the first look that counts finds its way in memory.
    pub fn glance(net: &mut Net) {
        let _ = Self::now(net); // what fails now is told when it counts
    }

    /// The link of that name.
    pub fn link(&self, device: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == device)
    }

    /// The link of that name, or a failure that says which there are.
    pub fn link_or_names(&self, device: &str) -> Result<&Link, Fail> {
        self.link(device).ok_or_else(|| {
            let names: Vec<&str> = self.links.iter().map(|link| link.name.as_str()).collect();
            Fail::usage(format!("no interface '{}'", device.escape_debug()))
                .hint(format!("there are {}", names.join(", ")))
        })
    }

    /// The hardware addresses of this node's own cards.
    pub fn cards(&self) -> Vec<Mac> {
        self.links.iter().filter_map(|link| link.mac).collect()
    }

    /// Whether the kernel keeps who put an address on.
    pub fn keeps_makers(&self) -> bool {
        net::keeps_makers(&self.assigned)
    }

    /// How often an address stands on this node, on different interfaces or with different prefix lengths.
    pub fn count(&self, ip: IpAddr) -> usize {
        self.assigned.iter().filter(|assigned| assigned.ip == ip).count()
    }

    /// Where an address stands; the interface that was asked about counts before others.
    pub fn place(&self, address: LogicalIp, device: &str) -> Place {
        let index = self.link(device).map(|link| link.index);
        let mut same: Vec<&Assigned> =
            self.assigned.iter().filter(|assigned| assigned.ip == address.address().ip()).collect();
        same.sort_by_key(|a| (Some(a.link) != index, a.prefix != address.prefix()));
        let Some(a) = same.first() else { return Place::Nowhere };
        let maker = a.maker(self.keeps_makers());
        if Some(a.link) != index {
            let name = self.links.iter().find(|link| link.index == a.link).map(|link| link.name.clone());
            Place::OtherDevice(name.unwrap_or_else(|| format!("interface {}", a.link)), a.prefix, maker)
        } else if a.prefix == address.prefix() {
            Place::Here(a.standing, maker)
        } else {
            Place::OtherPrefix(a.prefix, maker)
        }
    }
}

/// The state an address is in, and why when it is not up.
pub fn state(place: &Place, link: Option<&Link>, device: &str) -> (State, Option<String>) {
    match place {
        Place::Nowhere if link.is_none() => (State::Down, Some(format!("there is no interface {device}"))),
        Place::Nowhere => (State::Down, None),
        Place::Here(Standing::Usable, _) if link.is_some_and(|link| !link.is_up) => {
            (State::Partial, Some(format!("{device} is set down")))
        }
        Place::Here(Standing::Usable, _) => (State::Up, None),
        Place::Here(Standing::Tentative, _) => {
            (State::Partial, Some("the kernel still looks for a duplicate".to_owned()))
        }
        Place::Here(Standing::Duplicate, _) => {
            (State::Partial, Some("the kernel found a duplicate".to_owned()))
        }
        Place::OtherPrefix(prefix, _) => {
            (State::Partial, Some(format!("it stands there with the prefix length {prefix}")))
        }
        Place::OtherDevice(other, ..) => (State::Partial, Some(format!("it is on {other}"))),
    }
}

/// The record of what stands where now.
pub fn told(found: &Found, address: LogicalIp, device: &str, start: Instant) -> AddressRecord {
    let place = found.place(address, device);
    let (state, reason) = state(&place, found.link(device), device);
    AddressRecord {
        address,
        device: device.to_owned(),
        state,
        reason,
        changed: false,
        dry_run: false,
        ours: match place {
            Place::Here(_, Maker::Untold) => None,
            Place::Here(..) | Place::Nowhere | Place::OtherPrefix(..) | Place::OtherDevice(..) => {
                Some(place.is_ours())
            }
        },
        answered_by: None,
        connections_reset: 0,
        neighbours_flushed: 0,
        announced: 0,
        took_ms: millis(start.elapsed()),
    }
}

/// Says whether an address is on an interface, and, when there is time to wait, who else answers for it.
pub fn address(address: LogicalIp, device: &str, wait: Duration, out: &mut Out) -> Result<Exit, Fail> {
    let start = Instant::now();
    let found = Found::now(&mut Net::open()?)?;
    let mut told = told(&found, address, device, start);
    if let Some(link) = found.link(device)
        && !wait.is_zero()
    {
        if !link.is_up || !link.has_carrier {
            out.record(&told)?;
            return Err(nobody_to_ask(link, address));
        }
        match net::claimed_by(link, &found.cards(), address.address().ip(), wait)? {
            Claim::Nobody => {}
            claim @ (Claim::Card(_) | Claim::Somebody) => {
                told.answered_by = claim.card();
                if told.state == State::Up {
                    told.state = State::Partial;
                    told.reason = Some("somebody else answers for it too".to_owned());
                }
            }
        }
        told.took_ms = millis(start.elapsed());
    }
    let exit = told.state.into();
    out.record(&told)?;
    Ok(exit)
}

/// Nobody can be asked on a link that is down or not connected.
pub fn nobody_to_ask(link: &Link, address: LogicalIp) -> Fail {
    let why = if link.is_up { "is not connected" } else { "is set down" };
    Fail::unknown(format!("cannot ask whether somebody else has {}: {} {why}", address.address(), link.name))
        .hint("connect it, or ask nobody with --probe-wait 0s")
}

/// Says whether an interface is set up and connected; one that is not there certainly is not.
pub fn link(device: &str, out: &mut Out) -> Result<Exit, Fail> {
    let links = Net::open()?.links()?;
    let link = links.iter().find(|link| link.name == device);
    let (state, reason) = match link {
        None => (State::Down, Some("there is no such interface")),
        Some(link) if !link.is_up => (State::Down, Some("it is set down")),
        Some(link) if !link.has_carrier => (State::Down, Some("it is not connected")),
        Some(_) => (State::Up, None),
    };
    out.record(&LinkRecord {
        device: device.to_owned(),
        state,
        reason: reason.map(ToOwned::to_owned),
        mac: link.and_then(|link| link.mac),
    })?;
    Ok(state.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.to_owned(),
            mac: Some(Mac([2, 0, 0, 0, 0, 1])),
            is_up: true,
            has_carrier: true,
            has_neighbours: true,
        }
    }

    fn assigned(link: u32, ip: &str, prefix: u8, standing: Standing) -> Assigned {
        let ip = ip.parse().unwrap();
        Assigned { link, ip, prefix, standing, protocol: Some(net::OURS), label: None }
    }

    #[test]
    fn an_address_is_up_only_where_and_as_it_was_asked_for() {
        use Maker::Us;
        use Standing::{Duplicate, Tentative, Usable};
        let wanted: LogicalIp = "192.0.2.7/24".parse().unwrap();
        for (standing_there, place, state_of_it) in [
            (vec![], Place::Nowhere, State::Down),
            (vec![(1, "192.0.2.7", 24, Usable)], Place::Here(Usable, Us), State::Up),
            (vec![(1, "192.0.2.7", 24, Tentative)], Place::Here(Tentative, Us), State::Partial),
            (vec![(1, "192.0.2.7", 24, Duplicate)], Place::Here(Duplicate, Us), State::Partial),
            (vec![(1, "192.0.2.7", 25, Usable)], Place::OtherPrefix(25, Us), State::Partial),
            (vec![(2, "192.0.2.7", 24, Usable)], Place::OtherDevice("eth1".into(), 24, Us), State::Partial),
            (vec![(1, "192.0.2.8", 24, Usable)], Place::Nowhere, State::Down),
            (
                vec![
                    (2, "192.0.2.7", 24, Usable),
                    (1, "192.0.2.7", 25, Usable),
                    (1, "192.0.2.7", 24, Usable),
                ],
                Place::Here(Usable, Us),
                State::Up,
            ),
        ] {
            let found = Found {
                links: vec![link(1, "eth0"), link(2, "eth1")],
                assigned: standing_there.iter().map(|(l, ip, p, s)| assigned(*l, ip, *p, *s)).collect(),
            };
            assert_eq!(found.place(wanted, "eth0"), place, "{standing_there:?}");
            let (told, reason) = state(&place, found.link("eth0"), "eth0");
            assert_eq!(told, state_of_it, "{standing_there:?}");
            assert_eq!(reason.is_some(), told == State::Partial, "{standing_there:?}");
        }
    }

    #[test]
    fn a_usable_address_on_an_interface_that_is_set_down_is_partial() {
        let down = Link { is_up: false, ..link(1, "eth0") };
        let (told, _) = state(&Place::Here(Standing::Usable, Maker::Us), Some(&down), "eth0");
        assert_eq!(told, State::Partial);
    }
}

//! Links and addresses by rtnetlink, and what the neighbours are asked and told (ARP, RFC 5227; ND, RFC 4861).
//!
//! No process is started and nothing sleeps: a change is one message, a wait is for an answer.

mod address;
mod arp;
mod frame;
mod link;
mod maker;
mod nd;
mod neighbour;
pub(in crate::sys) mod netlink;
mod wire;

use std::net::IpAddr;
use std::time::Duration;

use netlink_sys::protocols::NETLINK_ROUTE;

pub use address::{Assigned, Former, Standing};
pub use link::{Link, Mac};
pub use maker::{Maker, OURS, keeps_makers};
use netlink::Netlink;

use crate::{Exit, Fail};

/// A conversation with the kernel about links and addresses.
pub struct Net {
    route: Netlink,
}

impl Net {
    /// Begins the conversation; looking needs no privilege.
    pub fn open() -> Result<Self, Fail> {
        let route = Netlink::open(NETLINK_ROUTE)
            .map_err(|e| Fail::io(Exit::Unknown, "cannot ask the kernel for its interfaces", &e))?;
        Ok(Self { route })
    }
}

/// Who claims an address, as far as the neighbours on a link were heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody spoke.
    Nobody,
    /// Somebody with this card.
    Card(Mac),
    /// Somebody whose messages name no card.
    Somebody,
}

impl Claim {
    /// The card, when it is known.
    pub const fn card(self) -> Option<Mac> {
        match self {
            Self::Card(mac) => Some(mac),
            Self::Nobody | Self::Somebody => None,
        }
    }
}

/// Asks the neighbours on a link who has an address, for at most `wait`; returns at once when somebody answers.
///
/// Our own cards (`ours`) do not count: RFC 5227 §2.1.1. On a link without neighbours nobody is asked.
pub fn claimed_by(link: &Link, ours: &[Mac], ip: IpAddr, wait: Duration) -> Result<Claim, Fail> {
    let cannot = |e: &std::io::Error| {
        Fail::io(Exit::Unknown, format!("cannot ask the neighbours on {} for {ip}", link.name), e)
    };
    match ip {
        IpAddr::V4(ip) => arp::claimed_by(link, ours, ip, wait).map_err(|e| cannot(&e)),
        IpAddr::V6(ip) => nd::claimed_by(link, ours, ip, wait).map_err(|e| cannot(&e)),
    }
}

/// Tells the neighbours once, in each form there is, that an address is at this link's card now.
pub fn announce(link: &Link, ip: IpAddr) -> Result<(), Fail> {
    let cannot =
        |e: &std::io::Error| Fail::io(Exit::Failed, format!("cannot announce {ip} on {}", link.name), e);
    match ip {
        IpAddr::V4(ip) => arp::announce(link, ip).map_err(|e| cannot(&e)),
        IpAddr::V6(ip) => nd::announce(link, ip).map_err(|e| cannot(&e)),
    }
}

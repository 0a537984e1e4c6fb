//! Addresses on links: listed, put on, taken off, and waited for while the kernel detects duplicates.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use ipnetwork::Ipv4Network;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressProtocol, AddressScope,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::netlink::Netlink;
use super::{Link, Net};
use crate::address::LogicalIp;
use crate::sys::stop::Stop;
use crate::{Exit, Fail, Host};

/// `IFA_PROTO` of the addresses we put on: who did it. Kernels before 5.18 do not keep it.
pub const OURS: u8 = 73;

/// `RTNLGRP_IPV6_IFADDR`.
const IPV6_ADDRESSES: u32 = 9;

/// Whether the kernel looks for a duplicate before an IPv6 address is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dad {
    /// It does, RFC 4862 §5.4.
    Kernel,
    /// It does not: `IFA_F_NODAD`.
    Skip,
}

/// How far an address on a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can be used.
    Usable,
    /// The kernel still looks for a duplicate.
    Tentative,
    /// The kernel found a duplicate; the address stands there but is not used.
    Duplicate,
}

/// An address as it stands on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The link's number.
    pub link: u32,
    /// The address.
    pub ip: IpAddr,
    /// Its prefix length.
    pub prefix: u8,
    /// How far it has come.
    pub standing: Standing,
    /// Whether it was put on by us, as far as the kernel keeps that.
    pub is_ours: bool,
}

impl fmt::Display for Assigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

impl Assigned {
    fn of(message: &AddressMessage) -> Option<Self> {
        let flags = flags(message);
        let standing = if flags.contains(AddressFlags::Dadfailed) {
            Standing::Duplicate
        } else if flags.contains(AddressFlags::Tentative) {
            Standing::Tentative
        } else {
            Standing::Usable
        };
        Some(Self {
            link: message.header.index,
            ip: local(message)?,
            prefix: message.header.prefix_len,
            standing,
            is_ours: message.attributes.contains(&AddressAttribute::Protocol(AddressProtocol::Other(OURS))),
        })
    }
}

/// The flags, which do not all fit into the header.
fn flags(message: &AddressMessage) -> AddressFlags {
    let short = AddressFlags::from_bits_retain(u32::from(message.header.flags.bits()));
    message
        .attributes
        .iter()
        .find_map(
            |attribute| if let AddressAttribute::Flags(flags) = attribute { Some(*flags) } else { None },
        )
        .unwrap_or(short)
}

/// The link's own address; on a point-to-point link `IFA_ADDRESS` is the other end's.
fn local(message: &AddressMessage) -> Option<IpAddr> {
    let mut other = None;
    for attribute in &message.attributes {
        if let AddressAttribute::Local(ip) = attribute {
            return Some(*ip);
        } else if let AddressAttribute::Address(ip) = attribute {
            other = Some(*ip);
        }
    }
    other
}

fn message(link: &Link, ip: LogicalIp) -> AddressMessage {
    let mut message = AddressMessage::default();
    let address = ip.address().ip();
    message.header.index = link.index;
    message.header.prefix_len = ip.prefix();
    message.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.scope = if address.is_loopback() { AddressScope::Host } else { AddressScope::Universe };
    message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
    message
}

/// The broadcast address of an IPv4 network that has one, as `ip addr add … brd +` sets it.
fn broadcast(ip: LogicalIp) -> Option<Ipv4Addr> {
    match ip.address().ip() {
        IpAddr::V4(v4) if ip.prefix() <= 30 => {
            Ipv4Network::new(v4, ip.prefix()).ok().map(|network| network.broadcast())
        }
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

impl Net {
    fn messages(&mut self) -> Result<Vec<AddressMessage>, Fail> {
        let found = self
            .route
            .dump(&RouteNetlinkMessage::GetAddress(AddressMessage::default()))
            .map_err(|e| e.fail(Exit::Unknown, "cannot list the addresses"))?;
        Ok(found
            .into_iter()
            .filter_map(|message| {
                if let RouteNetlinkMessage::NewAddress(address) = message { Some(address) } else { None }
            })
            .collect())
    }

    /// Every address of the node.
    pub fn assigned(&mut self) -> Result<Vec<Assigned>, Fail> {
        Ok(self.messages()?.iter().filter_map(Assigned::of).collect())
    }

    /// Puts an address on a link; says whether it was not there already.
    pub fn add(&mut self, link: &Link, ip: LogicalIp, dad: Dad) -> Result<bool, Fail> {
        let mut message = message(link, ip);
        message.attributes.extend(broadcast(ip).map(AddressAttribute::Broadcast));
        message.attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(OURS)));
        if ip.address().ip().is_ipv6() && dad == Dad::Skip {
            message.header.flags = AddressHeaderFlags::Nodad;
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        let what = format!("cannot add {ip} to {}", link.name);
        let order = (RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL);
        for answer in self.route.order(vec![order]).map_err(|e| e.fail(Exit::Failed, &what))? {
            match answer {
                Ok(()) => {}
                Err(e) if e.is(Errno::EXIST) => return Ok(false),
                Err(e) => return Err(e.fail(Exit::Failed, &what)),
            }
        }
        Ok(true)
    }

    /// Takes exactly this address off a link; says whether it was there.
    ///
    /// With the first IPv4 address of a network the kernel takes all its others away too, unless
    /// `promote_secondaries` is set (`net/ipv4/devinet.c`). Those are put back in the same system call.
    pub fn remove(&mut self, link: &Link, ip: LogicalIp) -> Result<bool, Fail> {
        let what = format!("cannot remove {ip} from {}", link.name);
        let all = self.messages()?;
        let Some(found) = all.iter().find(|message| is(message, link, ip)) else { return Ok(false) };
        let mut orders = vec![(RouteNetlinkMessage::DelAddress(without_its_times(found)), 0)];
        for other in all.iter().filter(|other| falls_with(other, found)) {
            orders.push((RouteNetlinkMessage::NewAddress(other.clone()), NLM_F_CREATE | NLM_F_EXCL));
        }
        let answers = self.route.order(orders).map_err(|e| e.fail(Exit::Failed, &what))?;
        let mut answers = answers.into_iter();
        let removed = match answers.next() {
            Some(Err(e)) if e.is(Errno::ADDRNOTAVAIL) => false,
            Some(Err(e)) => return Err(e.fail(Exit::Failed, &what)),
            Some(Ok(())) | None => true,
        };
        for answer in answers {
            if let Err(e) = answer
                && !e.is(Errno::EXIST)
            {
                let lost = format!("{ip} is off {}, but another address of its network is lost", link.name);
                return Err(e.fail(Exit::Broken, lost));
            }
        }
        Ok(removed)
    }

    /// Waits until the kernel has looked for a duplicate of an IPv6 address. Tentative when the time is up or a signal
    /// came first, which stays to be asked for; `None` when the address is gone.
    pub fn settled(
        &mut self,
        link: &Link,
        ip: LogicalIp,
        stop: &Stop,
        timeout: Duration,
    ) -> Result<Option<Standing>, Fail> {
        let what = format!("cannot wait for {ip} on {}", link.name);
        let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, &what, e);
        let end = Instant::now() + timeout;
        // Subscribed before the first look, so that no change falls between the two.
        let news = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE).map_err(|e| cannot(&e))?;
        news.subscribe(IPV6_ADDRESSES).map_err(|e| cannot(&e))?;
        loop {
            let found = self.assigned()?;
            let standing = found.iter().find(|a| a.link == link.index && a.ip == ip.address().ip());
            let left = end.saturating_duration_since(Instant::now());
            match standing.map(|assigned| assigned.standing) {
                Some(Standing::Tentative) if !left.is_zero() && !stop.is_asked() => {
                    news.wait(stop, left).map_err(|e| cannot(&e))?;
                }
                other => return Ok(other),
            }
        }
    }
}

fn is(message: &AddressMessage, link: &Link, ip: LogicalIp) -> bool {
    message.header.index == link.index
        && message.header.prefix_len == ip.prefix()
        && local(message) == Some(ip.address().ip())
}

/// What names an address to the kernel, and no more.
fn without_its_times(message: &AddressMessage) -> AddressMessage {
    let mut named = AddressMessage::default();
    named.header = message.header.clone();
    named.attributes = message
        .attributes
        .iter()
        .filter(|attribute| matches!(attribute, AddressAttribute::Local(_) | AddressAttribute::Address(_)))
        .cloned()
        .collect();
    named
}

/// Whether the kernel takes one address away together with another.
fn falls_with(other: &AddressMessage, first: &AddressMessage) -> bool {
    let network = |message: &AddressMessage| match local(message)? {
        IpAddr::V4(ip) => Ipv4Network::new(ip, message.header.prefix_len).ok().map(|n| n.network()),
        IpAddr::V6(_) => None,
    };
    other.header.index == first.header.index
        && other.header.prefix_len == first.header.prefix_len
        && flags(other).contains(AddressFlags::Secondary)
        && !flags(first).contains(AddressFlags::Secondary)
        && network(other).is_some()
        && network(other) == network(first)
}

/// Whether the kernel looks for duplicates on a link at all: `accept_dad` and `dad_transmits` of its IPv6 settings.
///
/// A link without the settings has no IPv6; the kernel says so itself when an address is added.
pub fn kernel_detects_duplicates(host: &Host, link: &Link) -> bool {
    let setting = |of: &str, key: &str| {
        let path = host.path(format!("/proc/sys/net/ipv6/conf/{of}/{key}"));
        fs_err::read_to_string(path).ok().and_then(|text| text.trim().parse::<i64>().ok())
    };
    let off = |value: Option<i64>| value.is_some_and(|value| value < 1);
    let accepts = !(off(setting("all", "accept_dad")) && off(setting(&link.name, "accept_dad")));
    accepts && !off(setting(&link.name, "dad_transmits"))
}

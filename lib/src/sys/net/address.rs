//! Addresses on links: listed, put on, marked as ours, taken off.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnetwork::Ipv4Network;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressProtocol, AddressScope,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::maker::{self, OURS};
use super::{Link, Net};
use crate::address::LogicalIp;
use crate::{Exit, Fail};

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
    /// Its `IFA_PROTO`; `None` also where the kernel does not keep it.
    pub protocol: Option<u8>,
    /// Its label; only IPv4 addresses have one, without another the link's name.
    pub label: Option<String>,
}

/// An address as it stood on a link before it was changed, all that the kernel told of it.
#[derive(Debug, Clone)]
pub struct Former(AddressMessage);

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
        let (mut protocol, mut label) = (None, None);
        for attribute in &message.attributes {
            if let AddressAttribute::Protocol(by) = attribute {
                protocol = Some(u8::from(*by));
            } else if let AddressAttribute::Label(text) = attribute {
                label = Some(text.clone());
            }
        }
        Some(Self {
            link: message.header.index,
            ip: local(message)?,
            prefix: message.header.prefix_len,
            standing,
            protocol,
            label,
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

    /// Puts an address on a link, to be used at once; says whether it was not there already.
    ///
    /// The kernel is not to look for a duplicate of an IPv6 address (`IFA_F_NODAD`): whoever calls this has asked
    /// the neighbours. `keeps_makers` says whether `IFA_PROTO` marks it as ours; a label does where it does not.
    pub fn add(&mut self, link: &Link, ip: LogicalIp, keeps_makers: bool) -> Result<bool, Fail> {
        let mut message = message(link, ip);
        message.attributes.extend(broadcast(ip).map(AddressAttribute::Broadcast));
        message.attributes.push(mark());
        if ip.address().ip().is_ipv6() {
            message.header.flags = AddressHeaderFlags::Nodad;
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        } else if !keeps_makers {
            message.attributes.extend(maker::label(&link.name).map(AddressAttribute::Label));
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

    /// Marks an address that somebody else put on as ours, and for ever; it stays in use meanwhile. Gives it as it was.
    pub fn adopt(&mut self, link: &Link, ip: LogicalIp) -> Result<Former, Fail> {
        let what = format!("cannot mark {ip} on {} as ours", link.name);
        let Some(mut found) = self.messages()?.into_iter().find(|message| is(message, link, ip)) else {
            return Err(Fail::failed(what).because("it was taken off by somebody else"));
        };
        let former = Former(found.clone());
        found.attributes.retain(|attribute| {
            !matches!(attribute, AddressAttribute::Protocol(_) | AddressAttribute::CacheInfo(_))
        });
        found.attributes.push(mark());
        self.carry_out(RouteNetlinkMessage::NewAddress(found), NLM_F_REPLACE, &what)?;
        Ok(former)
    }

    /// Gives an address back what it had, its maker and its times, or puts it on again when it is gone. Of an IPv6 one
    /// that is put on again the kernel looks anew for a duplicate, unless it was told not to.
    pub fn give_back(&mut self, former: &Former, link: &Link) -> Result<(), Fail> {
        let ip =
            local(&former.0).map_or_else(String::new, |ip| format!("{ip}/{}", former.0.header.prefix_len));
        let what = format!("cannot give {} back {ip} as it was", link.name);
        self.carry_out(RouteNetlinkMessage::NewAddress(former.0.clone()), NLM_F_CREATE | NLM_F_REPLACE, &what)
    }

    fn carry_out(&mut self, order: RouteNetlinkMessage, flags: u16, what: &str) -> Result<(), Fail> {
        let answers = self.route.order(vec![(order, flags)]).map_err(|e| e.fail(Exit::Failed, what))?;
        answers.into_iter().try_for_each(|answer| answer.map_err(|e| e.fail(Exit::Failed, what)))
    }

    /// Takes exactly this address off a link; gives it as it was, when it was there.
    ///
    /// With the first IPv4 address of a network the kernel takes all its others away too, unless
    /// `promote_secondaries` is set (`net/ipv4/devinet.c`). Those are put back in the same system call.
    pub fn remove(&mut self, link: &Link, ip: LogicalIp) -> Result<Option<Former>, Fail> {
        let what = format!("cannot remove {ip} from {}", link.name);
        let all = self.messages()?;
        let Some(found) = all.iter().find(|message| is(message, link, ip)) else { return Ok(None) };
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
        Ok(removed.then(|| Former(found.clone())))
    }
}

fn mark() -> AddressAttribute {
    AddressAttribute::Protocol(AddressProtocol::Other(OURS))
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

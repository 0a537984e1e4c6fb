//! What this node itself remembers of its neighbours: the kernel's ARP and neighbour discovery caches.

use std::net::IpAddr;

use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::Net;
use crate::{Exit, Fail};

impl Net {
    /// Forgets which card the neighbour with this address had, on every link; says how many entries that were.
    ///
    /// Entries that a person made (`nud permanent`) and those that need no card (`nud noarp`) stay.
    pub fn forget_neighbour(&mut self, ip: IpAddr) -> Result<usize, Fail> {
        let what = format!("cannot flush the neighbour entries of {ip}");
        let mut question = NeighbourMessage::default();
        question.header.family = if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let found = self
            .route
            .dump(&RouteNetlinkMessage::GetNeighbour(question))
            .map_err(|e| e.fail(Exit::Failed, &what))?;
        let orders: Vec<_> = found.iter().filter_map(|message| forgotten(message, ip)).collect();
        if orders.is_empty() {
            return Ok(0);
        }
        let mut flushed = 0;
        let orders = orders.into_iter().map(|order| (RouteNetlinkMessage::DelNeighbour(order), 0)).collect();
        for answer in self.route.order(orders).map_err(|e| e.fail(Exit::Failed, &what))? {
            match answer {
                Ok(()) => flushed += 1,
                Err(e) if e.is(Errno::NOENT) => {} // the kernel itself forgot it meanwhile
                Err(e) => return Err(e.fail(Exit::Failed, &what)),
            }
        }
        Ok(flushed)
    }
}

/// The order that makes the kernel forget an entry, when it is one of this address and learnt.
fn forgotten(message: &RouteNetlinkMessage, ip: IpAddr) -> Option<NeighbourMessage> {
    let RouteNetlinkMessage::NewNeighbour(entry) = message else { return None };
    let is_learnt = !matches!(entry.header.state, NeighbourState::Permanent | NeighbourState::Noarp);
    let address = match ip {
        IpAddr::V4(ip) => NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)),
        IpAddr::V6(ip) => NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)),
    };
    let is_its = entry.attributes.contains(&address);
    (is_learnt && is_its).then(|| {
        let mut order = NeighbourMessage::default();
        order.header.family = entry.header.family;
        order.header.ifindex = entry.header.ifindex;
        order.attributes = vec![address];
        order
    })
}

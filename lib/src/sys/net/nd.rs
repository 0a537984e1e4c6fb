//! IPv6: who else claims an address, and telling everybody that it is here now (RFC 4861, RFC 4862).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use socket2::{Domain, Protocol, Socket, Type};

use super::arp::PROBES;
use super::frame::{self, Said};
use super::wire::{self, Wire, readable, receive};
use super::{Claim, Link, Mac};

/// What the neighbours say of one address, from now on.
struct Claims {
    fd: OwnedFd,
    ip: Ipv6Addr,
}

impl Claims {
    /// Begins to listen. Needs root (`CAP_NET_RAW`).
    fn listen(link: &Link, ip: Ipv6Addr) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        socket.bind_device(Some(link.name.as_bytes()))?;
        socket.join_multicast_v6(&frame::solicited_node(ip), link.index)?;
        Ok(Self { fd: socket.into(), ip })
    }

    /// The first claim heard until then.
    fn until(&self, end: Instant) -> io::Result<Option<Said>> {
        let mut buffer = [0u8; 2048];
        loop {
            match receive(&self.fd, &mut buffer)? {
                Some(message) => {
                    if let Some(said) = frame::icmp_claim(message, self.ip) {
                        return Ok(Some(said));
                    }
                    wire::keeping_up(end)?;
                }
                None if readable(&self.fd, end)? => {}
                None => return Ok(None),
            }
        }
    }
}

/// Asks for an address as duplicate address detection does, without putting it on the link.
pub(super) fn claimed_by(link: &Link, ours: &[Mac], ip: Ipv6Addr, wait: Duration) -> io::Result<Claim> {
    let Some(mac) = link.mac.filter(|_| link.has_neighbours) else { return Ok(Claim::Nobody) };
    let claims = Claims::listen(link, ip)?;
    let wire = Wire::open(link, None)?;
    let nonce = nonce();
    let start = Instant::now();
    for turn in 1..=PROBES {
        wire.send(&frame::solicitation(mac, ip, nonce))?;
        while let Some(said) = claims.until(start + wait * turn / PROBES)? {
            match said {
                Said::Has(Some(by)) if by == mac || ours.contains(&by) => {}
                Said::Asks(Some(by)) if by == nonce => {} // our own question, come back by a loop in the network
                Said::Has(Some(by)) => return Ok(Claim::Card(by)),
                Said::Has(None) | Said::Asks(_) => return Ok(Claim::Somebody),
            }
        }
    }
    Ok(Claim::Nobody)
}

/// What tells our question from one of somebody else who wants the address, RFC 7527 §4.1.
fn nonce() -> [u8; 6] {
    let [_, _, nonce @ ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
    nonce
}

/// An unsolicited neighbour advertisement.
pub(super) fn announce(link: &Link, ip: Ipv6Addr) -> io::Result<()> {
    let Some(mac) = link.mac.filter(|_| link.has_neighbours) else { return Ok(()) };
    Wire::open(link, None)?.send(&frame::advertisement(mac, ip))
}

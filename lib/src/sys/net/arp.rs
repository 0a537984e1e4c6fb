//! IPv4: who else claims an address, and telling everybody that it is here now (RFC 5227).

use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::frame::{self, Op};
use super::wire::Wire;
use super::{Claim, Link, Mac};

/// How many probes are spread over the time there is (`PROBE_NUM`).
pub(super) const PROBES: u32 = 3;

/// Asks for an address with ARP probes, which tell the neighbours nothing: their sender is nobody yet.
pub(super) fn claimed_by(link: &Link, ours: &[Mac], ip: Ipv4Addr, wait: Duration) -> io::Result<Claim> {
    let Some(mac) = link.mac.filter(|_| link.has_neighbours) else { return Ok(Claim::Nobody) };
    let wire = Wire::open(link, Some(frame::ARP))?;
    let probe = frame::arp(Op::Request, (mac, Ipv4Addr::UNSPECIFIED), (Mac::NOBODY, ip));
    let claim = |heard: &[u8]| frame::arp_claim(heard, ip).filter(|by| *by != mac && !ours.contains(by));
    let start = Instant::now();
    for turn in 1..=PROBES {
        wire.send(&probe)?;
        if let Some(by) = wire.find(start + wait * turn / PROBES, claim)? {
            return Ok(Claim::Card(by));
        }
    }
    Ok(Claim::Nobody)
}

/// Gratuitous ARP in both forms; some neighbours heed only requests, some only replies.
pub(super) fn announce(link: &Link, ip: Ipv4Addr) -> io::Result<()> {
    let Some(mac) = link.mac.filter(|_| link.has_neighbours) else { return Ok(()) };
    let wire = Wire::open(link, None)?;
    wire.send(&frame::arp(Op::Request, (mac, ip), (Mac::NOBODY, ip)))?;
    wire.send(&frame::arp(Op::Reply, (mac, ip), (Mac::EVERYBODY, ip)))
}

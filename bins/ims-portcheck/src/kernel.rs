//! What Linux answers the second of two TCP sockets that want one port. Pure, and the kernel's own decision:
//! `inet_csk_get_port`, `inet_csk_bind_conflict` and `inet_rcv_saddr_equal` of `net/ipv4/inet_connection_sock.c`.
//!
//! `SO_REUSEADDR` is not asked: it makes no difference beside a socket that listens.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A socket as far as bind(2) looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The address; `0.0.0.0` and `::` for every one, `::ffff:192.0.2.1` for an IPv4 one in a socket of IPv6.
    pub ip: IpAddr,
    /// `IPV6_V6ONLY`; a socket of IPv4 has none.
    pub v6_only: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// The user who made it.
    pub uid: u32,
}

/// What becomes of the second of two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It gets an address and port of its own.
    Allows,
    /// It gets what the first has too (`SO_REUSEPORT`), and each a part of the connections.
    Shares,
    /// bind(2) fails with `EADDRINUSE`.
    Refuses,
}

/// Says what becomes of the second of two sockets at one port; the order makes no difference.
pub fn answer(a: &Socket, b: &Socket) -> Answer {
    if !meet(a, b) {
        Answer::Allows
    } else if a.reuse_port && b.reuse_port && a.uid == b.uid {
        Answer::Shares
    } else {
        Answer::Refuses
    }
}

/// How the kernel sorts an address; an IPv4 one counts as such in a socket of either family.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `0.0.0.0` or `::ffff:0.0.0.0`.
    AnyV4,
    /// `::`.
    AnyV6,
    /// One IPv4 address.
    OneV4,
    /// One IPv6 address; the kernel gives the socket `IPV6_V6ONLY` by itself.
    OneV6,
}

impl Kind {
    fn of(ip: IpAddr) -> Self {
        match (ip.to_canonical(), ip.to_canonical().is_unspecified()) {
            (IpAddr::V4(_), true) => Self::AnyV4,
            (IpAddr::V4(_), false) => Self::OneV4,
            (IpAddr::V6(_), true) => Self::AnyV6,
            (IpAddr::V6(_), false) => Self::OneV6,
        }
    }
}

/// Whether the addresses of the two meet.
fn meet(a: &Socket, b: &Socket) -> bool {
    use Kind::{AnyV4, AnyV6, OneV4, OneV6};
    match (Kind::of(a.ip), Kind::of(b.ip)) {
        (AnyV6, AnyV6 | OneV6) | (OneV6, AnyV6) | (AnyV4, AnyV4 | OneV4) | (OneV4, AnyV4) => true,
        (AnyV6, AnyV4 | OneV4) => !a.v6_only,
        (AnyV4 | OneV4, AnyV6) => !b.v6_only,
        (OneV4, OneV4) | (OneV6, OneV6) => a.ip.to_canonical() == b.ip.to_canonical(),
        (AnyV4 | OneV4, OneV6) | (OneV6, AnyV4 | OneV4) => false,
    }
}

//! Addresses as the commands take and print them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnetwork::IpNetwork;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fail;

/// The way out where another kind of address was given.
const LOGICAL: &str = "give the logical address";

/// The address of one host as it is typed: neither unspecified, multicast, broadcast nor an IPv4 one in IPv6's clothes.
pub fn host(text: &str) -> Result<IpAddr, Fail> {
    let ip: IpAddr = text.parse().map_err(|_| {
        Fail::usage(format!("not an IP address: '{}'", text.escape_debug()))
            .hint("like 10.0.37.10 or 2001:db8::10, without a prefix length")
    })?;
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    let mapped = matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    if ip.is_unspecified() || ip.is_multicast() || broadcast || mapped {
        return Err(
            Fail::usage(format!("no server can be bound to {ip} alone")).hint("give one host's address")
        );
    }
    Ok(ip)
}

/// An address that a server can be bound to and that moves from node to node: that of one host, on neither the loopback
/// nor, in IPv6, one link alone, where it says nothing without an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Address(IpAddr);

impl Address {
    /// The address itself.
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

impl FromStr for Address {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let ip = host(text)?;
        if ip.is_loopback() {
            return Err(
                Fail::usage(format!("{ip} is every node's own and never moves to another")).hint(LOGICAL)
            );
        }
        if matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
            return Err(Fail::usage(format!("{ip} is an address of one link alone")).hint(LOGICAL));
        }
        Ok(Self(ip))
    }
}

impl TryFrom<String> for Address {
    type Error = Fail;

    fn try_from(text: String) -> Result<Self, Fail> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A logical IP with its prefix length, as it stands on an interface: `10.0.37.10/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct LogicalIp {
    address: Address,
    prefix: u8,
}

impl LogicalIp {
    /// The address without its prefix length.
    pub const fn address(self) -> Address {
        self.address
    }

    /// The prefix length in bits.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }
}

impl FromStr for LogicalIp {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let bad = || {
            Fail::usage(format!("not an address with its prefix length: '{}'", text.escape_debug()))
                .hint("like 10.0.37.10/24")
        };
        if !text.contains('/') {
            return Err(bad());
        }
        let network: IpNetwork = text.parse().map_err(|_| bad())?;
        let address: Address = network.ip().to_string().parse()?;
        if network.prefix() == 0 {
            return Err(
                Fail::usage(format!("'{text}' makes every address a neighbour")).hint("like 10.0.37.10/24")
            );
        }
        let names_the_network = match network {
            IpNetwork::V4(v4) => v4.prefix() < 31 && [v4.network(), v4.broadcast()].contains(&v4.ip()),
            IpNetwork::V6(v6) => v6.prefix() < 127 && v6.network() == v6.ip(),
        };
        if names_the_network {
            return Err(
                Fail::usage(format!("'{text}' names the whole network")).hint("give one host's address")
            );
        }
        Ok(Self { address, prefix: network.prefix() })
    }
}

impl TryFrom<String> for LogicalIp {
    type Error = Fail;

    fn try_from(text: String) -> Result<Self, Fail> {
        text.parse()
    }
}

impl From<LogicalIp> for String {
    fn from(ip: LogicalIp) -> Self {
        ip.to_string()
    }
}

impl fmt::Display for LogicalIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_host() {
        for good in ["10.0.37.10", "2001:db8::10"] {
            assert_eq!(good.parse::<Address>().unwrap().to_string(), good);
        }
        for (of_the_node, says) in [
            (
                "127.0.0.1",
                "127.0.0.1 is every node's own and never moves to another (give the logical address)",
            ),
            (
                "127.8.0.1",
                "127.8.0.1 is every node's own and never moves to another (give the logical address)",
            ),
            ("::1", "::1 is every node's own and never moves to another (give the logical address)"),
            ("fe80::10", "fe80::10 is an address of one link alone (give the logical address)"),
        ] {
            assert_eq!(host(of_the_node).unwrap().to_string(), of_the_node);
            assert_eq!(of_the_node.parse::<Address>().unwrap_err().to_string(), says);
        }
        for bad in [
            "10.0.37",
            "10.0.37.10/24",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "mail",
            "010.0.37.10",
            "::ffff:10.0.37.10",
        ] {
            assert!(bad.parse::<Address>().is_err() && host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_logical_ip_has_its_prefix_length() {
        assert_eq!("10.0.37.10/24".parse::<LogicalIp>().unwrap().to_string(), "10.0.37.10/24");
        for good in
            ["10.0.37.10/32", "10.0.37.0/31", "10.0.36.255/23", "2001:db8::/128", "2001:db8::ffff/112"]
        {
            assert_eq!(good.parse::<LogicalIp>().unwrap().to_string(), good);
        }
        for bad in [
            "10.0.37.10",
            "10.0.37.10/33",
            "0.0.0.0/0",
            "x/24",
            "10.0.37.10/0",
            "2001:db8::10/0",
            "127.0.0.1/8",
            "::1/128",
            "fe80::10/64",
            "10.0.37.0/24",
            "10.0.37.255/24",
            "2001:db8::/64",
        ] {
            assert!(bad.parse::<LogicalIp>().is_err(), "{bad}");
        }
    }
}

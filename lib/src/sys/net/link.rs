//! Links: the node's network interfaces, whether each is up and what hardware address it has.

use std::fmt;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkFlags, LinkMessage};
use schemars::JsonSchema;
use serde::Serialize;

use super::Net;
use crate::{Exit, Fail};

/// A card's hardware address: `02:00:5e:10:00:01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Everybody on the link.
    pub(super) const EVERYBODY: Self = Self([0xff; 6]);
    /// Nobody yet: what a question has in place of the answer.
    pub(super) const NOBODY: Self = Self([0; 6]);
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name, such as `eth0`.
    pub name: String,
    /// Its hardware address, when it has one of Ethernet's form.
    pub mac: Option<Mac>,
    /// Whether it is set up (`ip link set … up`).
    pub is_up: bool,
    /// Whether it is connected to anything; told at once, without the delay of its operational state.
    pub has_carrier: bool,
    /// Whether there are neighbours to be asked and told: not on loopback and point-to-point links.
    pub has_neighbours: bool,
}

impl From<&LinkMessage> for Link {
    fn from(message: &LinkMessage) -> Self {
        let flags = message.header.flags;
        let (mut name, mut mac) = (String::new(), None);
        for attribute in &message.attributes {
            if let LinkAttribute::IfName(text) = attribute {
                name.clone_from(text);
            } else if let LinkAttribute::Address(bytes) = attribute {
                mac = bytes.as_slice().try_into().ok().map(Mac).filter(|mac| *mac != Mac::NOBODY);
            }
        }
        Self {
            index: message.header.index,
            name,
            mac,
            is_up: flags.contains(LinkFlags::Up),
            has_carrier: flags.contains(LinkFlags::LowerUp) && !flags.contains(LinkFlags::Dormant),
            has_neighbours: mac.is_some()
                && !flags.intersects(LinkFlags::Loopback | LinkFlags::Noarp | LinkFlags::Pointopoint),
        }
    }
}

impl Net {
    /// Every link of the node.
    pub fn links(&mut self) -> Result<Vec<Link>, Fail> {
        let mut question = LinkMessage::default();
        question.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        let found = self
            .route
            .dump(&RouteNetlinkMessage::GetLink(question))
            .map_err(|e| e.fail(Exit::Unknown, "cannot list the interfaces"))?;
        Ok(found
            .iter()
            .filter_map(|message| {
                if let RouteNetlinkMessage::NewLink(link) = message { Some(Link::from(link)) } else { None }
            })
            .collect())
    }
}

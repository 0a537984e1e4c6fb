//! The wires: links and addresses of the network namespace that the calling thread is in.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// A conversation with the kernel about the network namespace of the thread that opened it.
pub struct Netlink(Socket);

const MAKE: u16 = NLM_F_CREATE | NLM_F_EXCL;

impl Netlink {
    /// Opens the conversation.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self(socket))
    }

    /// Makes a bridge that forwards from the first moment.
    pub fn add_bridge(&self, name: &str) -> io::Result<()> {
        let data = InfoData::Bridge(vec![InfoBridge::ForwardDelay(0), InfoBridge::MulticastSnooping(false)]);
        let mut link = named(name);
        link.attributes
            .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge), LinkInfo::Data(data)]));
        self.ask(RouteNetlinkMessage::NewLink(link), MAKE)
    }

    /// Makes a wire from `name` here, with this hardware address, to `peer` in another network namespace.
    pub fn add_wire(&self, name: &str, hardware: [u8; 6], peer: &str, there: BorrowedFd) -> io::Result<()> {
        let mut other = named(peer);
        other.attributes.push(LinkAttribute::NetNsFd(there.as_raw_fd()));
        let mut link = named(name);
        link.attributes.push(LinkAttribute::Address(hardware.to_vec()));
        link.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(other))),
        ]));
        self.ask(RouteNetlinkMessage::NewLink(link), MAKE)
    }

    /// Plugs a link into a bridge.
    pub fn plug(&self, name: &str, bridge: &str) -> io::Result<()> {
        let mut link = named(name);
        link.attributes.push(LinkAttribute::Controller(index(bridge)?));
        self.ask(RouteNetlinkMessage::NewLink(link), 0)
    }

    /// Switches a link on or off.
    pub fn switch(&self, name: &str, on: bool) -> io::Result<()> {
        let mut link = named(name);
        link.header.change_mask = LinkFlags::Up;
        link.header.flags = if on { LinkFlags::Up } else { LinkFlags::empty() };
        self.ask(RouteNetlinkMessage::NewLink(link), 0)
    }

    /// Takes a link away, and with a wire its other end.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.ask(RouteNetlinkMessage::DelLink(named(name)), 0)
    }

    /// Gives a link an address, which is usable at once (no duplicate address detection).
    pub fn add_address(&self, name: &str, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.index = index(name)?;
        message.header.prefix_len = prefix;
        message.header.flags = AddressHeaderFlags::Nodad;
        message.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
        if let IpAddr::V4(v4) = address {
            let host = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            message.attributes.push(AddressAttribute::Broadcast((u32::from(v4) | host).into()));
        }
        self.ask(RouteNetlinkMessage::NewAddress(message), MAKE)
    }

    /// Sends one request and waits for the kernel's word on it.
    fn ask(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        header.sequence_number = 1;
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(message));
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.0.send(&bytes, 0)?;
        let (answer, _) = self.0.recv_from_full()?;
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
            NetlinkPayload::Error(error) => Err(error.to_io()),
            other => Err(io::Error::other(format!("the kernel answered {other:?}"))),
        }
    }
}

fn named(name: &str) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link
}

fn index(name: &str) -> io::Result<u32> {
    Ok(nix::net::if_::if_nametoindex(name)?)
}

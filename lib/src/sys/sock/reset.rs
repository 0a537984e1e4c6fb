//! Connections of an address that is about to leave, reset at once, as `ss -K src ADDRESS` does.
//!
//! The kernel sends the peer an RST, which it can do only while the address is still there, and the process that
//! has the socket gets `ECONNABORTED`. Peers that only wait, such as idle IMAP sessions, would otherwise wait for ever.

use std::net::IpAddr;

use netlink_packet_core::{
    DecodeError, Emitable as _, NetlinkDeserializable, NetlinkHeader, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{
    AF_INET, AF_INET6, IPPROTO_TCP, SOCK_DESTROY, SOCK_DIAG_BY_FAMILY,
};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use rustix::io::Errno;

use crate::sys::net::netlink::Netlink;
use crate::{Exit, Fail};

/// Connections whose peer waits for us. Those that we have closed are left to end by themselves: their last bytes,
/// an answer to a message perhaps, may still be on their way.
const OPEN: StateFlags = StateFlags::ESTABLISHED
    .union(StateFlags::SYN_SENT)
    .union(StateFlags::SYN_RECV)
    .union(StateFlags::CLOSE_WAIT);

/// How often we look again for connections that were made meanwhile: clients come back in microseconds.
const ROUNDS: u32 = 10;

/// How many orders are given at once, so that the kernel's answers fit into the socket.
const BATCH: usize = 64;

/// `INET_DIAG_REQ_BYTECODE`, the attribute with the condition.
const CONDITION: u16 = 1;

/// `INET_DIAG_BC_S_COND`: the condition is one on the local address.
const LOCAL_ADDRESS: u8 = 7;

/// Resets every TCP connection from or to this address of the node, those of sockets with an IPv4 address in IPv6's
/// clothes too; says how many. Listening sockets stay. Needs root (`CAP_NET_ADMIN`) when there is one.
pub fn reset(ip: IpAddr) -> Result<usize, Fail> {
    let what = format!("cannot reset the connections of {ip}");
    let mut kernel = Netlink::open(NETLINK_SOCK_DIAG).map_err(|e| Fail::io(Exit::Unknown, &what, &e))?;
    let mut done = 0;
    for _ in 0..ROUNDS {
        let found = open(&mut kernel, ip, &what)?;
        if found.is_empty() {
            break;
        }
        for batch in found.chunks(BATCH) {
            let orders = batch.iter().map(|socket| (Talk::Destroy(socket.clone()), 0)).collect();
            for answer in kernel.order(orders).map_err(|e| e.fail(Exit::Unknown, &what))? {
                match answer {
                    Ok(()) => done += 1,
                    Err(e) if e.is(Errno::NOENT) => {} // it ended meanwhile
                    // Kernels before 4.5 do not know the order, later ones may be built without it.
                    Err(e) if e.is(Errno::OPNOTSUPP) || e.is(Errno::INVAL) => {
                        return Err(Fail::unknown(what).because(
                            "this kernel cannot reset them (it is built without CONFIG_INET_DIAG_DESTROY)",
                        ));
                    }
                    Err(e) => return Err(e.fail(Exit::Unknown, &what)),
                }
            }
        }
    }
    Ok(done)
}

/// The connections of the address.
fn open(kernel: &mut Netlink, ip: IpAddr, what: &str) -> Result<Vec<InetRequest>, Fail> {
    let families: &[(u8, SocketId)] = match ip {
        IpAddr::V4(_) => &[(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())],
        IpAddr::V6(_) => &[(AF_INET6, SocketId::new_v6())],
    };
    let mut found = Vec::new();
    for (family, socket_id) in families {
        let question = Talk::Question(request(*family, socket_id.clone()), condition(ip));
        for answer in kernel.dump(&question).map_err(|e| e.fail(Exit::Unknown, what))? {
            if let Talk::Socket(socket) = answer {
                found.push(request(socket.header.family, socket.header.socket_id));
            }
        }
    }
    Ok(found)
}

fn request(family: u8, socket_id: SocketId) -> InetRequest {
    InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: OPEN,
        socket_id,
    }
}

/// The condition by which the kernel itself chooses the sockets, so that a hundred thousand others cost little: one
/// operation, `struct inet_diag_bc_op` and `struct inet_diag_hostcond`.
fn condition(ip: IpAddr) -> Vec<u8> {
    let (family, bytes) = match ip {
        IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
    };
    let (bits, length): (u8, u8) = if family == AF_INET { (32, 16) } else { (128, 28) };
    let mut code = vec![LOCAL_ADDRESS, length]; // where to go on when it holds: at the end
    code.extend((u16::from(length) + 4).to_ne_bytes()); // when it does not: behind the end, which is no
    code.extend([family, bits, 0, 0]);
    code.extend((-1_i32).to_ne_bytes()); // any port
    code.extend(bytes);
    code
}

/// What is said: a question with its condition, an order, and what the kernel answers the question with.
#[derive(Debug, Clone)]
enum Talk {
    Question(InetRequest, Vec<u8>),
    Destroy(InetRequest),
    Socket(Box<InetResponse>),
}

impl Talk {
    fn bytes(&self) -> Vec<u8> {
        let emitted = |request: &InetRequest| {
            let mut bytes = vec![0; request.buffer_len()];
            request.emit(&mut bytes);
            bytes
        };
        match self {
            Self::Question(request, condition) => {
                let mut bytes = emitted(request);
                let length = u16::try_from(condition.len() + 4).unwrap_or(u16::MAX);
                bytes.extend(length.to_ne_bytes());
                bytes.extend(CONDITION.to_ne_bytes());
                bytes.extend(condition);
                bytes
            }
            Self::Destroy(request) => emitted(request),
            Self::Socket(_) => Vec::new(), // only the kernel says that
        }
    }
}

impl NetlinkSerializable for Talk {
    fn message_type(&self) -> u16 {
        match self {
            Self::Question(..) | Self::Socket(_) => SOCK_DIAG_BY_FAMILY,
            Self::Destroy(_) => SOCK_DESTROY,
        }
    }

    fn buffer_len(&self) -> usize {
        self.bytes().len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.bytes());
    }
}

impl NetlinkDeserializable for Talk {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        match SockDiagMessage::deserialize(header, payload)? {
            SockDiagMessage::InetResponse(socket) => Ok(Self::Socket(socket)),
            SockDiagMessage::InetRequest(_)
            | SockDiagMessage::UnixRequest(_)
            | SockDiagMessage::UnixResponse(_) => Err("not a TCP socket".to_owned().into()),
        }
    }
}

impl From<Talk> for NetlinkPayload<Talk> {
    fn from(talk: Talk) -> Self {
        Self::InnerMessage(talk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_is_what_the_kernel_reads() {
        let v4 = condition("192.0.2.7".parse().unwrap());
        assert_eq!(v4, [7, 16, 20, 0, 2, 32, 0, 0, 255, 255, 255, 255, 192, 0, 2, 7]);
        let v6 = condition("2001:db8::7".parse().unwrap());
        assert_eq!((v6.len(), v6[1], v6[2], v6[4], v6[5]), (28, 28, 32, 10, 128));
    }
}

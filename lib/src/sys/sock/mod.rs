//! The kernel's table of listening TCP sockets by `sock_diag(7)`, and who owns them.

mod bound;
mod owner;
mod reset;

use std::net::IpAddr;

use netlink_packet_core::Nla as _;
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use crate::layout::Bind;
use crate::sys::net::netlink::Netlink;
use crate::{Exit, Fail, Host};

pub use bound::bound_on;
pub use owner::{Owner, owners};
pub use reset::reset;

/// `INET_DIAG_CGROUP_ID`: the inode of the control group that the socket was made in, from Linux 5.9 on.
const CGROUP_ID: u16 = 21;

/// A TCP socket that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// What it is bound to.
    pub bind: Bind,
    /// Its port.
    pub port: u16,
    /// The user who made it.
    pub uid: u32,
    /// Its inode, by which its owners are found; 0 when no process has it any more.
    pub inode: u32,
    /// The control group it was made in, when the kernel tells.
    pub cgroup: Option<u64>,
}

impl Listening {
    fn of(found: &InetResponse) -> Self {
        let mut is_v6_only = false;
        let mut cgroup = None;
        for attribute in &found.nlas {
            if let Nla::SkV6Only(only) = attribute {
                is_v6_only = *only;
            } else if let Nla::Other(other) = attribute
                && other.kind() == CGROUP_ID
            {
                let mut id = [0u8; 8];
                if other.value_len() == id.len() {
                    other.emit_value(&mut id);
                    cgroup = Some(u64::from_ne_bytes(id));
                }
            }
        }
        let bind = match found.header.socket_id.source_address {
            IpAddr::V4(ip) if ip.is_unspecified() => Bind::AnyV4,
            IpAddr::V6(ip) if ip.is_unspecified() && is_v6_only => Bind::AnyV6,
            IpAddr::V6(ip) if ip.is_unspecified() => Bind::Any,
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => Bind::One(ip.to_canonical()),
        };
        Self {
            bind,
            port: found.header.socket_id.source_port,
            uid: found.header.uid,
            inode: found.header.inode,
            cgroup,
        }
    }
}

/// Every TCP socket that listens in this network namespace; the kernel walks the listeners alone, so that a
/// hundred thousand connections cost nothing.
pub fn listening() -> Result<Vec<Listening>, Fail> {
    let what = "cannot list the listening sockets";
    let mut kernel = Netlink::open(NETLINK_SOCK_DIAG).map_err(|e| Fail::io(Exit::Unknown, what, &e))?;
    let mut found = Vec::new();
    for (family, socket_id) in [(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())] {
        let question = SockDiagMessage::InetRequest(InetRequest {
            family,
            protocol: IPPROTO_TCP,
            extensions: ExtensionFlags::empty(),
            states: StateFlags::LISTEN,
            socket_id,
        });
        for message in kernel.dump(&question).map_err(|e| e.fail(Exit::Unknown, what))? {
            if let SockDiagMessage::InetResponse(socket) = message {
                found.push(Listening::of(&socket));
            }
        }
    }
    Ok(found)
}

/// Whether an interface of this node has an IPv6 address: where none has, the kernel may know no IPv6 at all.
pub fn has_v6(host: &Host) -> bool {
    crate::sys::file::read(&host.path("/proc/net/if_inet6"))
        .is_ok_and(|text| text.is_some_and(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};
    use std::path::Path;

    fn made(listener: &TcpListener) -> Listening {
        let inode = rustix::fs::fstat(listener).unwrap().st_ino;
        listening().unwrap().into_iter().find(|found| u64::from(found.inode) == inode).unwrap()
    }

    #[test]
    fn a_listening_socket_is_found_with_its_address_its_user_and_its_owner() {
        let loopback = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let found = made(&loopback);
        assert_eq!(found.port, loopback.local_addr().unwrap().port());
        assert_eq!(found.bind, Bind::One(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(found.uid, rustix::process::getuid().as_raw());
        let owners = owners(&Host::below(Path::new("/")), &[found.inode]).unwrap();
        // Beside us a program that another test starts this moment may have it.
        let is_ours = |owner: &&Owner| owner.pid == std::process::id();
        let owner = owners.get(&found.inode).unwrap().iter().find(is_ours).unwrap();
        assert!(owner.is_whole);
        let program = std::env::current_exe().unwrap().display().to_string();
        assert_eq!(owner.command, program);
        assert!(owner.clues.contains(&program), "{owner:?}");
    }

    #[test]
    fn the_three_wildcards_are_told_apart() {
        use socket2::{Domain, Socket, Type};
        assert_eq!(made(&TcpListener::bind("0.0.0.0:0").unwrap()).bind, Bind::AnyV4);
        for (is_v6_only, bind) in [(true, Bind::AnyV6), (false, Bind::Any)] {
            let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
            socket.set_only_v6(is_v6_only).unwrap();
            socket.bind(&"[::]:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
            socket.listen(1).unwrap();
            assert_eq!(made(&socket.into()).bind, bind, "V6ONLY {is_v6_only}");
        }
    }
}

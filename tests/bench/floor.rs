//! The floor of what looks at listening sockets: a program that has the kernel list them and drops the answer.

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_SOCK_DIAG};

/// The word that makes this program be the floor and nothing else.
const WORD: &str = "dump-listeners";

/// The command line of the floor.
pub fn command() -> String {
    format!("{} {WORD}", std::env::current_exe().unwrap().display())
}

/// Whether this run is to be the floor.
pub fn is_asked() -> bool {
    std::env::args().nth(1).is_some_and(|word| word == WORD)
}

/// Has the kernel list every TCP socket that listens, of IPv4 and then of IPv6.
pub fn dump() {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG).unwrap();
    socket.bind_auto().unwrap();
    socket.connect(&SocketAddr::new(0, 0)).unwrap();
    for family in [2, 10] {
        socket.send(&question(family), 0).unwrap();
        while !ends(&socket.recv_from_full().unwrap().0) {}
    }
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2` (`sock_diag(7)`): a dump of the TCP sockets in the state LISTEN.
fn question(family: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(72_u32.to_ne_bytes());
    bytes.extend(20_u16.to_ne_bytes()); // SOCK_DIAG_BY_FAMILY
    bytes.extend(0x301_u16.to_ne_bytes()); // NLM_F_REQUEST, NLM_F_DUMP
    bytes.extend([0; 8]);
    bytes.extend([family, 6, 0, 0]);
    bytes.extend((1_u32 << 10).to_ne_bytes());
    bytes.resize(72, 0);
    bytes
}

/// Whether a dump is over: its last datagram holds the end alone.
fn ends(answer: &[u8]) -> bool {
    let kind = u16::from_ne_bytes([answer[4], answer[5]]);
    assert_ne!(kind, 2, "the kernel refuses the dump");
    kind == 3
}

//! What `ims-portcheck` takes for the kernel's answer is the kernel's answer, for every pair of sockets there is.

use std::net::{IpAddr, SocketAddr};

use ims_portcheck::kernel::{Answer, Socket, answer};
use rustix::thread::set_thread_res_uid;
use socket2::{Domain, Type};

use crate::support::*;

/// Two of each kind; `127.0.0.6` is what the kernel keeps as the IPv4 address of a socket of one IPv6 address.
const ADDRESSES: [&str; 10] = [
    "0.0.0.0",
    "192.0.2.11",
    "127.0.0.1",
    "127.0.0.6",
    "::",
    "2001:db8::11",
    "::1",
    "::ffff:192.0.2.11",
    "::ffff:127.0.0.1",
    "::ffff:0.0.0.0",
];

const STRANGER: u32 = 4711;

/// Every socket that can be made at all, each with and without `SO_REUSEADDR`.
fn sockets() -> Vec<(Socket, bool)> {
    let mut sockets = Vec::new();
    for ip in ADDRESSES.map(|ip| ip.parse::<IpAddr>().unwrap()) {
        for bits in 0..16u8 {
            let has = |bit: u8| bits & bit != 0;
            let uid = if has(4) { STRANGER } else { 0 };
            let socket = Socket { ip, v6_only: has(1), reuse_port: has(2), uid };
            // A socket of IPv4 has no V6ONLY, and with it no IPv4 address can be bound.
            if !(socket.v6_only && ip.to_canonical().is_ipv4()) {
                sockets.push((socket, has(8)));
            }
        }
    }
    sockets
}

/// Listens as one would have it; whoever made the socket is its owner.
fn listen((socket, reuse_address): (Socket, bool), port: u16) -> std::io::Result<socket2::Socket> {
    let become_user = |uid: u32| set_thread_res_uid(None, Some(rustix::process::Uid::from_raw(uid)), None);
    let domain = if socket.ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    become_user(socket.uid)?;
    let made = socket2::Socket::new(domain, Type::STREAM, None);
    become_user(0)?;
    let made = made?;
    if socket.ip.is_ipv6() {
        made.set_only_v6(socket.v6_only)?;
    }
    made.set_reuse_address(reuse_address)?;
    made.set_reuse_port(socket.reuse_port)?;
    made.bind(&SocketAddr::new(socket.ip, port).into())?;
    made.listen(1)?;
    Ok(made)
}

#[test]
fn the_kernel_refuses_the_very_pairs_that_are_said_to_be_refused() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let (asked, wrong) = node.inside(|| {
        let (mut asked, mut wrong) = (0, Vec::new());
        for first in sockets() {
            for second in sockets() {
                let port = 1024 + asked % 30_000;
                let standing = listen(first, port).unwrap();
                let told = match listen(second, port) {
                    Ok(_) => false,
                    Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => true,
                    Err(e) => panic!("{second:?} after {first:?}: {e}"),
                };
                if told != (answer(&second.0, &first.0) == Answer::Refuses) {
                    wrong.push(format!("{second:?} after {first:?}: the kernel refuses: {told}"));
                }
                asked += 1;
                drop(standing);
            }
        }
        (asked, wrong)
    });
    assert!(wrong.is_empty(), "{} of {asked}: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    println!("{asked} pairs bound");
}

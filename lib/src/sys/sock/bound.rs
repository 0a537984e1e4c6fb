//! Unix sockets that are bound to a file: as long as one is, its file system cannot be unmounted.

use netlink_packet_core::Nla as _;
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::unix::nlas::Nla;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use crate::sys::block::Number;
use crate::sys::net::netlink::Netlink;
use crate::{Exit, Fail};

/// The inodes of the sockets of this network namespace that are bound on a file system, by which their owners are found.
pub fn bound_on(device: Number) -> Result<Vec<u32>, Fail> {
    let what = "cannot list the Unix sockets";
    let mut kernel = Netlink::open(NETLINK_SOCK_DIAG).map_err(|e| Fail::io(Exit::Unknown, what, &e))?;
    let question = SockDiagMessage::UnixRequest(UnixRequest {
        state_flags: StateFlags::from_bits_retain(!0), // a datagram socket is neither established nor listening
        inode: 0,
        show_flags: ShowFlags::VFS,
        cookie: [0xFF; 8],
    });
    let mut inodes = Vec::new();
    for message in kernel.dump(&question).map_err(|e| e.fail(Exit::Unknown, what))? {
        if let SockDiagMessage::UnixResponse(socket) = message
            && socket.nlas.iter().filter_map(file_system).any(|found| found == device)
        {
            inodes.push(socket.header.inode);
        }
    }
    Ok(inodes)
}

/// The device of `UNIX_DIAG_VFS` (`struct unix_diag_vfs`): the inode, then the kernel's own number of the device, whose
/// minor half has 20 bits.
fn file_system(attribute: &Nla) -> Option<Number> {
    let Nla::Vfs(vfs) = attribute else { return None };
    let mut bytes = [0u8; 8];
    if Nla::Vfs(vfs.clone()).value_len() != bytes.len() {
        return None;
    }
    Nla::Vfs(vfs.clone()).emit_value(&mut bytes);
    let [_, _, _, _, device @ ..] = bytes;
    let device = u32::from_ne_bytes(device);
    Some(Number { major: device >> 20, minor: device & 0xF_FFFF })
}

//! Frames on a link by packet(7).

use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{LinkAddr, MsgFlags};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType};

use super::Link;
use crate::sys::exec::wait_readable;

/// One link's frames of one protocol.
///
/// The socket is not bound to the link: the kernel would wait until no processor uses the binding that it had before
/// (`synchronize_net` in `net/packet/af_packet.c`), some 15 ms in which an address is nowhere.
pub(super) struct Wire {
    /// There until it is dropped.
    fd: Option<OwnedFd>,
    link: LinkAddr,
}

impl Wire {
    /// Hears the frames of an Ethernet type, or none; sends any. Needs root (`CAP_NET_RAW`).
    pub fn open(link: &Link, ether_type: Option<u16>) -> io::Result<Self> {
        let protocol = ether_type.and_then(|kind| u32::from(kind.to_be()).try_into().ok());
        let fd = rustix::net::socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            protocol.map(Protocol::from_raw),
        )?;
        Ok(Self { fd: Some(fd), link: address_of(link)? })
    }

    fn fd(&self) -> io::Result<&OwnedFd> {
        self.fd.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Puts a whole frame on the link.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        nix::sys::socket::sendto(self.fd()?.as_raw_fd(), frame, &self.link, MsgFlags::empty())?;
        Ok(())
    }

    /// The next frame that `wanted` makes something of, `None` when the time is up.
    pub fn find<T>(&self, end: Instant, wanted: impl Fn(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        let (fd, mut buffer) = (self.fd()?, [0u8; 2048]);
        loop {
            match nix::sys::socket::recvfrom::<LinkAddr>(fd.as_raw_fd(), &mut buffer) {
                Ok((length, from)) => {
                    let is_here = from.is_none_or(|from| from.ifindex() == self.link.ifindex());
                    if is_here && let Some(found) = buffer.get(..length).and_then(&wanted) {
                        return Ok(Some(found));
                    }
                    keeping_up(end)?;
                }
                Err(nix::errno::Errno::EAGAIN) => {
                    if !readable(fd, end)? {
                        return Ok(None);
                    }
                }
                Err(nix::errno::Errno::EINTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

impl Drop for Wire {
    /// Closes the socket beside what follows, for the kernel waits there in the same way.
    fn drop(&mut self) {
        let fd = self.fd.take();
        // Where there is no room for a thread it is closed here.
        let _ = std::thread::Builder::new().spawn(move || drop(fd));
    }
}

/// Fails when so much comes that what was asked for may be lost in it: silence was not heard then.
pub(super) fn keeping_up(end: Instant) -> io::Result<()> {
    if Instant::now() > end + Duration::from_secs(1) {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "too much is said on the link to hear an answer",
        ));
    }
    Ok(())
}

/// Waits until something can be read, `false` when the time is up.
pub(super) fn readable(fd: &OwnedFd, end: Instant) -> io::Result<bool> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match wait_readable(fd, left) {
            Ok(false) if left > Duration::ZERO && Instant::now() < end => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Receives what has come already, `None` when nothing has.
pub(super) fn receive<'a>(fd: &OwnedFd, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    match rustix::net::recv(fd, &mut *buffer, RecvFlags::DONTWAIT) {
        Ok((length, _)) => Ok(buffer.get(..length)),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The link's packet(7) address, as getifaddrs(3) gives it: the one way to have it without unsafe code.
fn address_of(link: &Link) -> io::Result<LinkAddr> {
    nix::ifaddrs::getifaddrs()?
        .filter(|interface| interface.interface_name == link.name)
        .find_map(|interface| interface.address.and_then(|address| address.as_link_addr().copied()))
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

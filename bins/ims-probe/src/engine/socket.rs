//! A TCP connection that never blocks.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::task::Poll;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};

use super::Hub;
use crate::trouble::Trouble;
use crate::wire::{SIP, Stream};

/// What tells that a read has an answer: bytes, the end or an error.
const READABLE: EventFlags =
    EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::HUP).union(EventFlags::ERR);
/// After these there is an end to be read behind what is read first.
const ENDING: EventFlags = EventFlags::RDHUP.union(EventFlags::HUP).union(EventFlags::ERR);

/// A connection of a task.
pub struct Socket<'h> {
    hub: &'h Hub,
    fd: OwnedFd,
    source: usize,
    local: SocketAddr,
    /// The peer took the connection and broke it off before it was read from.
    broken: Option<Errno>,
}

impl<'h> Socket<'h> {
    /// Connects to an address, from one of our own when it is given.
    pub async fn connect(hub: &'h Hub, to: SocketAddr, from: Option<IpAddr>) -> Result<Self, Trouble> {
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        if let Some(from) = from {
            rustix::net::bind(&fd, &SocketAddr::new(from, 0)).map_err(|errno| {
                Trouble::Unknown(format!("cannot probe from {from}: {}", io::Error::from(errno)))
            })?;
        }
        match rustix::net::connect(&fd, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        let source = hub.enrol(&fd)?;
        let mut socket = Self { hub, fd, source, local: to, broken: None };
        poll_fn(|_| socket.connected()).await?;
        socket.local = rustix::net::getsockname(&socket.fd)?.try_into()?;
        // Two ends of one socket: Linux lets a connection to a free local port meet itself.
        if socket.local == to { Err(Trouble::Itself) } else { Ok(socket) }
    }

    /// The end that is ours.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends each piece as it comes: the end of a handshake and the request behind it would wait for one another, on
    /// a server that acknowledges late, for 40 ms.
    pub fn send_at_once(&self) -> Result<(), Errno> {
        sockopt::set_tcp_nodelay(&self.fd, true)
    }

    /// Only what went wrong needs a question.
    fn connected(&mut self) -> Poll<Result<(), Errno>> {
        let ready = self.hub.ready(self.source);
        if ready.intersects(EventFlags::ERR | EventFlags::HUP) {
            match sockopt::socket_error(&self.fd)? {
                Ok(()) => {}
                Err(errno @ (Errno::CONNRESET | Errno::PIPE)) => self.broken = Some(errno),
                Err(errno) => return Poll::Ready(Err(errno)),
            }
        }
        if ready.contains(EventFlags::OUT) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Notes that something is not possible now.
    fn would_block(&self, flags: EventFlags) -> io::Error {
        self.hub.exhausted(self.source, flags);
        ErrorKind::WouldBlock.into()
    }
}

impl Stream for Socket<'_> {
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        let ready = self.hub.ready(self.source);
        if !ready.intersects(READABLE) {
            return Err(ErrorKind::WouldBlock.into());
        }
        into.reserve(SIP);
        let room = into.capacity() - into.len();
        match rustix::io::read(&self.fd, spare_capacity(into)) {
            Err(Errno::AGAIN) => Err(self.would_block(READABLE)),
            Err(errno) => Err(errno.into()),
            Ok(0) => self.broken.map_or(Ok(0), |errno| Err(errno.into())),
            Ok(some) => {
                if some < room && !ready.intersects(ENDING) {
                    self.hub.exhausted(self.source, READABLE);
                }
                Ok(some)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.hub.ready(self.source).contains(EventFlags::OUT) {
            return Err(ErrorKind::WouldBlock.into());
        }
        match rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::AGAIN) => Err(self.would_block(EventFlags::OUT)),
            sent => Ok(sent?),
        }
    }
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        self.hub.forget(self.source);
    }
}

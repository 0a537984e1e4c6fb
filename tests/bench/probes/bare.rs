//! The floor of what probes servers: a loop that holds a dialogue with every address, looks for one word in each
//! answer and at nothing else. What it costs is the kernel's work for the same connections and segments, and over
//! TLS the library's for the same handshakes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ClientConnection;

use super::identity;
use super::talk::{Move, Talk};

/// The word that makes this program be the loop.
pub const WORD: &str = "bare";

/// How many connections are begun between two looks.
const BURST: usize = 64;

/// A connection, and the moves that are left.
struct Open {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    left: &'static [Move],
}

/// Holds a dialogue with so many addresses from the first on, so many at once; over TLS when there is a folder with
/// the certificate to be trusted.
pub fn hold(talk: Talk, first: Ipv4Addr, port: u16, count: u32, at_once: u32, trusted: Option<&Path>) {
    raise_limit();
    let config = trusted.map(|folder| Arc::new(identity::client(folder)));
    let queue = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let mut flags = EventFlags::IN | EventFlags::ET;
    if matches!(talk.moves[0], Move::Say(_)) || config.is_some() {
        flags |= EventFlags::OUT;
    }
    let mut open: Vec<Option<Open>> = Vec::new(); // by the number in the queue
    let mut events = Vec::with_capacity(512);
    let (mut begun, mut ended) = (0, 0);
    while ended < count {
        for _ in 0..BURST {
            if begun == count || begun - ended == at_once {
                break;
            }
            let fd = connect(SocketAddr::from((Ipv4Addr::from_bits(first.to_bits() + begun), port)));
            epoll::add(&queue, &fd, EventData::new_u64(open.len() as u64), flags).unwrap();
            let tls = config.as_ref().map(|config| {
                let name = identity::NAME.try_into().unwrap();
                Box::new(ClientConnection::new(Arc::clone(config), name).unwrap())
            });
            open.push(Some(Open { stream: fd.into(), tls, left: talk.moves }));
            begun += 1;
        }
        look(&queue, &mut events, begun == count || begun - ended == at_once);
        for &Event { data, flags } in &events {
            let place = &mut open[usize::try_from(data.u64()).unwrap()];
            let Some(one) = place.as_mut() else { continue };
            one.go_on(flags.contains(EventFlags::IN));
            if one.left.is_empty() {
                *place = None;
                ended += 1;
            }
        }
    }
}

impl Open {
    /// Makes the moves that can be made; one read is one answer, or a part of it.
    fn go_on(&mut self, mut can_read: bool) {
        let mut bytes = [0; 2048];
        if self.tls.is_some() && !self.get_on(&mut can_read) {
            return;
        }
        while let [next, rest @ ..] = self.left {
            match next {
                Move::Say(words) => self.say(words),
                Move::Hear(_) if !can_read => return,
                Move::Hear(word) => {
                    can_read = false;
                    let count = self.hear(&mut bytes);
                    assert!(count > 0, "closed before {:?}", word.escape_ascii().to_string());
                    if !bytes[..count].windows(word.len()).any(|there| there == *word) {
                        return;
                    }
                }
            }
            self.left = rest;
        }
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            tls.write_tls(&mut self.stream).unwrap();
        }
    }

    /// Gets on with TLS; says whether the handshake is over. `can_read` then tells whether there is plain text.
    fn get_on(&mut self, can_read: &mut bool) -> bool {
        let Some(tls) = &mut self.tls else { return true };
        if std::mem::take(can_read) {
            while tls.read_tls(&mut self.stream).is_ok_and(|count| count > 0) {
                *can_read |= tls.process_new_packets().unwrap().plaintext_bytes_to_read() > 0;
            }
        }
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        !tls.is_handshaking()
    }

    fn say(&mut self, words: &[u8]) {
        match &mut self.tls {
            None => {
                let sent = rustix::net::send(&self.stream, words, SendFlags::NOSIGNAL).unwrap();
                assert_eq!(sent, words.len());
            }
            Some(tls) => {
                tls.writer().write_all(words).unwrap();
                tls.write_tls(&mut self.stream).unwrap();
            }
        }
    }

    fn hear(&mut self, bytes: &mut [u8]) -> usize {
        match &mut self.tls {
            None => self.stream.read(bytes).unwrap(),
            Some(tls) => tls.reader().read(bytes).unwrap(),
        }
    }
}

fn connect(to: SocketAddr) -> OwnedFd {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    match rustix::net::connect(&fd, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => fd,
        Err(errno) => panic!("{to}: {errno}"),
    }
}

/// Waits for events, or only looks whether there are any.
pub fn look(queue: &OwnedFd, events: &mut Vec<Event>, wait: bool) {
    events.clear();
    let at_once = rustix::event::Timespec::default();
    epoll::wait(queue, spare_capacity(events), (!wait).then_some(&at_once)).unwrap();
}

/// Raises the limit of open files as far as it may be.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

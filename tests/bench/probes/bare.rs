//! The floor of what probes servers: a loop that holds a dialogue with every address, looks for one word in each
//! answer and at nothing else. What it costs is the kernel's work for the same connections and segments.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::talk::{Move, Talk};

/// The word that makes this program be the loop.
pub const WORD: &str = "bare";

/// How many connections are begun between two looks.
const BURST: usize = 64;

/// A connection, and the moves that are left.
struct Open {
    fd: OwnedFd,
    left: &'static [Move],
}

/// Holds a dialogue with so many addresses from the first on, so many at once.
pub fn hold(talk: Talk, first: Ipv4Addr, port: u16, count: u32, at_once: u32) {
    raise_limit();
    let queue = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let mut flags = EventFlags::IN | EventFlags::ET;
    if matches!(talk.moves[0], Move::Say(_)) {
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
            open.push(Some(Open { fd, left: talk.moves }));
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
        while let [next, rest @ ..] = self.left {
            match next {
                Move::Say(words) => {
                    let sent = rustix::net::send(&self.fd, words, SendFlags::NOSIGNAL).unwrap();
                    assert_eq!(sent, words.len());
                }
                Move::Hear(_) if !can_read => return,
                Move::Hear(word) => {
                    can_read = false;
                    let count = rustix::io::read(&self.fd, &mut bytes).unwrap();
                    assert!(count > 0, "closed before {:?}", word.escape_ascii().to_string());
                    if !bytes[..count].windows(word.len()).any(|there| there == *word) {
                        return;
                    }
                }
            }
            self.left = rest;
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

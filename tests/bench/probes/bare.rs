//! The floor of what probes servers: a loop that connects, reads once and closes, and looks at nothing; and the
//! least of a server that greets, so that the prober is what is measured.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What such a server says.
const GREETING: &[u8] = b"220 mail-1.example.test ESMTP\r\n";
/// How many connections are begun between two looks.
const BURST: usize = 64;

/// Connects to so many addresses from the first on, all at once, and reads from each once.
pub fn probe(first: Ipv4Addr, port: u16, count: u32) {
    raise_limit();
    let queue = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let mut targets = (0..count).map(|number| Ipv4Addr::from_bits(first.to_bits() + number));
    let mut open: Vec<Option<OwnedFd>> = Vec::new(); // by the number in the queue
    let mut events = Vec::with_capacity(512);
    let mut bytes = [0; 512];
    let (mut begun, mut ended) = (0, 0);
    while ended < count {
        for ip in targets.by_ref().take(BURST) {
            let fd = rustix::net::socket_with(
                AddressFamily::INET,
                SocketType::STREAM,
                SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
                None,
            );
            let fd = fd.unwrap();
            match rustix::net::connect(&fd, &SocketAddr::from((ip, port))) {
                Ok(()) | Err(Errno::INPROGRESS) => {}
                Err(errno) => panic!("{ip}: {errno}"),
            }
            epoll::add(&queue, &fd, EventData::new_u64(open.len() as u64), EventFlags::IN | EventFlags::ET)
                .unwrap();
            open.push(Some(fd));
            begun += 1;
        }
        look(&queue, &mut events, begun == count);
        for &Event { data, .. } in &events {
            let place = &mut open[usize::try_from(data.u64()).unwrap()];
            if let Some(fd) = place.as_ref() {
                assert!(rustix::io::read(fd, &mut bytes).unwrap() > 0, "no greeting");
                *place = None;
                ended += 1;
            }
        }
    }
}

/// Serves until it is ended: greets every client, or says nothing, and closes when the client does.
pub fn serve(port: u16, is_silent: bool) {
    raise_limit();
    let queue = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    rustix::net::sockopt::set_socket_reuseaddr(&listener, true).unwrap();
    rustix::net::bind(&listener, &SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).unwrap();
    rustix::net::listen(&listener, 4096).unwrap();
    epoll::add(&queue, &listener, EventData::new_u64(0), EventFlags::IN).unwrap();
    let mut clients = HashMap::new();
    let mut events = Vec::with_capacity(512);
    let mut bytes = [0; 512];
    let mut served = 0;
    loop {
        look(&queue, &mut events, true);
        for &Event { data, .. } in &events {
            if let Some(client) = clients.get(&data.u64()) {
                if rustix::io::read(client, &mut bytes).unwrap_or(0) == 0 {
                    clients.remove(&data.u64());
                }
                continue;
            }
            while let Ok(client) = rustix::net::accept_with(&listener, flags) {
                if !is_silent {
                    // A client that has gone already is told nothing.
                    let _ = rustix::net::send(&client, GREETING, SendFlags::NOSIGNAL);
                }
                served += 1;
                epoll::add(&queue, &client, EventData::new_u64(served), EventFlags::IN).unwrap();
                clients.insert(served, client);
            }
        }
    }
}

fn look(queue: &OwnedFd, events: &mut Vec<Event>, wait: bool) {
    events.clear();
    let at_once = rustix::event::Timespec::default();
    epoll::wait(queue, spare_capacity(events), (!wait).then_some(&at_once)).unwrap();
}

fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

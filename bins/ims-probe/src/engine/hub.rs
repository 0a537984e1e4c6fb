//! Where tasks leave word what they wait for, and where the loop looks whether it is there: one epoll(7).

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use slab::Slab;

use super::aside::Aside;

/// How many events are taken at once; what is left comes with the next look.
const EVENTS: usize = 512;

/// What tasks and the loop share.
pub struct Hub {
    epoll: OwnedFd,
    events: RefCell<Vec<Event>>,
    sources: RefCell<Slab<Source>>,
    now: Cell<Instant>,
    /// The task that is polled at present, and the earliest time that it waits for.
    task: Cell<usize>,
    pub(super) alarm: Cell<Option<Instant>>,
    pub(super) aside: Aside,
}

/// A socket: whose it is, and what is known to be possible with it.
#[derive(Debug)]
struct Source {
    task: usize,
    ready: EventFlags,
}

/// What the loop itself listens to, beside the sockets of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bell {
    /// A signal that asks for the end.
    Signal,
    /// Whether stdout is taken.
    Stdout,
    /// Work on a thread that is done.
    Aside,
}

/// What a look has found.
#[derive(Debug, Default)]
pub struct Found {
    /// Whether a signal has come.
    pub signal: bool,
    /// Whether stdout has lost its reader.
    pub reader_gone: bool,
    /// Whether it was all there is, and not the first of very many events.
    pub is_all: bool,
}

impl Bell {
    const ALL: [Self; 3] = [Self::Signal, Self::Stdout, Self::Aside];

    /// Numbers that no socket of a task has.
    const fn data(self) -> u64 {
        match self {
            Self::Signal => u64::MAX,
            Self::Stdout => u64::MAX - 1,
            Self::Aside => u64::MAX - 2,
        }
    }
}

impl Hub {
    /// Makes one that listens to nothing yet.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let aside = Aside::new()?;
        let hub = Self {
            epoll,
            events: RefCell::new(Vec::with_capacity(EVENTS)),
            sources: RefCell::default(),
            now: Cell::new(Instant::now()),
            task: Cell::new(0),
            alarm: Cell::new(None),
            aside,
        };
        hub.listen(hub.aside.bell(), Bell::Aside, EventFlags::IN)?;
        Ok(hub)
    }

    /// Listens to something of the loop's own.
    pub fn listen(&self, to: impl AsFd, bell: Bell, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, to, EventData::new_u64(bell.data()), flags)?)
    }

    /// Listens for something else from now on. Errors and hang-ups are always told.
    pub fn listen_for(&self, to: impl AsFd, bell: Bell, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, to, EventData::new_u64(bell.data()), flags)?)
    }

    /// The time of the last look.
    pub const fn now(&self) -> Instant {
        self.now.get()
    }

    /// Waits until something happens or the time is there, and adds the tasks that can go on to `woken`.
    ///
    /// All that happened is noted before any task is polled: so an event is never taken for one of a socket that
    /// was opened since.
    pub fn look(&self, until: Option<Instant>, woken: &mut Vec<usize>) -> io::Result<Found> {
        let wait = until.map(|until| wait(until.saturating_duration_since(Instant::now())));
        let mut events = self.events.borrow_mut();
        events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut events), wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.now.set(Instant::now());
        let mut found = Found { is_all: events.len() < EVENTS, ..Found::default() };
        let mut sources = self.sources.borrow_mut();
        for &Event { flags, data } in events.iter() {
            match Bell::ALL.into_iter().find(|bell| bell.data() == data.u64()) {
                Some(Bell::Signal) => found.signal = true,
                Some(Bell::Stdout) => {
                    found.reader_gone |= flags.intersects(EventFlags::ERR | EventFlags::HUP);
                }
                Some(Bell::Aside) => self.aside.done(woken),
                None => {
                    let source = usize::try_from(data.u64()).ok().and_then(|index| sources.get_mut(index));
                    if let Some(source) = source {
                        source.ready |= flags;
                        woken.push(source.task);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Begins to poll a task.
    pub(super) fn enter(&self, task: usize) {
        self.task.set(task);
        self.alarm.set(None);
    }

    /// The task that is polled at present.
    pub(super) const fn task(&self) -> usize {
        self.task.get()
    }

    /// Takes a socket of the present task on. It is edge-triggered and stays as it is until it is closed.
    pub(super) fn enrol(&self, socket: &OwnedFd) -> io::Result<usize> {
        let mut sources = self.sources.borrow_mut();
        let entry = sources.vacant_entry();
        let index = entry.key();
        let data = EventData::new_u64(u64::try_from(index).map_err(io::Error::other)?);
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, socket, data, flags)?;
        entry.insert(Source { task: self.task(), ready: EventFlags::empty() });
        Ok(index)
    }

    /// Forgets a socket that is about to be closed.
    pub(super) fn forget(&self, source: usize) {
        self.sources.borrow_mut().try_remove(source);
    }

    /// What is possible with a socket.
    pub(super) fn ready(&self, source: usize) -> EventFlags {
        self.sources.borrow().get(source).map_or(EventFlags::empty(), |source| source.ready)
    }

    /// Notes what has turned out not to be possible any more; the kernel tells when it is again.
    pub(super) fn exhausted(&self, source: usize, flags: EventFlags) {
        if let Some(source) = self.sources.borrow_mut().get_mut(source) {
            source.ready -= flags;
        }
    }
}

/// The next whole millisecond: a wait that ends early would be waited again.
fn wait(time: Duration) -> Timespec {
    let ms = i64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
    Timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 }
}

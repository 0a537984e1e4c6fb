//! What a user's program sees of an outage: the greeting of the SMTP server, asked for every few milliseconds, each
//! time by a connection of its own, so that one lost packet does not hide that the service is back.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Socket, Type};

/// How long one connection is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// One connection and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    /// When it was begun.
    pub started: Instant,
    /// When the greeting, the refusal or the end of patience came.
    pub ended: Instant,
    /// Whether it was a greeting.
    pub greeted: bool,
}

/// The longest time without a greeting.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    /// The last greeting before it.
    pub from: Instant,
    /// The first greeting after it.
    pub to: Instant,
    /// How many connections were begun in it.
    pub tries: usize,
}

impl Outage {
    /// When it began, by the clock that records are dated with.
    pub fn began(&self) -> jiff::Timestamp {
        jiff::Timestamp::now() - self.from.elapsed()
    }

    /// How long it was.
    pub fn length(&self) -> Duration {
        self.to - self.from
    }
}

/// A reader under way. Started on a thread inside a network namespace, it stays there.
pub struct Banner {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    tries: Mutex<Vec<Try>>,
    stop: AtomicBool,
}

impl Banner {
    /// Starts asking for the greeting every so often.
    pub fn start(at: SocketAddr, every: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.run(at, every).unwrap())
        };
        Self { shared, thread }
    }

    /// Whether a greeting came to a connection begun after this moment.
    pub fn has_greeted_since(&self, moment: Instant) -> bool {
        let tries = self.shared.tries.lock().unwrap();
        tries.iter().rev().any(|one| one.greeted && one.started > moment)
    }

    /// The longest time without a greeting since this moment, until now.
    pub fn outage_since(&self, moment: Instant) -> Option<Outage> {
        longest(&self.shared.tries.lock().unwrap(), moment)
    }

    /// Ends it.
    pub fn stop(self) -> Vec<Try> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        std::mem::take(&mut *self.shared.tries.lock().unwrap())
    }
}

/// The longest time between two greetings that ends after a moment.
pub fn longest(tries: &[Try], moment: Instant) -> Option<Outage> {
    let mut greeted: Vec<Instant> = tries.iter().filter(|one| one.greeted).map(|one| one.ended).collect();
    greeted.sort();
    let gaps = greeted.iter().zip(greeted.iter().skip(1)).filter(|(_, to)| **to > moment);
    let (&from, &to) = gaps.max_by_key(|(from, to)| **to - **from)?;
    let tries = tries.iter().filter(|one| one.started > from && one.started < to).count();
    Some(Outage { from, to, tries })
}

/// A connection that has not come to its end.
struct Flight {
    socket: Socket,
    started: Instant,
}

impl Shared {
    fn run(&self, at: SocketAddr, every: Duration) -> io::Result<()> {
        let mut flights: Vec<Flight> = Vec::new();
        let mut next = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            if Instant::now() >= next {
                next = Instant::now().max(next + every);
                let started = Instant::now();
                match begin(at) {
                    Ok(socket) => flights.push(Flight { socket, started }),
                    Err(_) => self.note(started, false),
                }
            }
            let wait = Timespec::try_from(next.saturating_duration_since(Instant::now()))
                .map_err(|_| io::ErrorKind::InvalidInput)?;
            let mut fds: Vec<PollFd> =
                flights.iter().map(|flight| PollFd::new(&flight.socket, PollFlags::IN)).collect();
            poll(&mut fds, Some(&wait))?;
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            let mut ready = ready.into_iter();
            flights.retain_mut(|flight| {
                let landed = if ready.next() == Some(true) { land(&mut flight.socket) } else { None };
                let is_over = landed.is_some() || flight.started.elapsed() > PATIENCE;
                if is_over {
                    self.note(flight.started, landed == Some(true));
                }
                !is_over
            });
        }
        Ok(())
    }

    fn note(&self, started: Instant, greeted: bool) {
        self.tries.lock().unwrap().push(Try { started, ended: Instant::now(), greeted });
    }
}

fn begin(at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM.nonblocking().cloexec(), None)?;
    match socket.connect(&at.into()) {
        Err(e) if e.raw_os_error() != Some(nix::libc::EINPROGRESS) => Err(e),
        _ => Ok(socket),
    }
}

/// What a connection that can be read says: a greeting, none, or nothing yet.
fn land(socket: &mut Socket) -> Option<bool> {
    let mut words = [0u8; 64];
    match socket.read(&mut words) {
        Ok(length) => Some(words[..length].starts_with(b"220")),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => None,
        Err(_) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_the_longest_time_between_two_greetings() {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let one = |started, ended, greeted| Try { started: at(started), ended: at(ended), greeted };
        // The connection begun at 20 hung until long after later ones were refused and greeted.
        let tries = [
            one(0, 2, true),
            one(10, 12, true),
            one(20, 1020, false),
            one(30, 31, false),
            one(40, 95, true),
            one(50, 96, true),
            one(60, 300, true),
        ];
        let outage = longest(&tries, at(11)).unwrap();
        assert_eq!((outage.from, outage.to, outage.tries), (at(96), at(300), 0));
        let outage = longest(&tries[..6], at(0)).unwrap();
        assert_eq!((outage.length(), outage.tries), (Duration::from_millis(83), 4));
        assert!(longest(&tries, at(300)).is_none(), "nothing came after it");
    }
}

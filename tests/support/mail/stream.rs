//! A steady stream of messages, and the ledger of what the server said to each.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::smtp::{Fate, Session};
use super::users::User;

/// How long the client waits for a connection or an answer; a dead server is tried anew after it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it waits between two tries of the same message.
const PAUSE: Duration = Duration::from_millis(20);

/// One message, tried until it is acknowledged, as a mail server would.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its number, which is in its Message-ID.
    pub number: u32,
    /// Who it is for.
    pub to: User,
    /// When the 250 came.
    pub acknowledged: Option<Instant>,
    /// How often all of it was sent and no answer came.
    pub unclear: u32,
}

/// What one stream sent, in order.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The stream's number, which is in its Message-IDs: mailboxes may hold those of other streams.
    pub stream: u32,
    /// The messages.
    pub messages: Vec<Message>,
}

/// The streams that this process has started.
static STREAMS: AtomicU32 = AtomicU32::new(1);

/// A stream under way. Started on a thread inside a network namespace, it stays there.
pub struct Stream {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    ledger: Mutex<Ledger>,
    stop: AtomicBool,
}

impl Stream {
    /// Starts sending a message every so often, to each user in turn.
    pub fn start(at: SocketAddr, every: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        shared.ledger.lock().unwrap().stream = STREAMS.fetch_add(1, Ordering::Relaxed);
        let thread = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.run(at, every))
        };
        Self { shared, thread }
    }

    /// How many messages were acknowledged until now.
    pub fn acknowledged(&self) -> usize {
        let ledger = self.shared.ledger.lock().unwrap();
        ledger.messages.iter().filter(|message| message.acknowledged.is_some()).count()
    }

    /// What was sent until now. The message under way is the last one.
    pub fn so_far(&self) -> Ledger {
        self.shared.ledger.lock().unwrap().clone()
    }

    /// Ends the stream; the message under way may stay without an answer.
    pub fn stop(self) -> Ledger {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        std::mem::take(&mut *self.shared.ledger.lock().unwrap())
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn run(&self, at: SocketAddr, every: Duration) {
        let mut session = None;
        for (number, to) in (1..).zip(User::ALL.into_iter().cycle()) {
            let next = Instant::now() + every;
            self.ledger.lock().unwrap().messages.push(Message { number, to, acknowledged: None, unclear: 0 });
            while !self.is_over() && !self.try_once(&mut session, at, number, to) {
                session = None;
                thread::sleep(PAUSE); // as a client does before it tries again
            }
            if self.is_over() {
                return;
            }
            thread::sleep(next.saturating_duration_since(Instant::now())); // the rhythm of a steady stream
        }
    }

    /// Tries a message once; says whether it was acknowledged.
    fn try_once(&self, session: &mut Option<Session>, at: SocketAddr, number: u32, to: User) -> bool {
        if session.is_none() {
            *session = Session::open(at, PATIENCE).ok();
        }
        let Some(open) = session else { return false };
        let stream = self.ledger.lock().unwrap().stream;
        let fate = open.send(&User::ALL[0].address(), &to.address(), &text(&message_id(stream, number), to));
        let mut ledger = self.ledger.lock().unwrap();
        let Some(message) = ledger.messages.last_mut() else { return false };
        match fate {
            Fate::Acknowledged => message.acknowledged = Some(Instant::now()),
            Fate::NotTaken(_) => {}
            Fate::Unclear(_) => message.unclear += 1,
        }
        message.acknowledged.is_some()
    }
}

/// The Message-ID of a stream's message.
pub fn message_id(stream: u32, number: u32) -> String {
    format!("<{stream}.{number}@client.example.test>")
}

/// The stream and number in a Message-ID of ours.
pub fn numbers_of(message_id: &str) -> Option<(u32, u32)> {
    let numbers = message_id.trim().strip_prefix('<')?.strip_suffix("@client.example.test>")?;
    let (stream, number) = numbers.split_once('.')?;
    Some((stream.parse().ok()?, number.parse().ok()?))
}

/// A message's text, without the final dot.
pub fn text(message_id: &str, to: User) -> String {
    format!(
        "From: <{}>\r\nTo: <{}>\r\nMessage-ID: {message_id}\r\nSubject: hello\r\n\r\nThis is {message_id}.",
        User::ALL[0].address(),
        to.address(),
    )
}

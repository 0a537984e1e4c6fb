//! The users' side: a message read, and the traffic that goes on while the service moves.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::stage::{Stage, at};
use crate::support::mail::{
    Account, Banner, Fate, Ledger, Mailbox, Outage, Session, Stream, User, account_within,
};
use crate::support::{Node, until};

/// How long anything that should come at once is waited for.
const SOON: Duration = Duration::from_secs(60);

/// A message every so often.
const MESSAGES: Duration = Duration::from_millis(30);

/// A greeting asked for every so often.
const GREETINGS: Duration = Duration::from_millis(10);

/// The users' machine.
pub struct Users {
    client: Node,
    smtp: SocketAddr,
    imap: SocketAddr,
}

/// What the users' machine does all the time.
pub struct Traffic {
    users: Users,
    stream: Stream,
    banner: Banner,
}

impl Users {
    /// The users of the service on this stage.
    pub fn of(stage: &Stage) -> Self {
        Self { client: stage.client.clone(), smtp: at(25), imap: at(143) }
    }

    /// Sends a user a message over SMTP, logs in as that user over IMAP and gives the text back.
    pub fn send_and_read(&self, user: &'static str) -> String {
        let user = User(user);
        let id = "<first@client.example.test>";
        let message = format!("Message-ID: {id}\r\n\r\nHello, {}.", user.0);
        self.client.inside(|| {
            let mut session = Session::open(self.smtp, SOON).expect("no SMTP session");
            let fate = session.send(&User("alice").address(), &user.address(), &message);
            assert_eq!(fate, Fate::Acknowledged);
            let mut text = None;
            until(SOON, || {
                text = Mailbox::open(self.imap, user, SOON)
                    .and_then(|mut mailbox| mailbox.read(id))
                    .expect("no IMAP");
                text.is_some()
            });
            text.expect("the message did not arrive")
        })
    }

    /// Reads every mailbox, once the queue had time to be delivered.
    fn account(&self, ledger: &Ledger) -> Account {
        let account = self.client.inside(|| account_within(ledger, self.imap, SOON));
        account.expect("cannot read the mailboxes")
    }

    /// Begins to send messages and to ask for the greeting.
    pub fn begin(self) -> Traffic {
        let (stream, banner) =
            self.client.inside(|| (Stream::start(self.smtp, MESSAGES), Banner::start(self.smtp, GREETINGS)));
        Traffic { users: self, stream, banner }
    }
}

impl Traffic {
    /// Waits until so many more messages are acknowledged.
    pub fn until_acknowledged(&self, more: usize) -> bool {
        let wanted = self.stream.acknowledged() + more;
        until(SOON, || self.stream.acknowledged() >= wanted)
    }

    /// Waits until a greeting comes, and gives the longest time without one since a moment.
    pub fn outage_since(&self, moment: Instant) -> Option<Outage> {
        let now = Instant::now();
        if until(SOON, || self.banner.has_greeted_since(now)) {
            self.banner.outage_since(moment)
        } else {
            None
        }
    }

    /// Reads every mailbox, while it goes on.
    pub fn account(&self) -> Account {
        self.users.account(&self.stream.so_far())
    }

    /// Ends it, and reads every mailbox.
    pub fn end(self) -> Account {
        self.banner.stop();
        self.users.account(&self.stream.stop())
    }
}

//! The account after a move: every message that was acknowledged is in a mailbox, or it is lost.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::imap::Mailbox;
use super::stream::{Ledger, numbers_of};
use super::users::User;

/// What became of a stream's messages.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Account {
    /// How many were acknowledged.
    pub acknowledged: usize,
    /// Acknowledged and in no mailbox.
    pub lost: Vec<u32>,
    /// In a mailbox more often than the client sent all of it: the servers' own doing.
    pub doubled: Vec<u32>,
    /// In a mailbox more than once because no answer came and the client sent it again.
    pub sent_again: Vec<u32>,
    /// How many had no answer to all of it at least once.
    pub unclear: usize,
}

/// Reads every user's mailbox and compares it with the ledger.
pub fn account(ledger: &Ledger, imap: SocketAddr) -> io::Result<Account> {
    Ok(compare(ledger, &found(ledger.stream, imap)?))
}

/// Compares the ledger with how many copies of each message are in each mailbox.
fn compare(ledger: &Ledger, found: &HashMap<(User, u32), u32>) -> Account {
    let mut account = Account::default();
    for message in &ledger.messages {
        let copies = found.get(&(message.to, message.number)).copied().unwrap_or(0);
        let is_acknowledged = message.acknowledged.is_some();
        account.acknowledged += usize::from(is_acknowledged);
        account.unclear += usize::from(message.unclear > 0);
        match copies {
            0 if is_acknowledged => account.lost.push(message.number),
            0 | 1 => {}
            _ if copies > message.unclear + u32::from(is_acknowledged) => {
                account.doubled.push(message.number);
            }
            _ => account.sent_again.push(message.number),
        }
    }
    account
}

/// The same, once the queue had time to be delivered: tried again until nothing is missing or the time is up.
pub fn account_within(ledger: &Ledger, imap: SocketAddr, at_most: Duration) -> io::Result<Account> {
    let end = Instant::now() + at_most;
    loop {
        let account = account(ledger, imap);
        let is_complete = account.as_ref().is_ok_and(|account| account.lost.is_empty());
        if is_complete || Instant::now() > end {
            return account;
        }
        std::thread::sleep(Duration::from_millis(50)); // each look is a login to every mailbox
    }
}

/// How many copies of each message of a stream are in each mailbox.
fn found(stream: u32, imap: SocketAddr) -> io::Result<HashMap<(User, u32), u32>> {
    let mut found = HashMap::new();
    for user in User::ALL {
        for id in Mailbox::open(imap, user, Duration::from_secs(10))?.message_ids()? {
            if let Some((_, number)) = numbers_of(&id).filter(|(of, _)| *of == stream) {
                *found.entry((user, number)).or_insert(0) += 1;
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::support::mail::Message;

    #[test]
    fn only_what_was_acknowledged_can_be_lost_and_only_what_was_sent_once_can_be_doubled() {
        const LOST: &[&str] = &["lost"];
        for (acknowledged, unclear, copies, what) in [
            (true, 0, 1, &[][..]),
            (true, 0, 0, LOST),
            (true, 1, 0, LOST),
            (false, 0, 0, &[]),
            (false, 1, 1, &[]),
            (true, 0, 2, &["doubled"]),
            (true, 1, 2, &["sent again"]),
            (true, 1, 3, &["doubled"]),
        ] {
            let to = User::ALL[0];
            let message = Message { number: 7, to, acknowledged: acknowledged.then(Instant::now), unclear };
            let ledger = Ledger { stream: 1, messages: vec![message] };
            let account = compare(&ledger, &HashMap::from([((to, 7), copies)]));
            let found: Vec<&str> =
                [("lost", &account.lost), ("doubled", &account.doubled), ("sent again", &account.sent_again)]
                    .into_iter()
                    .filter(|(_, numbers)| **numbers == [7])
                    .map(|(word, _)| word)
                    .collect();
            assert_eq!(found, what, "acknowledged {acknowledged}, unclear {unclear}, copies {copies}");
        }
    }
}

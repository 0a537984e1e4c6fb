//! The message that goes the whole circle: whom it is for, how it is known again, and when it is a left-over.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use crate::endpoint::Endpoint;

/// The field by which the messages of all probers are known, and those of each.
pub const FIELD: &str = "X-IMS-Probe";

/// Where messages go and where they are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The recipient.
    pub to: String,
    /// The sender.
    pub from: String,
    /// The server with the recipient's mailbox; without it, the one beside what is probed.
    pub fetch: Option<Endpoint>,
}

/// What stands in [`FIELD`]: whose message it is, until when it is under way, and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The prober's node.
    pub host: String,
    /// When its probe is over, in seconds since 1970; whoever sees it later may delete it.
    pub until: i64,
    /// What no other message has.
    pub token: String,
}

impl Mark {
    /// A new one, for a probe that ends within this time.
    pub fn new(host: &str, left: Duration) -> Self {
        let host = host.chars().map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '-' });
        let now = Timestamp::now();
        let left = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
        // A random number, that two probers have no two messages of one name.
        let token = RandomState::new().hash_one(now.as_nanosecond());
        Self {
            host: host.collect(),
            until: now.as_second().saturating_add(left + 1),
            token: format!("{token:016x}"),
        }
    }

    /// Reads what stands in a header, if it is one of ours.
    pub fn read(header: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(header).ok()?;
        let (name, value) = text.trim().split_once(':')?;
        let mut words = value.split_whitespace();
        let mark = Self {
            host: words.next()?.to_owned(),
            until: words.next()?.parse().ok()?,
            token: words.next()?.to_owned(),
        };
        (name.eq_ignore_ascii_case(FIELD) && words.next().is_none()).then_some(mark)
    }

    /// Whether a message is one of the same prober whose probe ended before it was deleted.
    pub fn is_left_over(&self, by: &Self, now: i64) -> bool {
        self.host == by.host && self.until < now
    }

    /// The whole message, as it is sent.
    pub fn message(&self, route: &Route) -> String {
        let Self { host, until, token } = self;
        let Route { to, from, .. } = route;
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        // No date of our time is out of its range.
        let date = rfc2822::to_string(&now).unwrap_or_default();
        format!(
            "Date: {date}\r\nFrom: <{from}>\r\nTo: <{to}>\r\nMessage-ID: <{token}@{host}>\r\n\
             Subject: ims-probe {token}\r\nAuto-Submitted: auto-generated\r\n{FIELD}: {host} {until} {token}\r\n\r\n\
             A probe of the mail service by ims-probe on {host}. It is deleted when it has been seen.\r\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_again_by_its_prober_alone() {
        let mark = Mark::new("mail 1", Duration::from_secs(10));
        assert_eq!(mark.host, "mail-1");
        let route = Route { to: "a@b".to_owned(), from: "c@d".to_owned(), fetch: None };
        let message = mark.message(&route);
        let field = message.lines().find(|line| line.starts_with(FIELD)).unwrap();
        assert_eq!(Mark::read(field.to_ascii_lowercase().as_bytes()), Some(mark.clone()));
        assert_ne!(Mark::new("mail-1", Duration::ZERO).token, mark.token);
        for other in ["Subject: mail-1 1 x", "X-IMS-Probe: mail-1 x x", "X-IMS-Probe: mail-1 1 x y", ""] {
            assert_eq!(Mark::read(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn only_what_this_prober_left_is_left_over() {
        let mark = |host: &str, until| Mark { host: host.to_owned(), until, token: "x".to_owned() };
        let mine = mark("mail-1", 200);
        for (found, is_left_over) in
            [(mark("mail-1", 99), true), (mark("mail-1", 100), false), (mark("mail-2", 99), false)]
        {
            assert_eq!(found.is_left_over(&mine, 100), is_left_over, "{found:?}");
        }
    }
}

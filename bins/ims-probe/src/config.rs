//! Reading an instance's configuration within a probe's time. The volume may be elsewhere, which is an answer, or
//! hang, which must not hold up anything else: so it is read on a thread that can be left behind.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use ims::instance::Instance;
use ims::layout::Service;
use ims::span::{Span, millis};
use ims::{Fail, Host, State};

use crate::answer::{Answer, now};
use crate::cli::PartOf;
use crate::endpoint::Endpoint;
use crate::engine::{Hub, Job};
use crate::gather::expand;
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::words::printable;

/// A reading under way, or over.
pub type Reading = Job<Result<Vec<Endpoint>, Fail>>;

/// Begins to read, unless a reading of the last round hangs still; that one is waited for then.
pub fn read(
    hub: &Hub,
    host: &Host,
    instance: &Instance,
    part: Option<PartOf>,
    last: Option<Reading>,
) -> io::Result<Reading> {
    if let Some(hanging) = last.filter(|last| !last.is_done()) {
        return Ok(hanging);
    }
    let (host, instance) = (host.clone(), instance.clone());
    hub.aside(move || expand(&host, &instance, part))
}

/// Why the endpoints of an instance cannot be told now.
#[derive(Debug)]
pub struct Unread {
    words: String,
    way: Way,
}

/// The endpoints of an instance, if they can be told before the deadline, which is `timeout` away.
pub async fn endpoints(
    hub: &Hub,
    reading: io::Result<Reading>,
    deadline: Instant,
    timeout: Duration,
) -> Result<Vec<Endpoint>, Unread> {
    let way = Way::from(Stage::Config);
    let words = match &reading {
        Ok(reading) => match hub.before(deadline, pin!(hub.done(reading))).await {
            Some(Ok(endpoints)) => return Ok(endpoints.clone()),
            Some(Err(fail)) => fail.to_string(),
            None => format!("timed out after {}", Span(timeout)),
        },
        Err(error) => format!("cannot start a thread: {error}"),
    };
    Err(Unread { words: printable(words.as_bytes()), way })
}

impl Unread {
    /// The record that stands for all of the instance's endpoints: unknown, for the volume may be on another node.
    pub fn answer(self, instance: &Instance, level: Level, attempt: u64) -> Answer {
        let place = if instance.mail { instance.mail_dir() } else { instance.ldap_dir().unwrap_or_default() };
        let (took, steps) = self.way.end(Instant::now());
        Answer {
            endpoint: format!("file://{}", place.display()),
            instance: Some(instance.name.clone()),
            service: Service::Other,
            address: None,
            level,
            state: State::Unknown,
            stage: Some(Stage::Config),
            words: Some(self.words),
            findings: Vec::new(),
            tls: None,
            took_ms: millis(took),
            steps,
            attempt,
            time: now(),
            age_ms: 0,
            window: None,
            is_refused: false,
        }
    }
}

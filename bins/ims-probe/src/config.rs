//! Reading an instance's configuration within a probe's time. The volume may be elsewhere, which is an answer, or
//! hang, which must not hold up anything else: so it is read on a thread that can be left behind.

use std::time::Duration;

use ims::instance::Instance;
use ims::layout::Service;
use ims::span::{Span, millis};
use ims::{Fail, Host, State};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Answer, now};
use crate::cli::PartOf;
use crate::endpoint::Endpoint;
use crate::gather::expand;
use crate::level::Level;
use crate::stage::{Stage, Way};
use crate::words::printable;

/// Reads one instance again and again, at most once at a time.
#[derive(Debug, Default)]
pub struct Reader {
    under_way: Option<JoinHandle<Result<Vec<Endpoint>, Fail>>>,
}

/// Why the endpoints of an instance cannot be told now.
#[derive(Debug)]
pub struct Unread {
    words: String,
    way: Way,
}

impl Reader {
    /// The endpoints of an instance. A reading that hung in the last round is waited for, not begun anew.
    pub async fn read(
        &mut self,
        host: &Host,
        instance: &Instance,
        part: Option<PartOf>,
        timeout: Duration,
    ) -> Result<Vec<Endpoint>, Unread> {
        let way = Way::from(Stage::Config);
        let under_way = self.under_way.get_or_insert_with(|| {
            let (host, instance) = (host.clone(), instance.clone());
            tokio::task::spawn_blocking(move || expand(&host, &instance, part))
        });
        let words = match timeout_at(Instant::now() + timeout, &mut *under_way).await {
            Err(_) => return Err(Unread { words: format!("timed out after {}", Span(timeout)), way }),
            Ok(Ok(Ok(endpoints))) => {
                self.under_way = None;
                return Ok(endpoints);
            }
            Ok(Ok(Err(fail))) => fail.to_string(),
            Ok(Err(lost)) => lost.to_string(),
        };
        self.under_way = None;
        Err(Unread { words: printable(words.as_bytes()), way })
    }
}

impl Unread {
    /// The record that stands for all of the instance's endpoints: unknown, for the volume may be on another node.
    pub fn answer(self, instance: &Instance, level: Level, attempt: u64) -> Answer {
        let place = if instance.mail { instance.mail_dir() } else { instance.ldap_dir().unwrap_or_default() };
        let (took, steps) = self.way.end();
        Answer {
            endpoint: format!("file://{}", place.display()),
            instance: Some(instance.name.clone()),
            service: Service::Other,
            address: None,
            level,
            state: State::Unknown,
            stage: Some(Stage::Config),
            words: Some(self.words),
            took_ms: millis(took),
            steps,
            attempt,
            time: now(),
        }
    }
}

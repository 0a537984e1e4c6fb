//! The addresses of names, asked of the resolver once a round whoever wants to know.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::engine::{Hub, Job};
use crate::trouble::Trouble;

/// A question to the resolver, which may hang.
type Question = Job<Result<Vec<SocketAddr>, String>>;

/// What is known of names.
#[derive(Debug, Default)]
pub struct Names(RefCell<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    round: u64,
    question: Question,
}

impl Names {
    /// The addresses of a name in the resolver's order, as of this round or a later one, with the port.
    pub async fn addresses(
        &self,
        hub: &Hub,
        name: &str,
        port: u16,
        round: u64,
    ) -> Result<Vec<SocketAddr>, Trouble> {
        let question = self.question(hub, name, round)?;
        match hub.done(&question).await {
            Ok(addresses) => Ok(addresses.iter().map(|at| with_port(*at, port)).collect()),
            Err(reason) => Err(Trouble::Unknown(format!("cannot resolve {name}: {reason}"))),
        }
    }

    /// A question that hung in the last round is waited for, not asked anew.
    fn question(&self, hub: &Hub, name: &str, round: u64) -> Result<Question, Trouble> {
        let mut names = self.0.borrow_mut();
        let known = names.get(name).filter(|known| known.round >= round || !known.question.is_done());
        if let Some(known) = known {
            return Ok(known.question.clone());
        }
        let asked = name.to_owned();
        let question = hub
            .aside(move || match (asked.as_str(), 0).to_socket_addrs() {
                Ok(addresses) => Ok(addresses.collect()),
                Err(error) => Err(reason(&error)),
            })
            .map_err(|error| Trouble::Unknown(format!("cannot start a thread: {error}")))?;
        names.insert(name.to_owned(), Known { round, question: question.clone() });
        Ok(question)
    }
}

fn with_port(mut at: SocketAddr, port: u16) -> SocketAddr {
    at.set_port(port);
    at
}

/// The resolver's reason without the library's "failed to lookup address information: ".
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_lowercase()
}

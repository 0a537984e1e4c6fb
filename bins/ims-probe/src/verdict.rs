//! What a probe's end means. Only the server's own doing is *down*; what the prober, its network or the resolver
//! did is *unknown*, and so is everything that was seen by a prober that stood still meanwhile.

use std::io::{self, ErrorKind};
use std::time::Duration;

use ims::span::Span;
use ims::{Exit, Fail, State};

use crate::finding::Found;
use crate::pulse::slack;
use crate::stage::Stage;
use crate::trouble::Trouble;

/// How the clock looked at the end of a probe.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// How long the probe was allowed.
    pub timeout: Duration,
    /// How long it was under way.
    pub took: Duration,
    /// How long the prober stood still meanwhile.
    pub stood_still: Duration,
}

/// The state, and the words that tell why.
pub fn of(end: Result<Option<String>, Trouble>, at: Stage, clock: Clock) -> (State, Option<String>) {
    let slack = slack(clock.timeout);
    let late = clock.took > clock.timeout + slack;
    let stood_still = clock.stood_still > slack;
    match end {
        Ok(words) if !late => (State::Up, words),
        // A refusal is the same whenever it is read.
        Err(Trouble::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            (State::Down, told(&error))
        }
        Err(trouble) if !late && !stood_still => {
            let (state, words) = judge(trouble, at, clock.timeout);
            (state, Some(words))
        }
        Ok(_) | Err(_) => {
            let still = clock.stood_still.max(clock.took.saturating_sub(clock.timeout));
            let still = Span(Duration::from_millis(ims::span::millis(still)));
            (State::Unknown, Some(format!("ims-probe itself stood still for {still}")))
        }
    }
}

/// What is up is partial when there are findings; gives them as the stage of the first, and their words.
pub fn weigh(found: &[Found]) -> Option<(Stage, String)> {
    let words: Vec<&str> = found.iter().map(|found| found.words.as_str()).collect();
    found.first().map(|first| (first.stage, words.join("; ")))
}

fn judge(trouble: Trouble, stage: Stage, timeout: Duration) -> (State, String) {
    match trouble {
        Trouble::Io(error) => (state_of(&error, stage), told(&error).unwrap_or_default()),
        Trouble::Closed => (State::Down, "the server closed the connection".to_owned()),
        Trouble::SaidNo(words) | Trouble::Garbled(words) => (State::Down, words),
        Trouble::TooLong(what) => (State::Down, what.to_owned()),
        Trouble::Itself => (State::Down, "nothing listens there; the connection met itself".to_owned()),
        Trouble::TooSoon(words) | Trouble::Unknown(words) | Trouble::Refused(words) => {
            (State::Unknown, words)
        }
        Trouble::Late => {
            (if is_the_servers(stage) { State::Down } else { State::Unknown }, timed_out(timeout))
        }
    }
}

fn timed_out(timeout: Duration) -> String {
    format!("timed out after {}", Span(timeout))
}

/// Whether it is the server that is waited for.
const fn is_the_servers(stage: Stage) -> bool {
    match stage {
        Stage::Config | Stage::Resolve => false,
        Stage::Connect
        | Stage::Tls
        | Stage::Greet
        | Stage::Ehlo
        | Stage::Lhlo
        | Stage::Capability
        | Stage::Auth
        | Stage::Bind
        | Stage::Search
        | Stage::Mail
        | Stage::Rcpt
        | Stage::Data
        | Stage::Fetch
        | Stage::Delete
        | Stage::Quit
        | Stage::Logout
        | Stage::Get => true,
    }
}

/// A refusal, a reset and a silence are the server's; no route, no descriptor and no permission are ours.
fn state_of(error: &io::Error, stage: Stage) -> State {
    let theirs = matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::TimedOut
    );
    if theirs && is_the_servers(stage) { State::Down } else { State::Unknown }
}

/// The kernel's words as every command tells them, in lower case.
#[allow(clippy::unnecessary_wraps)] // the shape that a verdict holds
fn told(error: &io::Error) -> Option<String> {
    let words = Fail::io(Exit::Unknown, "", error).to_string();
    let words = words.trim_start_matches(": ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    fn clock(took: u64, stood_still: u64) -> Clock {
        let ms = Duration::from_millis;
        Clock { timeout: ms(10_000), took: ms(took), stood_still: ms(stood_still) }
    }

    fn io(errno: Errno) -> Trouble {
        Trouble::Io(errno.into())
    }

    #[test]
    fn only_the_servers_own_doing_is_down() {
        use Stage::{Config, Connect, Greet, Resolve};
        use State::{Down, Unknown};
        for (trouble, stage, state, words) in [
            (io(Errno::CONNREFUSED), Connect, Down, "connection refused"),
            (io(Errno::CONNRESET), Greet, Down, "connection reset by peer"),
            (io(Errno::TIMEDOUT), Connect, Down, "connection timed out"),
            (io(Errno::HOSTUNREACH), Connect, Unknown, "no route to host"),
            (io(Errno::NETUNREACH), Connect, Unknown, "network is unreachable"),
            (io(Errno::ADDRNOTAVAIL), Connect, Unknown, "cannot assign requested address"),
            (io(Errno::MFILE), Connect, Unknown, "too many open files"),
            (Trouble::Closed, Greet, Down, "the server closed the connection"),
            (Trouble::SaidNo("421 busy".to_owned()), Greet, Down, "421 busy"),
            (Trouble::Late, Connect, Down, "timed out after 10s"),
            (Trouble::Late, Greet, Down, "timed out after 10s"),
            (Trouble::Late, Config, Unknown, "timed out after 10s"),
            (Trouble::Late, Resolve, Unknown, "timed out after 10s"),
            (Trouble::Unknown("no such name".to_owned()), Resolve, Unknown, "no such name"),
        ] {
            let told = format!("{trouble:?} at {stage}");
            assert_eq!(of(Err(trouble), stage, clock(10_001, 0)), (state, Some(words.to_owned())), "{told}");
        }
    }

    #[test]
    fn a_prober_that_stood_still_knows_nothing_but_a_refusal() {
        let still = |ms: &str| (State::Unknown, Some(format!("ims-probe itself stood still for {ms}")));
        let ok = || Ok(Some("220 hello".to_owned()));
        assert_eq!(of(ok(), Stage::Quit, clock(9_000, 8_000)).0, State::Up);
        assert_eq!(of(ok(), Stage::Quit, clock(60_000, 55_000)), still("55s"));
        assert_eq!(of(ok(), Stage::Quit, clock(12_000, 0)), still("2s"));
        assert_eq!(of(Err(Trouble::Late), Stage::Greet, clock(10_001, 800)), still("800ms"));
        assert_eq!(of(Err(Trouble::Late), Stage::Greet, clock(10_001, 400)).0, State::Down);
        assert_eq!(of(Err(Trouble::Closed), Stage::Greet, clock(2_000, 800)), still("800ms"));
        assert_eq!(of(Err(io(Errno::CONNREFUSED)), Stage::Connect, clock(60_000, 55_000)).0, State::Down);
    }
}

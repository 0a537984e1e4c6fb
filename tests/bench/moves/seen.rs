//! What a client sees of a move: the time in which no new connection was greeted.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::super::pair::Pair;
use crate::support::mail::Banner;
use crate::support::{Node, until};

/// For what should happen soon.
const SOON: Duration = Duration::from_secs(120);

/// One move.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// From the last greeting of the source to the first one of the target.
    pub gap: Duration,
    /// From the command's beginning until it has ended and the client is greeted again.
    pub whole: Duration,
}

/// A program on a node of its own that connects every so often.
pub struct Client {
    node: Node,
    at: SocketAddr,
    every: Duration,
}

impl Client {
    /// One that will ask for greetings there.
    pub fn new(node: Node, at: SocketAddr, every: Duration) -> Self {
        Self { node, at, every }
    }

    /// Whether it is greeted within a while.
    pub fn is_greeted(&self) -> bool {
        let began = Instant::now();
        let banner = self.node.inside(|| Banner::start(self.at, Duration::from_millis(20)));
        let is_greeted = until(SOON, || banner.has_greeted_since(began));
        banner.stop();
        is_greeted
    }

    /// Watches something that moves the service and returns when nothing of it is left on the source. What it gives is
    /// the moment that counts as the beginning, where that is not its own.
    pub fn watches(&self, moves: impl FnOnce() -> Option<Instant>) -> Seen {
        let asked = Instant::now();
        let banner = self.node.inside(|| Banner::start(self.at, self.every));
        // Some rounds of it: what the first connections of a client cost is not part of a move.
        let steady = asked + self.every * 20;
        assert!(until(SOON, || banner.has_greeted_since(steady)), "nobody greets before the move");
        let began = Instant::now();
        let began = moves().unwrap_or(began);
        let ended = Instant::now();
        assert!(until(SOON, || banner.has_greeted_since(ended)), "nobody greets after the move");
        let gap = banner.outage_since(began).unwrap();
        banner.stop();
        Seen { gap: gap.length(), whole: ended.max(gap.to) - began }
    }
}

/// What ours and a peer took of one thing about each of their moves.
pub fn beside(ours: &[Seen], peer: &[Seen], of: fn(&Seen) -> Duration) -> Pair {
    Pair::of(ours.iter().map(of).collect(), peer.iter().map(of).collect())
}

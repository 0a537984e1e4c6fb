//! Two things timed in turn, so that a machine whose speed drifts is fair to both.

use std::time::{Duration, Instant};

/// What two things took, in one run, the shortest first.
pub struct Pair {
    ours: Vec<Duration>,
    peer: Vec<Duration>,
}

/// Times ours and the peer in turn, after one uncounted round.
pub fn in_turn(rounds: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> Pair {
    parts_in_turn(rounds, || timed(&mut ours), || timed(&mut peer))
}

/// The same of things that say themselves what their part in question took.
pub fn parts_in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Duration,
    mut peer: impl FnMut() -> Duration,
) -> Pair {
    let mut pair = Pair { ours: Vec::new(), peer: Vec::new() };
    for round in 0..=rounds {
        let took = (ours(), peer());
        if round > 0 {
            pair.ours.push(took.0);
            pair.peer.push(took.1);
        }
    }
    Pair::of(pair.ours, pair.peer)
}

fn timed(what: &mut impl FnMut()) -> Duration {
    let started = Instant::now();
    what();
    started.elapsed()
}

impl Pair {
    /// What was measured elsewhere, in turn.
    pub fn of(mut ours: Vec<Duration>, mut peer: Vec<Duration>) -> Self {
        ours.sort();
        peer.sort();
        Self { ours, peer }
    }

    /// The median of ours.
    pub fn ours(&self) -> Duration {
        median(&self.ours)
    }

    /// The ratio of the medians.
    pub fn ratio(&self) -> f64 {
        median(&self.ours).as_secs_f64() / median(&self.peer).as_secs_f64()
    }

    /// Prints a line: what, both as min / median / max, and the ratio of the medians.
    pub fn tell(&self, what: &str, ours: &str, peer: &str) {
        println!("{what}  (n = {})", self.ours.len());
        println!("    {ours:<44} {}", spread(&self.ours));
        println!("    {peer:<44} {}", spread(&self.peer));
        println!("    ratio {:.3}", self.ratio());
    }
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

fn spread(sorted: &[Duration]) -> String {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    format!("{:.2} / {:.2} / {:.2} ms", ms(sorted[0]), ms(median(sorted)), ms(sorted[sorted.len() - 1]))
}

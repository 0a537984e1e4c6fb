//! Two things timed in turn, so that a machine whose speed drifts is fair to both.

use std::time::{Duration, Instant};

/// What two things took, in one run.
pub struct Pair {
    ours: Vec<Duration>,
    peer: Vec<Duration>,
}

/// Times ours and the peer in turn, after one uncounted round.
pub fn in_turn(rounds: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> Pair {
    let mut pair = Pair { ours: Vec::new(), peer: Vec::new() };
    for round in 0..=rounds {
        let started = Instant::now();
        ours();
        let between = Instant::now();
        peer();
        if round > 0 {
            pair.ours.push(between - started);
            pair.peer.push(between.elapsed());
        }
    }
    pair
}

impl Pair {
    /// The ratio of the medians.
    pub fn ratio(&self) -> f64 {
        let middle = |times: &[Duration]| {
            let mut sorted = times.to_vec();
            sorted.sort();
            median(&sorted).as_secs_f64()
        };
        middle(&self.ours) / middle(&self.peer)
    }

    /// Prints a line: what, both as min / median / max, and the ratio of the medians.
    pub fn tell(mut self, what: &str, ours: &str, peer: &str) {
        self.ours.sort();
        self.peer.sort();
        let ratio = self.ratio();
        println!("{what}  (n = {})", self.ours.len());
        println!("    {ours:<44} {}", spread(&self.ours));
        println!("    {peer:<44} {}", spread(&self.peer));
        println!("    ratio {ratio:.2}");
    }
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

fn spread(sorted: &[Duration]) -> String {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    format!("{:.2} / {:.2} / {:.2} ms", ms(sorted[0]), ms(median(sorted)), ms(sorted[sorted.len() - 1]))
}

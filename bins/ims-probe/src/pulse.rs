//! Whether the prober itself stood still. While probes are under way the loop turns several times a second; a turn
//! that comes late means that this process was stopped, starved or suspended, and then a server's silence proves
//! nothing.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ims::sys::clock;

/// The prober's own heartbeat.
#[derive(Debug)]
pub struct Pulse {
    every: Duration,
    last: Cell<Duration>,
    lost: Cell<Duration>,
}

impl Pulse {
    /// A pulse for probes of this length.
    pub fn of(timeout: Duration) -> Self {
        Self { every: slack(timeout) / 2, last: Cell::new(clock::since_boot()), lost: Cell::default() }
    }

    /// When the loop has to turn again at the latest, after a turn at `now`.
    pub fn next(&self, now: Instant) -> Instant {
        now + self.every
    }

    /// Notes that the loop has turned.
    pub fn beat(&self) {
        let now = clock::since_boot();
        self.lost.set(self.lost_at(now));
        self.last.set(now);
    }

    /// How long the prober had stood still when the loop last turned.
    pub const fn noted(&self) -> Duration {
        self.lost.get()
    }

    /// How long the prober has stood still until now. A turn that is late by less than its own length is no loss.
    pub fn lost(&self) -> Duration {
        self.lost_at(clock::since_boot())
    }

    fn lost_at(&self, now: Duration) -> Duration {
        let since = now.saturating_sub(self.last.get());
        let late = since.saturating_sub(self.every);
        if late > self.every { self.lost.get().saturating_add(late) } else { self.lost.get() }
    }
}

/// How late the prober may be before its answers count for nothing: a tenth of the timeout, 100 to 500 ms.
pub fn slack(timeout: Duration) -> Duration {
    (timeout / 10).clamp(Duration::from_millis(100), Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_comes_late_is_lost_time() {
        let ms = Duration::from_millis;
        let pulse = Pulse::of(ms(1000));
        pulse.beat();
        assert_eq!(pulse.lost(), Duration::ZERO);
        for _ in 0..2 {
            pulse.last.set(clock::since_boot().saturating_sub(ms(300)));
            pulse.beat();
        }
        assert!((ms(500)..ms(600)).contains(&pulse.lost()), "{pulse:?}");
    }
}

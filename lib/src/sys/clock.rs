//! How long ago something was, told on the safe side: a machine that was suspended meanwhile, or a virtual one that stood
//! still, does not take the time for short.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment, by every clock that may go on while this process does not.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Time since the boot, with the time that the machine was suspended, which `Instant` leaves out.
    since_boot: Duration,
    /// The time of day, which a virtual machine is told anew when it goes on after it stood still with its other clocks.
    of_day: Duration,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        Self { since_boot: read(ClockId::Boottime), of_day: read(ClockId::Realtime) }
    }

    /// How long ago it was, by the clock that says longest. A time of day that was set meanwhile, forward or back, makes it
    /// longer than it was, and never shorter.
    pub fn elapsed(self) -> Duration {
        let now = Self::now();
        now.since_boot.saturating_sub(self.since_boot).max(now.of_day.abs_diff(self.of_day))
    }
}

/// What a clock says.
fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Time since the boot, with the time that the machine was suspended.
pub fn since_boot() -> Duration {
    read(ClockId::Boottime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_says_longest_counts_also_one_that_was_set_back() {
        // No longer than the machine may be up.
        let (now, second) = (Moment::now(), Duration::from_secs(1));
        assert!(now.elapsed() < second);
        for then in [
            Moment { since_boot: now.since_boot.saturating_sub(second), ..now },
            Moment { of_day: now.of_day.saturating_sub(second), ..now },
            Moment { of_day: now.of_day + second + second, ..now },
        ] {
            assert!(then.elapsed() >= second, "{then:?}");
        }
    }
}

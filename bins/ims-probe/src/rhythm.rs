//! When the probes of each target begin.

use std::time::{Duration, Instant};

/// The beats of a run: the first is at once for every target, the others are spread over the interval.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// When the run began.
    pub start: Instant,
    /// From one beginning to the next; without it there is one.
    pub every: Option<Duration>,
    /// How many there are of each target.
    pub count: Option<u64>,
    /// How many targets share the interval.
    pub targets: usize,
}

impl Rhythm {
    /// When a target begins after so many probes, by the clock and not by the last one's end: so a beat that was
    /// missed is left out, and nothing drifts.
    ///
    /// The second beat is the one nearest to an interval after the first, so that no target is probed twice in a
    /// moment to get into its place.
    pub fn next(self, target: usize, attempts: u64, now: Instant) -> Option<Instant> {
        let every = self.every.filter(|_| self.count.is_none_or(|count| attempts < count))?;
        let first = self.start + self.place(target, every);
        let after = if attempts == 1 { now.max(self.start + every / 2) } else { now };
        let Some(since) = after.checked_duration_since(first) else { return Some(first) };
        let nanos = every.as_nanos().max(1);
        Some(after + nanoseconds(nanos - since.as_nanos() % nanos))
    }

    /// A target's own place in the interval.
    fn place(self, target: usize, every: Duration) -> Duration {
        let share = |number: usize| u128::try_from(number).unwrap_or(u128::MAX);
        nanoseconds(every.as_nanos().saturating_mul(share(target)) / share(self.targets).max(1))
    }
}

fn nanoseconds(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn rhythm(every: u32, count: Option<u64>, targets: usize) -> (Rhythm, Instant) {
        let start = Instant::now();
        (Rhythm { start, every: Some(MS * every), count, targets }, start)
    }

    #[test]
    fn a_beat_that_was_missed_is_left_out_and_the_clock_is_kept() {
        let (rhythm, start) = rhythm(100, None, 1);
        for (attempts, now, next) in
            [(1, 1, 100), (2, 100, 200), (3, 230, 300), (4, 999, 1000), (5, 1000, 1100)]
        {
            assert_eq!(rhythm.next(0, attempts, start + MS * now), Some(start + MS * next), "at {now} ms");
        }
        let year = MS * 1000 * 3600 * 24 * 365;
        assert_eq!(rhythm.next(0, 9, start + year), Some(start + year + MS * 100));
    }

    #[test]
    fn targets_are_spread_over_the_interval_from_the_second_beat_on() {
        let (rhythm, start) = rhythm(100, None, 4);
        let beats = |target| {
            let mut now = start;
            (1..=3)
                .map(|attempts| {
                    now = rhythm.next(target, attempts, now).unwrap();
                    (now - start).as_millis()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(beats(0), [100, 200, 300]);
        assert_eq!(beats(1), [125, 225, 325]);
        assert_eq!(beats(2), [150, 250, 350]);
        assert_eq!(beats(3), [75, 175, 275]);
    }

    #[test]
    fn ten_thousand_targets_make_no_burst() {
        let (rhythm, start) = rhythm(10_000, None, 10_000);
        let mut second: Vec<Instant> = (0..10_000).map(|t| rhythm.next(t, 1, start + MS).unwrap()).collect();
        second.sort();
        assert!(second.windows(2).all(|two| two[1] - two[0] == MS));
        assert_eq!((second[0] - start, second[9_999] - start), (MS * 5001, MS * 15_000));
    }

    #[test]
    fn it_ends_after_the_count_and_without_an_interval() {
        let (mut rhythm, start) = rhythm(100, Some(2), 1);
        assert!(rhythm.next(0, 1, start).is_some());
        assert_eq!(rhythm.next(0, 2, start), None);
        rhythm.every = None;
        assert_eq!(rhythm.next(0, 1, start), None);
    }
}

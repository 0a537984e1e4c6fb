//! The reactor's own clock: whether it stood still itself, and whether an answer is too old, or of another clock, to
//! decide anything. Its time goes on evenly, whatever is done to the time of day.

use std::time::Duration;

use ims::span::Span;
use ims::sys::clock::{Moment, since_boot};
use jiff::{SignedDuration, Timestamp};

/// How long the loop waits at most before it turns.
pub const TURN: Duration = Duration::from_secs(1);

/// How late it may turn before it counts as one that stood still. A machine under load is late by less.
const LATE: Duration = Duration::from_secs(4);

/// How old an answer may be when it is read.
const FRESH: Duration = Duration::from_secs(10);

/// How far the prober's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(2);

/// The clock of one run.
#[derive(Debug)]
pub struct Clock {
    /// The time of day when the run began, and the time since the boot then.
    began: (Timestamp, Duration),
    turned: Moment,
    /// When it last went on after it had stood still, by the time of day, and for how long it had.
    woke: Option<(Timestamp, Duration)>,
    /// When a run of the group last ended here, by our own time.
    run_ended: Option<Timestamp>,
}

impl Clock {
    /// A clock that goes from now on.
    pub fn start() -> Self {
        Self { began: (Timestamp::now(), since_boot()), turned: Moment::now(), woke: None, run_ended: None }
    }

    /// Our own time: the time of day when the run began, and what has passed since.
    pub fn now(&self) -> Timestamp {
        let (day, boot) = self.began;
        day.checked_add(since_boot().saturating_sub(boot)).unwrap_or(Timestamp::MAX)
    }

    /// Notes that the loop turned; says for how long it had stood still, if it had: stopped, starved, suspended, or so
    /// it seems because the time of day was set.
    pub fn turn(&mut self) -> Option<Duration> {
        let stood = late(self.turned.elapsed());
        self.turned = Moment::now();
        let stood = stood?;
        self.woke = Some((Timestamp::now(), stood));
        Some(stood)
    }

    /// Notes that work of our own ended, which took what time it took.
    pub fn worked(&mut self) {
        self.turned = Moment::now();
    }

    /// Notes that a run of the group ended: what was found before is about what may be no more.
    pub fn run_ended(&mut self) {
        self.run_ended = Some(self.now());
    }

    /// When an answer of that time was had, by our own time; or why it decides nothing.
    pub fn heard(&self, time: Timestamp) -> Result<Timestamp, String> {
        let age = age(time, Timestamp::now(), self.woke)?;
        let heard = self.now().checked_sub(age).unwrap_or(Timestamp::MIN);
        match self.run_ended {
            Some(ended) if heard <= ended => {
                Err("it was probed before the last run of the group ended".to_owned())
            }
            Some(_) | None => Ok(heard),
        }
    }
}

/// How late a turn is after so much time, where that is more than load explains.
fn late(passed: Duration) -> Option<Duration> {
    Some(passed.saturating_sub(TURN)).filter(|late| *late >= LATE)
}

/// How old an answer is, or why that decides nothing.
fn age(time: Timestamp, now: Timestamp, woke: Option<(Timestamp, Duration)>) -> Result<Duration, String> {
    let unknown = |why: String| Err(format!("{why}: it counts as unknown"));
    let seconds = |time: SignedDuration| Span(Duration::from_secs(time.unsigned_abs().as_secs()));
    let age = now.duration_since(time);
    if let Some((woke, stood)) = woke
        && time <= woke
    {
        let stood = Span(Duration::from_secs(stood.as_secs()));
        return unknown(format!("it was probed before this run went on, which had stood still for {stood}"));
    }
    if age > SignedDuration::try_from(FRESH).unwrap_or(SignedDuration::MAX) {
        return unknown(format!("it was probed {} ago", seconds(age)));
    }
    if age < -SignedDuration::try_from(AHEAD).unwrap_or(SignedDuration::MAX) {
        return unknown(format!("its time is {} ahead of this node's clock", seconds(age)));
    }
    Ok(Duration::try_from(age).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_ahead_or_of_the_time_it_stood_still_decides_nothing() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let stood = Some((at(100), Duration::from_secs(75)));
        for (time, now, woke, told) in [
            (100, 100, None, Ok(0)),
            (90, 100, None, Ok(10)),
            (102, 100, None, Ok(0)),
            (89, 100, None, Err("it was probed 11s ago: it counts as unknown")),
            (103, 100, None, Err("its time is 3s ahead of this node's clock: it counts as unknown")),
            (3703, 100, None, Err("its time is 3603s ahead of this node's clock: it counts as unknown")),
            (
                99,
                101,
                stood,
                Err(
                    "it was probed before this run went on, which had stood still for 75s: it counts as unknown",
                ),
            ),
            (101, 102, stood, Ok(1)),
        ] {
            let found = age(at(time), at(now), woke);
            let told = told.map(Duration::from_secs).map_err(ToOwned::to_owned);
            assert_eq!(found, told, "{time} at {now} after {woke:?}");
        }
    }

    #[test]
    fn a_turn_that_is_later_than_load_explains_was_no_load() {
        let ms = Duration::from_millis;
        for (passed, stood) in [(0, None), (4999, None), (5000, Some(ms(4000))), (76_000, Some(ms(75_000)))] {
            assert_eq!(late(ms(passed)), stood, "after {passed} ms");
        }
        assert_eq!(Clock::start().turn(), None);
    }

    #[test]
    fn what_was_probed_before_a_run_ended_decides_nothing() {
        let mut clock = Clock::start();
        let before = Timestamp::now();
        assert!(clock.heard(before).is_ok());
        clock.run_ended();
        let told = clock.heard(before).unwrap_err();
        assert_eq!(told, "it was probed before the last run of the group ended");
    }

    #[test]
    fn its_time_goes_on_evenly_whatever_the_time_of_day_says() {
        let mut clock = Clock::start();
        // As if the time of day had been set back by an hour since it began.
        clock.began.0 += Duration::from_secs(3600);
        let (first, now) = (clock.now(), Timestamp::now());
        assert!(first > now + Duration::from_secs(3500));
        assert!(clock.heard(now).unwrap() >= first, "what is heard now is of now");
    }
}

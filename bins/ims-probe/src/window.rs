//! What the last probes of an endpoint add up to, as fault monitors count it: failures of 0 to 100 a probe in a
//! sliding window (Sun Cluster, `scds_fm_action`), and the confidence that a service is online (VCS, 10 to 100).
//!
//! It counts and decides nothing; nobody tells it of a restart, which would make Sun Cluster forget.

use std::collections::{HashMap, VecDeque};
use std::str::FromStr;
use std::time::{Duration, Instant};

use ims::span::Span;
use ims::{Fail, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::stage::Stage;

/// The most probes that a window holds.
const MOST: usize = 10_000;

/// How far back a window reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// So many probes.
    Probes(usize),
    /// So much time, counted from the latest answer.
    Time(Duration),
}

impl FromStr for Window {
    type Err = Fail;

    fn from_str(text: &str) -> Result<Self, Fail> {
        let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        if !is_number {
            return text
                .parse::<Span>()
                .map(|span| Self::Time(span.0))
                .map_err(|fail| fail.hint("a number of probes like 10, or a length of time like 600s"));
        }
        match text.parse() {
            Ok(probes @ 1..=MOST) => Ok(Self::Probes(probes)),
            Ok(_) | Err(_) => Err(Fail::usage(format!("not a number of probes from 1 to {MOST}"))),
        }
    }
}

impl Window {
    /// Refuses one of more probes than can be kept, when they come this far apart.
    pub fn check(self, every: Duration) -> Result<(), Fail> {
        match self {
            Self::Time(time) if time.as_nanos() / every.as_nanos().max(1) > 10_000 => {
                Err(Fail::usage(format!("a window of more than {MOST} probes"))
                    .hint("a shorter --window or a longer --every"))
            }
            Self::Time(_) | Self::Probes(_) => Ok(()),
        }
    }
}

/// What the probes of one endpoint in a window add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sums {
    /// How many probes are in the window, this one too.
    pub probes: u64,
    /// How many of them could not find out; they count neither way.
    pub unknown: u64,
    /// The sum of failures: 100 for one that is down, 50 when only its goodbye failed. Sun Cluster acts at 100.
    pub failures: u64,
    /// 100 less the mean failure of the probes that found out, in tens and at least 10, as VCS tells it of what is
    /// online; null when this answer is down or unknown.
    pub confidence: Option<u64>,
}

/// The windows of all endpoints.
#[derive(Debug)]
pub struct Windows {
    window: Window,
    endpoints: HashMap<(usize, String), Probes>,
}

/// When each probe in the window ended, and its failure.
type Probes = VecDeque<(Instant, Option<u64>)>;

impl Windows {
    /// All are empty.
    pub fn of(window: Window) -> Self {
        Self { window, endpoints: HashMap::new() }
    }

    /// Adds an answer of a target, and gives the sums with it.
    pub fn note(&mut self, target: usize, answer: &Answer, now: Instant) -> Sums {
        let probes = self.endpoints.entry((target, answer.endpoint.clone())).or_default();
        probes.push_back((now, failure(answer)));
        let window = self.window;
        let is_old = |probes: &Probes| match window {
            Window::Probes(most) => probes.len() > most,
            Window::Time(time) => {
                probes.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > time)
            }
        };
        while is_old(probes) {
            probes.pop_front();
        }
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let known: Vec<u64> = probes.iter().filter_map(|(_, failure)| *failure).collect();
        let failures: u64 = known.iter().sum();
        let confidence = match answer.state {
            State::Up | State::Partial => failures.checked_div(count(known.len())).map(confidence),
            State::Down | State::Unknown => None,
        };
        Sums { probes: count(probes.len()), unknown: count(probes.len() - known.len()), failures, confidence }
    }
}

/// How much of a failure an answer is. A certificate that ran out is none: no restart makes it good.
fn failure(answer: &Answer) -> Option<u64> {
    match answer.state {
        State::Up | State::Partial => Some(0),
        State::Down if matches!(answer.stage, Some(Stage::Quit | Stage::Logout)) => Some(50),
        State::Down => Some(100),
        State::Unknown => None,
    }
}

fn confidence(mean_failure: u64) -> u64 {
    (100_u64.saturating_sub(mean_failure) / 10 * 10).max(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::answer;
    use State::{Down, Partial, Unknown, Up};

    fn sums(window: Window, answers: &[(u64, State)]) -> (u64, u64, u64, Option<u64>) {
        let (mut windows, start) = (Windows::of(window), Instant::now());
        let mut last = None;
        for (second, state) in answers {
            let answer = answer("smtp://192.0.2.10:25", *state, "x");
            last = Some(windows.note(0, &answer, start + Duration::from_secs(*second)));
            windows.note(1, &answer, start); // another target's counts for nothing
        }
        let Sums { probes, unknown, failures, confidence } = last.unwrap();
        (probes, unknown, failures, confidence)
    }

    #[test]
    fn failures_in_the_window_add_up_and_older_ones_are_forgotten() {
        use Window::{Probes, Time};
        let minute = Time(Duration::from_secs(60));
        for (window, answers, told) in [
            (Probes(3), &[(0, Up)][..], (1, 0, 0, Some(100))),
            (Probes(3), &[(0, Down)], (1, 0, 100, None)),
            (Probes(3), &[(0, Down), (1, Up), (2, Up)], (3, 0, 100, Some(60))),
            (Probes(3), &[(0, Down), (1, Up), (2, Up), (3, Up)], (3, 0, 0, Some(100))),
            (Probes(9), &[(0, Down), (1, Down), (2, Down), (3, Down), (4, Up)], (5, 0, 400, Some(20))),
            (Probes(2), &[(0, Up), (1, Unknown)], (2, 1, 0, None)),
            (Probes(2), &[(0, Unknown), (1, Partial)], (2, 1, 0, Some(100))),
            (minute, &[(0, Down), (60, Up)], (2, 0, 100, Some(50))),
            (minute, &[(0, Down), (61, Up)], (1, 0, 0, Some(100))),
        ] {
            assert_eq!(sums(window, answers), told, "{window:?} {answers:?}");
        }
    }

    #[test]
    fn a_goodbye_that_failed_is_half_a_failure() {
        let mut windows = Windows::of(Window::Probes(9));
        for (stage, failures) in [(Stage::Quit, 50), (Stage::Logout, 100), (Stage::Greet, 200)] {
            let answer = Answer { stage: Some(stage), ..answer("imap://192.0.2.10:143", Down, "x") };
            assert_eq!(windows.note(0, &answer, Instant::now()).failures, failures, "{stage}");
        }
        assert_eq!((confidence(0), confidence(1), confidence(95), confidence(100)), (100, 90, 10, 10));
    }

    #[test]
    fn a_window_is_a_number_of_probes_or_a_length_of_time() {
        assert_eq!("10".parse::<Window>().unwrap(), Window::Probes(10));
        assert_eq!("600s".parse::<Window>().unwrap(), Window::Time(Duration::from_secs(600)));
        for bad in ["", "0", "10001", "x", "99999999999999999999"] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
        let day = Window::Time(Duration::from_secs(86_400));
        assert!(day.check(Duration::from_secs(10)).is_ok() && day.check(Duration::from_secs(1)).is_err());
    }
}

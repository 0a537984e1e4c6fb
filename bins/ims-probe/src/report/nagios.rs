//! What a plugin of Nagios and its kin prints: a line that says how it is, with performance data behind a `|`, then
//! a line an endpoint. The format and the numbers are those of the Monitoring Plugins Development Guidelines.

use std::time::Duration;

use ims::State;

use super::Report;
use crate::answer::Answer;

/// What a plugin ends with, from light to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Everything is up.
    Ok,
    /// The level was reached, and something was found that is not as it should be.
    Warning,
    /// It could not be found out.
    Unknown,
    /// Something is down.
    Critical,
}

impl Status {
    /// The number that the plugin exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The word in its first line.
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl From<State> for Status {
    fn from(state: State) -> Self {
        match state {
            State::Up => Self::Ok,
            State::Partial => Self::Warning,
            State::Down => Self::Critical,
            State::Unknown => Self::Unknown,
        }
    }
}

/// A plugin's first line.
pub fn line(status: Status, words: &str) -> String {
    format!("PROBE {}: {}", status.word(), plain(words))
}

/// The text of a report. What is worst stands first, for a reader may cut the end.
pub fn text(report: &Report) -> String {
    let mut answers: Vec<&Answer> = report.answers().collect();
    answers.sort_by_key(|answer| std::cmp::Reverse(Status::from(answer.state)));
    let silent = report.silent();
    let found = answers.iter().map(|answer| Status::from(answer.state));
    let status = found.chain((silent > 0).then_some(Status::Unknown)).max().unwrap_or(Status::Unknown);
    let words = match answers.as_slice() {
        [] => String::new(),
        [one] => told(one),
        [worst, ..] if Status::from(worst.state) == Status::Ok => format!("{} up", answers.len()),
        [worst, ..] => {
            let like = answers.iter().filter(|answer| answer.state == worst.state).count();
            format!("{like} of {} {}: {}", answers.len(), worst.state, told(worst))
        }
    };
    let waiting = match (silent, words.is_empty()) {
        (0, _) => String::new(),
        (_, true) => format!("{silent} targets have not answered"),
        (_, false) => format!("; {silent} targets have not answered"),
    };
    let data: Vec<String> = answers.iter().map(|answer| measured(answer, report.timeout)).collect();
    let data = if data.is_empty() { String::new() } else { format!(" | {}", data.join(" ")) };
    let first = line(status, &(words + &waiting)) + &data;
    let more = answers.iter().filter(|_| answers.len() > 1).map(|answer| {
        let status = Status::from(answer.state);
        format!("{} {}", status.word(), plain(&told(answer)))
    });
    std::iter::once(first).chain(more).map(|line| line + "\n").collect()
}

/// An answer in words.
fn told(answer: &Answer) -> String {
    let stage = answer.stage.map(|stage| format!(" {} at {stage}:", answer.state)).unwrap_or_default();
    let words = answer.words.as_deref().map(|words| format!(" {words}")).unwrap_or_default();
    format!("{}{stage}{words}", answer.endpoint)
}

/// The time of an answer as performance data: `U` where there was none, for the time until a failure is not how fast
/// a service is.
fn measured(answer: &Answer, timeout: Duration) -> String {
    let label = answer.endpoint.replace('\'', "''").replace(['=', '|'], "_");
    let value = match answer.state {
        State::Up | State::Partial => format!("{:.6}s", answer.took().as_secs_f64()),
        State::Down | State::Unknown => "U".to_owned(),
    };
    format!("'{label}'={value};;;0;{}", timeout.as_secs_f64())
}

/// Text without what ends a line's text.
fn plain(text: &str) -> String {
    text.replace('|', "\\x7c").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, report};
    use super::*;
    use crate::form::Reported;
    use State::{Down, Partial, Unknown, Up};

    #[test]
    fn one_answer_is_one_line() {
        for (state, shown) in [
            (Up, "PROBE OK: smtp://192.0.2.10:25 220 a\\x7cb | 'smtp://192.0.2.10:25'=0.003116s;;;0;10\n"),
            (
                Down,
                "PROBE CRITICAL: smtp://192.0.2.10:25 down at greet: 220 a\\x7cb | \
                 'smtp://192.0.2.10:25'=U;;;0;10\n",
            ),
            (
                Unknown,
                "PROBE UNKNOWN: smtp://192.0.2.10:25 unknown at greet: 220 a\\x7cb | \
                 'smtp://192.0.2.10:25'=U;;;0;10\n",
            ),
        ] {
            assert_eq!(text(&report([answer("smtp://192.0.2.10:25", state, "220 a|b")])), shown);
        }
    }

    #[test]
    fn a_line_is_as_grave_as_its_worst_endpoint_which_stands_first() {
        for (states, status, words) in [
            (vec![Up, Up], Status::Ok, "2 up"),
            (vec![Up, Partial], Status::Warning, "1 of 2 partial: smtp://192.0.2.1:25"),
            (vec![Partial, Unknown], Status::Unknown, "1 of 2 unknown: smtp://192.0.2.1:25"),
            (vec![Unknown, Up, Down, Down], Status::Critical, "2 of 4 down: smtp://192.0.2.2:25"),
        ] {
            let answers = states
                .iter()
                .enumerate()
                .map(|(index, state)| answer(&format!("smtp://192.0.2.{index}:25"), *state, "x"));
            let told = text(&report(answers));
            let start = line(status, words);
            assert!(told.starts_with(&start), "{states:?}: {told}");
            assert_eq!(told.lines().count(), states.len() + 1, "{told}");
        }
    }

    #[test]
    fn a_target_that_has_not_answered_is_unknown_and_said() {
        let silent = Report::of(Reported::Nagios, 2, Duration::from_secs(10));
        assert_eq!(text(&silent), "PROBE UNKNOWN: 2 targets have not answered\n");
        let mut half = Report::of(Reported::Nagios, 2, Duration::from_secs(10));
        half.note(0, &answer("smtp://192.0.2.10:25", Up, "220 x"));
        assert!(text(&half).starts_with(
            "PROBE UNKNOWN: smtp://192.0.2.10:25 220 x; 1 targets have not answered | 'smtp://"
        ));
    }

    #[test]
    fn a_label_holds_nothing_that_ends_it() {
        let odd = text(&report([answer("file:///x'y=z|w", Unknown, "gone")]));
        assert!(odd.ends_with(" | 'file:///x''y_z_w'=U;;;0;10\n"), "{odd}");
    }
}

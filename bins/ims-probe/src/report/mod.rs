//! One report of a whole run for another program, made of the latest answer of each endpoint.

pub mod nagios;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::answer::Answer;

/// The latest answers of each target.
#[derive(Debug)]
pub struct Report {
    targets: Vec<BTreeMap<String, Answer>>,
    timeout: Duration,
}

impl Report {
    /// No target has answered yet; `timeout` is what a probe may take.
    pub fn of(targets: usize, timeout: Duration) -> Self {
        Self { targets: vec![BTreeMap::new(); targets], timeout }
    }

    /// Notes an answer.
    pub fn note(&mut self, target: usize, answer: &Answer) {
        if let Some(latest) = self.targets.get_mut(target) {
            latest.insert(answer.endpoint.clone(), answer.clone());
        }
    }

    /// Ends a round of a target: what did not answer in it is not there any more.
    pub fn end_round(&mut self, target: usize, attempt: u64) {
        if let Some(latest) = self.targets.get_mut(target) {
            latest.retain(|_, answer| answer.attempt >= attempt);
        }
    }

    /// The answers in the order of their targets.
    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.targets.iter().flat_map(BTreeMap::values)
    }

    /// How many targets have not answered at all.
    fn silent(&self) -> usize {
        self.targets.iter().filter(|latest| latest.is_empty()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::stage::{Stage, Step};
    use ims::State;
    use ims::layout::Service;

    /// What a probe of SMTP may answer.
    pub fn answer(endpoint: &str, state: State, words: &str) -> Answer {
        Answer {
            endpoint: endpoint.to_owned(),
            instance: None,
            service: Service::Smtp,
            address: Some("192.0.2.10".parse().unwrap()),
            level: Level::Session,
            state,
            stage: (state != State::Up).then_some(Stage::Greet),
            words: Some(words.to_owned()),
            took_ms: 3,
            steps: vec![
                Step { stage: Stage::Connect, took_us: 212 },
                Step { stage: Stage::Greet, took_us: 2904 },
            ],
            attempt: 1,
            time: "2026-11-22T18:30:00.125Z".parse().unwrap(),
        }
    }

    /// A report of targets that have one answer each.
    pub fn report(answers: impl IntoIterator<Item = Answer>) -> Report {
        let answers: Vec<Answer> = answers.into_iter().collect();
        let mut report = Report::of(answers.len(), Duration::from_secs(10));
        for (target, answer) in answers.iter().enumerate() {
            report.note(target, answer);
        }
        report
    }

    #[test]
    fn what_is_configured_no_more_is_reported_no_more() {
        let mut report = Report::of(1, Duration::from_secs(10));
        report.note(0, &answer("file:///global/ims", State::Unknown, "gone"));
        report.end_round(0, 1);
        report.note(0, &Answer { attempt: 2, ..answer("smtp://192.0.2.10:25", State::Up, "220 x") });
        report.end_round(0, 2);
        let told: Vec<&str> = report.answers().map(|answer| answer.endpoint.as_str()).collect();
        assert_eq!(told, ["smtp://192.0.2.10:25"]);
    }
}

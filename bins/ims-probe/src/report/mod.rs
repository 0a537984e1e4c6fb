//! One report of a whole run for another program, made of the latest answer of each endpoint, or of every answer.

pub mod junit;
pub mod nagios;
pub mod prometheus;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::answer::Answer;
use crate::form::Reported;
use prometheus::Flavour;

/// The answers of each target, by their endpoint and, where all are kept, their attempt.
#[derive(Debug)]
pub struct Report {
    form: Reported,
    targets: Vec<BTreeMap<(String, u64), Answer>>,
    timeout: Duration,
}

impl Report {
    /// No target has answered yet; `timeout` is what a probe may take.
    pub fn of(form: Reported, targets: usize, timeout: Duration) -> Self {
        Self { form, targets: vec![BTreeMap::new(); targets], timeout }
    }

    /// Notes an answer.
    pub fn note(&mut self, target: usize, answer: &Answer) {
        let attempt = if self.keeps_all() { answer.attempt } else { 0 };
        if let Some(kept) = self.targets.get_mut(target) {
            kept.insert((answer.endpoint.clone(), attempt), answer.clone());
        }
    }

    /// Ends a round of a target: what did not answer in it is not there any more.
    pub fn end_round(&mut self, target: usize, attempt: u64) {
        let keeps_all = self.keeps_all();
        if let Some(kept) = self.targets.get_mut(target) {
            kept.retain(|_, answer| keeps_all || answer.attempt >= attempt);
        }
    }

    /// Its text; `host` is the prober's.
    pub fn text(&self, host: &str) -> String {
        match self.form {
            Reported::Nagios => nagios::text(self),
            Reported::Prometheus => prometheus::text(self, Flavour::Prometheus),
            Reported::Openmetrics => prometheus::text(self, Flavour::OpenMetrics),
            Reported::Junit => junit::text(self, host),
        }
    }

    /// A test that failed once has failed, whatever came later.
    const fn keeps_all(&self) -> bool {
        match self.form {
            Reported::Junit => true,
            Reported::Nagios | Reported::Prometheus | Reported::Openmetrics => false,
        }
    }

    /// The answers in the order of their targets.
    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.targets.iter().flat_map(BTreeMap::values)
    }

    fn targets(&self) -> usize {
        self.targets.len()
    }

    /// How many targets have not answered at all.
    fn silent(&self) -> usize {
        self.targets.iter().filter(|kept| kept.is_empty()).count()
    }
}

#[cfg(test)]
pub mod tests {
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
            findings: Vec::new(),
            tls: None,
            took_ms: 3,
            steps: vec![
                Step { stage: Stage::Connect, took_us: 212 },
                Step { stage: Stage::Greet, took_us: 2904 },
            ],
            attempt: 1,
            time: "2026-11-22T18:30:00.125Z".parse().unwrap(),
            age_ms: 0,
            window: None,
            is_refused: false,
        }
    }

    /// A report of targets that have one answer each.
    pub fn report(answers: impl IntoIterator<Item = Answer>) -> Report {
        let answers: Vec<Answer> = answers.into_iter().collect();
        let mut report = Report::of(Reported::Nagios, answers.len(), Duration::from_secs(10));
        for (target, answer) in answers.iter().enumerate() {
            report.note(target, answer);
        }
        report
    }

    #[test]
    fn what_is_configured_no_more_is_reported_no_more() {
        let mut report = Report::of(Reported::Nagios, 1, Duration::from_secs(10));
        report.note(0, &answer("file:///global/ims", State::Unknown, "gone"));
        report.end_round(0, 1);
        report.note(0, &Answer { attempt: 2, ..answer("smtp://192.0.2.10:25", State::Up, "220 x") });
        report.end_round(0, 2);
        let told: Vec<&str> = report.answers().map(|answer| answer.endpoint.as_str()).collect();
        assert_eq!(told, ["smtp://192.0.2.10:25"]);
    }

    #[test]
    fn a_test_that_failed_once_stays_failed() {
        let mut report = Report::of(Reported::Junit, 1, Duration::from_secs(10));
        for (attempt, state) in [(1, State::Down), (2, State::Up)] {
            report.note(0, &Answer { attempt, ..answer("smtp://192.0.2.10:25", state, "x") });
            report.end_round(0, attempt);
        }
        assert!(report.text("mail-2").contains("tests=\"2\" failures=\"1\""));
    }
}

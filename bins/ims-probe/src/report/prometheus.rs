//! Metrics in the text formats that Prometheus reads: its own (0.0.4), as the textfile collector of `node_exporter`
//! takes it, and `OpenMetrics` 1.0. No sample has a time of its own, which that collector refuses.

use std::collections::HashSet;
use std::fmt::{Display, Write};

use ims::State;

use super::Report;
use crate::answer::Answer;

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Prometheus text format 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

const STATES: [State; 4] = [State::Up, State::Down, State::Partial, State::Unknown];

/// The text of a report.
pub fn text(report: &Report, flavour: Flavour) -> String {
    let mut page = Page { text: String::new(), flavour };
    page.family("ims_probe_targets", Kind::Gauge, "Targets that are probed.");
    page.line(format_args!("ims_probe_targets {}", report.targets()));
    page.family("ims_probe_targets_answered", Kind::Gauge, "Targets that have answered.");
    page.line(format_args!("ims_probe_targets_answered {}", report.targets() - report.silent()));

    let mut answers: Vec<(String, &Answer)> =
        report.answers().map(|answer| (labels(answer), answer)).collect();
    // A reader refuses the whole page for one sample that stands in it twice. Two records of an instance that differ,
    // for the registries of two nodes do, may name one endpoint.
    let mut seen = HashSet::new();
    answers.retain(|(labels, _)| seen.insert(labels.clone()));
    page.family("ims_probe_state", Kind::Gauge, "1 for the state the endpoint is in, 0 for the others.");
    for (labels, answer) in &answers {
        for state in STATES {
            let labels = format_args!("{labels},state=\"{state}\"");
            page.sample("ims_probe_state", labels, u8::from(answer.state == state));
        }
    }
    let name = "ims_probe_failed_stage";
    page.family(name, Kind::Gauge, "1 for the stage at which the endpoint is not up.");
    for (labels, answer) in &answers {
        if let Some(stage) = answer.stage {
            page.sample(name, format_args!("{labels},stage=\"{stage}\""), 1);
        }
    }
    let name = "ims_probe_duration_seconds";
    page.family(name, Kind::Seconds, "The time of the whole probe.");
    for (labels, answer) in &answers {
        page.sample(name, labels, answer.took().as_secs_f64());
    }
    let name = "ims_probe_stage_duration_seconds";
    page.family(name, Kind::Seconds, "The time of each stage that was reached.");
    for (labels, answer) in &answers {
        for (stage, took) in answer.stages() {
            page.sample(name, format_args!("{labels},stage=\"{stage}\""), took.as_secs_f64());
        }
    }
    let name = "ims_probe_answer_timestamp_seconds";
    page.family(name, Kind::Seconds, "When the answer was had, since 1970.");
    for (labels, answer) in &answers {
        let ms = answer.time.as_millisecond();
        page.sample(name, labels, format_args!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000)));
    }
    page.family("ims_probe_attempts", Kind::Counter, "Probes of the endpoint in this run.");
    for (labels, answer) in &answers {
        page.sample("ims_probe_attempts_total", labels, answer.attempt);
    }
    let windows = || answers.iter().filter_map(|(labels, answer)| Some((labels, answer.window.as_ref()?)));
    if windows().next().is_some() {
        page.family("ims_probe_window_failures", Kind::Gauge, "Failures in the window, 100 a probe.");
        for (labels, window) in windows() {
            page.sample("ims_probe_window_failures", labels, window.failures);
        }
        page.family(
            "ims_probe_window_confidence",
            Kind::Gauge,
            "Confidence from 10 to 100 that it is online.",
        );
        for (labels, window) in windows() {
            if let Some(confidence) = window.confidence {
                page.sample("ims_probe_window_confidence", labels, confidence);
            }
        }
    }
    page.end()
}

/// A page under way.
struct Page {
    text: String,
    flavour: Flavour,
}

/// What a family of samples is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Gauge,
    /// A gauge whose name ends with its unit.
    Seconds,
    Counter,
}

impl Page {
    /// Begins a family; a counter is named without its `_total`.
    fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let (kind, unit, suffix) = match (kind, self.flavour) {
            (Kind::Gauge, _) | (Kind::Seconds, Flavour::Prometheus) => ("gauge", None, ""),
            (Kind::Seconds, Flavour::OpenMetrics) => ("gauge", Some("seconds"), ""),
            (Kind::Counter, Flavour::Prometheus) => ("counter", None, "_total"),
            (Kind::Counter, Flavour::OpenMetrics) => ("counter", None, ""),
        };
        self.line(format_args!("# HELP {name}{suffix} {help}"));
        self.line(format_args!("# TYPE {name}{suffix} {kind}"));
        if let Some(unit) = unit {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
    }

    fn sample(&mut self, name: &str, labels: impl Display, value: impl Display) {
        self.line(format_args!("{name}{{{labels}}} {value}"));
    }

    fn line(&mut self, line: impl Display) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn end(mut self) -> String {
        match self.flavour {
            Flavour::Prometheus => {}
            Flavour::OpenMetrics => self.line("# EOF"),
        }
        self.text
    }
}

/// Whose samples these are. `instance` alone is a name that Prometheus has for its own.
fn labels(answer: &Answer) -> String {
    let instance = answer.instance.as_ref().map(ToString::to_string).unwrap_or_default();
    format!(
        "endpoint=\"{}\",ims_instance=\"{}\",service=\"{}\",level=\"{}\"",
        value(&answer.endpoint),
        value(&instance),
        answer.service.word(),
        answer.level
    )
}

/// A label's value between its quotes.
fn value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, report};
    use super::*;

    const PROMETHEUS: &str = r#"# HELP ims_probe_targets Targets that are probed.
# TYPE ims_probe_targets gauge
ims_probe_targets 1
# HELP ims_probe_targets_answered Targets that have answered.
# TYPE ims_probe_targets_answered gauge
ims_probe_targets_answered 1
# HELP ims_probe_state 1 for the state the endpoint is in, 0 for the others.
# TYPE ims_probe_state gauge
ims_probe_state{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",state="up"} 0
ims_probe_state{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",state="down"} 1
ims_probe_state{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",state="partial"} 0
ims_probe_state{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",state="unknown"} 0
# HELP ims_probe_failed_stage 1 for the stage at which the endpoint is not up.
# TYPE ims_probe_failed_stage gauge
ims_probe_failed_stage{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",stage="greet"} 1
# HELP ims_probe_duration_seconds The time of the whole probe.
# TYPE ims_probe_duration_seconds gauge
ims_probe_duration_seconds{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session"} 0.003116
# HELP ims_probe_stage_duration_seconds The time of each stage that was reached.
# TYPE ims_probe_stage_duration_seconds gauge
ims_probe_stage_duration_seconds{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",stage="connect"} 0.000212
ims_probe_stage_duration_seconds{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session",stage="greet"} 0.002904
# HELP ims_probe_answer_timestamp_seconds When the answer was had, since 1970.
# TYPE ims_probe_answer_timestamp_seconds gauge
ims_probe_answer_timestamp_seconds{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session"} 1795372200.125
# HELP ims_probe_attempts_total Probes of the endpoint in this run.
# TYPE ims_probe_attempts_total counter
ims_probe_attempts_total{endpoint="file:///a\"b\\c\nd",ims_instance="",service="smtp",level="session"} 1
"#;

    #[test]
    fn a_page_has_each_family_once_and_its_values_escaped() {
        let report = report([answer("file:///a\"b\\c\nd", State::Down, "421 x")]);
        assert_eq!(text(&report, Flavour::Prometheus), PROMETHEUS);
    }

    #[test]
    fn an_endpoint_of_two_targets_is_one_row_of_each_family() {
        let twice = || answer("file:///global/ims/msg-stork", State::Unknown, "gone");
        let page = text(&report([twice(), twice()]), Flavour::Prometheus);
        let mut samples: Vec<&str> =
            page.lines().filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name).collect();
        let all = samples.len();
        samples.sort_unstable();
        samples.dedup();
        assert_eq!(samples.len(), all, "{page}");
    }

    #[test]
    fn open_metrics_names_units_and_says_where_it_ends() {
        let report = report([answer("file:///a\"b\\c\nd", State::Down, "421 x")]);
        let page = text(&report, Flavour::OpenMetrics);
        let units = page.lines().filter(|line| line.starts_with("# UNIT ")).count();
        assert_eq!((units, page.lines().last()), (3, Some("# EOF")));
        assert!(page.contains("# TYPE ims_probe_attempts counter\n"), "{page}");
        let samples = |page: &str| -> Vec<String> {
            page.lines().filter(|line| !line.starts_with('#')).map(ToOwned::to_owned).collect()
        };
        assert_eq!(samples(&page), samples(PROMETHEUS));
    }
}

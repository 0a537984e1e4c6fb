//! Answers as the test report that Jenkins, GitLab and others read: the XML of `JUnit`, a test case an answer.

use ims::State;

use super::Report;
use crate::answer::Answer;

/// The text of a report of a prober on this host.
pub fn text(report: &Report, host: &str) -> String {
    let answers: Vec<&Answer> = report.answers().collect();
    let count = |states: [State; 2]| answers.iter().filter(|answer| states.contains(&answer.state)).count();
    let silent = report.silent();
    let errors = count([State::Unknown; 2]) + usize::from(silent > 0);
    let failures = count([State::Down, State::Partial]);
    let tests = answers.len() + usize::from(silent > 0);
    let time: f64 = answers.iter().map(|answer| answer.took().as_secs_f64()).sum();
    let begin = answers.iter().map(|answer| answer.time).min();
    // The schema that most readers know has neither a fraction nor a zone.
    let begin = begin.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default();
    let mut lines = vec![
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned(),
        "<testsuites>".to_owned(),
        format!(
            "<testsuite name=\"ims-probe\" hostname=\"{}\" tests=\"{tests}\" failures=\"{failures}\" \
             errors=\"{errors}\" skipped=\"0\" time=\"{time:.6}\" timestamp=\"{begin}\">",
            escaped(host)
        ),
    ];
    lines.extend(answers.into_iter().map(case));
    if silent > 0 {
        lines.push(format!(
            "<testcase classname=\"ims-probe\" name=\"targets\" time=\"0\"><error type=\"unknown\" \
             message=\"{silent} targets have not answered\"/></testcase>"
        ));
    }
    lines.extend(["</testsuite>".to_owned(), "</testsuites>".to_owned()]);
    lines.into_iter().map(|line| line + "\n").collect()
}

/// One answer.
fn case(answer: &Answer) -> String {
    let class = answer.instance.as_ref().map_or_else(|| "ims-probe".to_owned(), ToString::to_string);
    let name = match answer.attempt {
        1 => format!("{} {}", answer.endpoint, answer.level),
        more => format!("{} {}, attempt {more}", answer.endpoint, answer.level),
    };
    let head = format!(
        "<testcase classname=\"{}\" name=\"{}\" time=\"{:.6}\"",
        escaped(&class),
        escaped(&name),
        answer.took().as_secs_f64()
    );
    let tag = match answer.state {
        State::Up => return head + "/>",
        State::Down | State::Partial => "failure",
        State::Unknown => "error",
    };
    let words = answer.words.as_deref().unwrap_or_default();
    let message = answer.stage.map_or_else(|| words.to_owned(), |stage| format!("{stage}: {words}"));
    format!("{head}><{tag} type=\"{}\" message=\"{}\"/></testcase>", answer.state, escaped(&message))
}

/// Text between quotes. What XML cannot hold at all is told by its number.
fn escaped(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => told += "&amp;",
            '<' => told += "&lt;",
            '>' => told += "&gt;",
            '"' => told += "&quot;",
            '\'' => told += "&apos;",
            ' '..='\u{fffd}' | '\u{10000}'.. => told.push(c),
            _ => told.extend(c.escape_unicode()),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, report};
    use super::*;

    #[test]
    fn an_answer_is_a_test_case() {
        let report = report([
            answer("smtp://192.0.2.10:25", State::Up, "220 x"),
            answer("imap://192.0.2.10:143", State::Down, "<&> \"'\" \u{1}\u{ffff}"),
            answer("file:///x\ny", State::Unknown, "gone"),
        ]);
        assert_eq!(
            text(&report, "mail-2"),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
<testsuite name="ims-probe" hostname="mail-2" tests="3" failures="1" errors="1" skipped="0" time="0.009348" timestamp="2026-11-22T18:30:00">
<testcase classname="ims-probe" name="smtp://192.0.2.10:25 session" time="0.003116"/>
<testcase classname="ims-probe" name="imap://192.0.2.10:143 session" time="0.003116"><failure type="down" message="greet: &lt;&amp;&gt; &quot;&apos;&quot; \u{1}\u{ffff}"/></testcase>
<testcase classname="ims-probe" name="file:///x\u{a}y session" time="0.003116"><error type="unknown" message="greet: gone"/></testcase>
</testsuite>
</testsuites>
"#
        );
    }
}

//! A run drawn as bars over its time, for a terminal.

use super::timeline::{Timeline, Weighed};
use crate::journal::Told;
use crate::record::{Outcome, StepRecord};

/// How many characters the longest bar has.
const WIDTH: u64 = 60;

/// A run drawn: `#` for what lies on the critical path and `=` beside it, the parts of each step below it as `-`.
pub fn chart(told: &Told) -> String {
    let run = &told.run;
    let timeline = Timeline::of(told);
    let total = run.took_ms.unwrap_or(0).max(timeline.length_ms).max(1);
    let mut lines = vec![heading(told)];
    if !told.steps.is_empty() {
        lines.push(format!(
            "  {:<24} {:<10} {:>10} {:>10} {:>6} {:>8}",
            "step", "node", "at", "took", "share", "saves"
        ));
    }
    for (step, weighed) in told.steps.iter().zip(&timeline.steps) {
        lines.push(row(step, weighed, total));
        if step.outcome == Outcome::Failed {
            lines.push(format!("    {}", step.message.as_deref().unwrap_or("failed")));
        }
        for part in &step.parts {
            let at = step.at_ms.unwrap_or(0).saturating_add(part.at_ms);
            let name = format!("  {}", part.name);
            let bar = bar('-', at, part.took_ms, total);
            lines.push(format!("  {name:<35} {at:>7} ms {:>7} ms {:>15} |{bar}", part.took_ms, ""));
        }
    }
    if !told.steps.is_empty() {
        let rest = run.took_ms.and_then(|took| took.checked_sub(timeline.length_ms)).filter(|rest| *rest > 0);
        let rest = rest.map(|rest| format!("; {rest} ms after the last step")).unwrap_or_default();
        let between = timeline.between_ms;
        lines.push(format!(
            "  critical path: {} ms, of it {between} ms between steps{rest}",
            timeline.length_ms
        ));
    }
    lines.extend(timeline.words().map(|words| format!("  {words}")));
    lines.extend(run.message.as_ref().map(|message| format!("  {message}")));
    lines.join("\n")
}

/// What was wished, and what came of it.
pub fn heading(told: &Told) -> String {
    let run = &told.run;
    let status = run.status.as_deref().unwrap_or("killed");
    let took = run.took_ms.map(|took| format!(", {took} ms")).unwrap_or_default();
    let gap = run.gap_ms.map(|gap| format!(", of it {gap} ms from the first stop to the last start"));
    format!("{} {}, {}: {status}{took}{}", run.group, run.wish, run.time, gap.unwrap_or_default())
}

fn row(step: &StepRecord, weighed: &Weighed, total: u64) -> String {
    let (name, node) = (weighed.name(), step.node.as_str());
    let (Some(at), Some(took)) = (step.at_ms, step.took_ms) else {
        return format!("  {name:<24} {node:<10} {:>7} ms {:>10} {:>15} |", step.at_ms.unwrap_or(0), "?", "");
    };
    let is_critical = weighed.critical_ms > 0;
    let share = if is_critical { format!("{} %", weighed.share_percent) } else { String::new() };
    let saves = if weighed.saves_ms > 0 { format!("{} ms", weighed.saves_ms) } else { String::new() };
    let bar = bar(if is_critical { '#' } else { '=' }, at, took, total);
    format!("  {name:<24} {node:<10} {at:>7} ms {took:>7} ms {share:>6} {saves:>8} |{bar}")
}

/// A bar of this sign from when to when.
fn bar(sign: char, at: u64, took: u64, total: u64) -> String {
    let scaled = |ms: u64| usize::try_from(ms.min(total).saturating_mul(WIDTH) / total).unwrap_or(0);
    format!("{}{}", " ".repeat(scaled(at)), sign.to_string().repeat(scaled(took).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::told;
    use crate::lap::Part;

    #[test]
    fn a_run_is_drawn_over_its_time() {
        let mut told =
            told("move --to mail-2", Some("ok"), &[("reach", 0, 90), ("stop", 100, 50), ("start", 150, 150)]);
        told.run.took_ms = Some(305);
        told.run.gap_ms = Some(200);
        told.steps[1].parts = vec![Part { name: "postfix ends".to_owned(), at_ms: 0, took_ms: 5 }];
        let wanted = "\
IMS-RG move --to mail-2, 2026-11-22T18:30:00Z: ok, 305 ms, of it 200 ms from the first stop to the last start
  step                     node               at       took  share    saves
  reach                    mail-1           0 ms      90 ms   30 %          |#################
  stop mail                mail-1         100 ms      50 ms   16 %    50 ms |                   #########
    postfix ends                          100 ms       5 ms                 |                   -
  start mail               mail-1         150 ms     150 ms   50 %   150 ms |                             #############################
  critical path: 300 ms, of it 10 ms between steps; 5 ms after the last step
  outage 200 ms; quicker steps would save: start mail 150 ms, stop mail 50 ms";
        assert_eq!(chart(&told), wanted);
    }

    #[test]
    fn a_run_that_was_killed_or_never_measured_is_drawn_too() {
        let mut killed = told("move", None, &[("stop", 100, 50)]);
        killed.run.took_ms = None;
        killed.run.online_on = None;
        killed.steps[0].outcome = Outcome::Begun;
        killed.steps[0].took_ms = None;
        let drawn = chart(&killed);
        assert!(drawn.starts_with("IMS-RG move, 2026-11-22T18:30:00Z: killed\n"), "{drawn}");
        assert!(
            drawn.contains("stop mail                mail-1         100 ms          ?                 |"),
            "{drawn}"
        );
        killed.steps.clear();
        assert_eq!(chart(&killed), "IMS-RG move, 2026-11-22T18:30:00Z: killed");
    }

    #[test]
    fn times_beyond_all_measure_are_drawn_and_do_not_overflow() {
        let mut told = told("move", Some("ok"), &[("stop", u64::MAX - 1, 5), ("start", 7, u64::MAX)]);
        told.run.took_ms = Some(1);
        assert!(chart(&told).lines().all(|line| line.len() < 300));
    }
}

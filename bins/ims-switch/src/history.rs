//! The runs of a group as the journal has them: records, and a chart of where the time went.

use ims::output::Format;
use ims::sys::file;
use ims::{Exit, Fail, Host, Out};

use crate::cli::History;
use crate::journal::{self, Told};
use crate::record::{Outcome, StepRecord};

/// How many characters the longest bar has.
const WIDTH: u64 = 60;

/// Prints the runs and their steps.
pub fn history(host: &Host, history: &History, out: &mut Out) -> Result<Exit, Fail> {
    // A name without a group is a slip; one whose group was removed still has its journal.
    let path = journal::path(host, &history.group);
    let Some(bytes) = file::read(&path)? else {
        ims::group::Group::load(host, &history.group)?;
        return Ok(Exit::No);
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let runs = journal::read(&text);
    let from = history.last.map_or(0, |last| runs.len().saturating_sub(last));
    for told in runs.iter().skip(from) {
        if history.timeline && out.format() == Format::Table {
            out.text(&chart(told))?;
            continue;
        }
        out.record(&told.run)?;
        told.steps.iter().try_for_each(|step| out.record(step))?;
    }
    Ok(if runs.is_empty() { Exit::No } else { Exit::Ok })
}

/// A run drawn as bars over its time, the parts of each step below it.
fn chart(told: &Told) -> String {
    let run = &told.run;
    let end = told.steps.iter().filter_map(|step| Some(step.at_ms? + step.took_ms.unwrap_or(0))).max();
    let total = run.took_ms.or(end).unwrap_or(0).max(1);
    let status = run.status.as_deref().unwrap_or("killed");
    let took = run.took_ms.map(|took| format!(", {took} ms")).unwrap_or_default();
    let gap = run.gap_ms.map(|gap| format!(", of it {gap} ms from the first stop to the last start"));
    let gap = gap.unwrap_or_default();
    let mut lines = vec![format!("{} {}, {}: {status}{took}{gap}", run.group, run.wish, run.time)];
    for step in &told.steps {
        lines.push(row(&name_of(step), step.node.as_str(), step.at_ms, step.took_ms, total));
        if step.outcome == Outcome::Failed {
            lines.push(format!("    {}", step.message.as_deref().unwrap_or("failed")));
        }
        for part in &step.parts {
            let at = step.at_ms.map(|at| at + part.at_ms);
            lines.push(row(&format!("  {}", part.name), "", at, Some(part.took_ms), total));
        }
    }
    if let Some(message) = &run.message {
        lines.push(format!("  {message}"));
    }
    lines.join("\n")
}

fn name_of(step: &StepRecord) -> String {
    step.resource.as_ref().map_or_else(|| step.verb.clone(), |resource| format!("{} {resource}", step.verb))
}

fn row(name: &str, node: &str, at: Option<u64>, took: Option<u64>, total: u64) -> String {
    let scaled = |ms: u64| usize::try_from(ms.saturating_mul(WIDTH) / total).unwrap_or(0);
    let (Some(begin), Some(length)) = (at, took) else {
        return format!("  {name:<24} {node:<10} {:>7} ms {:>7}    |", at.unwrap_or(0), "?");
    };
    let bar = format!("{}{}", " ".repeat(scaled(begin)), "#".repeat(scaled(length).max(1)));
    format!("  {name:<24} {node:<10} {begin:>7} ms {length:>7} ms |{bar}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lap::Part;
    use crate::record::RunRecord;

    #[test]
    fn a_run_is_drawn_over_its_time() {
        let run = RunRecord {
            run: Some("r".to_owned()),
            group: "IMS-RG".parse().unwrap(),
            wish: "move --to mail-2".to_owned(),
            time: "2026-11-22T18:30:00Z".parse().unwrap(),
            took_ms: Some(300),
            gap_ms: Some(200),
            changed: true,
            dry_run: false,
            status: Some("ok".to_owned()),
            online_on: None,
            message: None,
        };
        let step = StepRecord {
            run: Some("r".to_owned()),
            group: "IMS-RG".parse().unwrap(),
            step: 1,
            node: "mail-1".parse().unwrap(),
            resource: Some("mail".parse().unwrap()),
            verb: "stop".to_owned(),
            command: None,
            why: String::new(),
            after: Vec::new(),
            outcome: Outcome::Done,
            changed: true,
            at_ms: Some(100),
            took_ms: Some(50),
            message: None,
            parts: vec![Part { name: "postfix ends".to_owned(), at_ms: 0, took_ms: 5 }],
        };
        let drawn = chart(&Told { run, steps: vec![step] });
        let wanted = "\
IMS-RG move --to mail-2, 2026-11-22T18:30:00Z: ok, 300 ms, of it 200 ms from the first stop to the last start
  stop mail                mail-1         100 ms      50 ms |                    ##########
    postfix ends                          100 ms       5 ms |                    #";
        assert_eq!(drawn, wanted);
    }
}

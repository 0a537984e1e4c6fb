//! The runs of a group as the journal has them: records, where the time of each went, and how long recoveries take.

mod chart;
mod doubt;
mod kind;
mod path;
mod recovery;
mod svg;
mod timeline;

use std::time::Duration;

use ims::name::GroupName;
use ims::output::Format;
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host, Out};

use crate::cli::History;
use crate::journal::{self, Told};
pub use recovery::Recovery;
pub use timeline::Timeline;

/// Prints the runs and their steps.
pub fn history(host: &Host, history: &History, out: &mut Out) -> Result<Exit, Fail> {
    let mut runs = load(host, &history.group)?;
    if let Some(last) = history.last {
        runs.drain(..runs.len().saturating_sub(last));
    }
    if let Some(file) = &history.svg {
        file::replace(file, svg::draw(&runs).as_bytes())?;
    }
    if history.stats {
        for recovery in recovery::recoveries(&history.group, &runs) {
            out.record(&recovery)?;
        }
    } else {
        runs.iter().try_for_each(|told| tell(told, history, out))?;
    }
    Ok(if runs.is_empty() { Exit::No } else { Exit::Ok })
}

fn tell(told: &Told, history: &History, out: &mut Out) -> Result<(), Fail> {
    if history.timeline && out.format() == Format::Table {
        return out.text(&chart::chart(told));
    }
    out.record(&told.run)?;
    told.steps.iter().try_for_each(|step| out.record(step))?;
    if history.timeline { out.record(&Timeline::of(told)) } else { Ok(()) }
}

/// The mean outage of the failovers that this node drove.
pub fn mean_failover(host: &Host, group: &GroupName) -> Result<Duration, Fail> {
    recovery::mean_failover(group, &load(host, group)?)
}

/// The runs that this node drove. What is doubtful about the journal is told on stderr.
fn load(host: &Host, group: &GroupName) -> Result<Vec<Told>, Fail> {
    // A name without a group is a slip; one whose group was removed still has its journal.
    let Some(bytes) = file::read(&journal::path(host, group))? else {
        ims::group::Group::load(host, group)?;
        return Ok(Vec::new());
    };
    let text = String::from_utf8_lossy(&bytes);
    let (runs, unread) = journal::read(&text);
    for doubt in doubt::doubts(&runs, &unread) {
        stderr::say("ims-switch", format_args!("journal of {group}: {doubt}"));
    }
    Ok(runs)
}

#[cfg(test)]
mod tests;

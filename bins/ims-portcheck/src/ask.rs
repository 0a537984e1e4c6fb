//! What another node says: the same command run there by its reach command, with everything that is known here on
//! its stdin.

use std::time::Duration;

use ims::input::Piped;
use ims::instance::Instance;
use ims::name::NodeName;
use ims::nodes::{Nodes, PATH};
use ims::sys::exec::Line;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Record};

use crate::look::Configured;
use crate::piped::{Told, line};
use crate::record::{Conflict, Fit};

/// What a node answered.
#[derive(Debug, Default)]
pub struct Answered {
    /// What collides there.
    pub conflicts: Vec<Conflict>,
    /// What it could not tell.
    pub unknown: Vec<String>,
}

/// Everything that is known here, as records.
pub fn known(host: &str, asked: &[Piped<Instance>], configured: &[Configured]) -> Result<String, Fail> {
    let mut text = String::new();
    for of in asked {
        text += &line(&of.host, &of.record)?;
    }
    for c in configured {
        text += &line(host, &Told::of(&c.of.record, &c.listener))?;
    }
    Ok(text)
}

/// Asks a node about that many instances; what keeps it from answering is a failure. Its last record says that it was
/// asked about all of them: a way there that leads to nobody may end with any status, and says nothing.
pub fn ask(
    nodes: &Nodes,
    node: &NodeName,
    more: &[&str],
    known: &str,
    count: usize,
    timeout: Duration,
) -> Result<Answered, Fail> {
    let reach = nodes.get(node).map(|node| node.reach.as_slice()).unwrap_or_default();
    if reach.is_empty() {
        return Err(Fail::unknown(format!("cannot ask {node}: it has no reach in {PATH}"))
            .hint("like reach = [\"ssh\", \"root@mail-2\"], or --no-live for the configurations alone"));
    }
    let cannot = || Fail::unknown(format!("cannot ask {node}"));
    let words = ["ims-portcheck", "-", "--answer", "--output", "json"].iter().chain(more);
    let stop = Stop::watch()?;
    let ended = Line::new(words.copied()).behind(reach).run_bound(known.as_bytes(), timeout, &stop);
    stop.end();
    let ended = ended.map_err(|fail| cannot().because(fail))?;
    match ended.status.and_then(Exit::from_code) {
        Some(Exit::Ok | Exit::No | Exit::Unknown) => {}
        Some(Exit::Usage | Exit::Refused | Exit::Failed | Exit::Broken | Exit::Busy) | None => {
            return Err(cannot().because(ended.last_words()));
        }
    }
    let mut conflicts = Vec::new();
    let mut fit: Option<Fit> = None;
    for text in String::from_utf8_lossy(&ended.stdout).lines() {
        let record: serde_json::Value = serde_json::from_str(text).map_err(|e| cannot().because(e))?;
        match record.get("schema").and_then(serde_json::Value::as_str) {
            Some(Conflict::SCHEMA) => {
                let conflict: Conflict = serde_json::from_value(record).map_err(|e| cannot().because(e))?;
                conflicts.push(Conflict { node: node.to_string(), ..conflict });
            }
            Some(Fit::SCHEMA) => fit = Some(serde_json::from_value(record).map_err(|e| cannot().because(e))?),
            _ => {}
        }
    }
    let fit = fit.ok_or_else(|| {
        cannot().because(ended.last_words()).hint("is ims-portcheck installed there and on the search path?")
    })?;
    if fit.instances != count {
        return Err(cannot().because(format!("it heard of {} of {count} instances", fit.instances)));
    }
    Ok(Answered { conflicts, unknown: fit.unknown })
}

//! Another node asked through its `reach` command: what its own `ims-registry` answers, or why it does not.

use std::time::Duration;

use ims::change::Change;
use ims::fail::FailRecord;
use ims::name::NodeName;
use ims::nodes::{self, Node, Nodes};
use ims::sys::exec::{Ended, Line};
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Record};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::replica::Replica;

/// The most that a node may answer, in bytes: a registry of some 100,000 entries.
const LARGEST: usize = 64 * 1024 * 1024;

/// What a node answered.
#[derive(Debug)]
pub struct Answer {
    /// What became of each entry there.
    pub replicas: Vec<Replica>,
    /// What became of the file there, or why nothing did.
    pub end: Result<Change, Fail>,
}

/// The nodes of these names, each once, and how they are reached.
pub fn reached(host: &Host, names: &[NodeName]) -> Result<Vec<(NodeName, Node)>, Fail> {
    let nodes = Nodes::load(host)?;
    let mut found: Vec<(NodeName, Node)> = Vec::new();
    for name in names {
        if name.as_str() == host.name() {
            return Err(Fail::usage(format!("{name} is this node")).hint("name another"));
        }
        let node = nodes.get(name).filter(|node| !node.reach.is_empty()).ok_or_else(|| {
            Fail::usage(format!("{name} has no reach in {}", nodes::PATH))
                .hint("like reach = [\"ssh\", \"root@mail-2\"]")
        })?;
        if found.iter().all(|(known, _)| known != name) {
            found.push((name.clone(), node.clone()));
        }
    }
    Ok(found)
}

/// Runs `ims-registry` there and hears it out. It may take as long as the node may take to be reached, and `timeout`;
/// a signal that waits in `stop` ends it.
pub fn ask(
    name: &NodeName,
    node: &Node,
    words: &[String],
    stdin: &[u8],
    timeout: Duration,
    stop: &Stop,
) -> Answer {
    let line = Line::new(["ims-registry"].into_iter().chain(words.iter().map(String::as_str)));
    let line = line.behind(&node.reach).keeping(LARGEST);
    match line.run_bound(stdin, node.reach_timeout.saturating_add(timeout), stop) {
        Ok(ended) => heard(name, node, &ended),
        Err(fail) => {
            let fail = Fail::unknown(format!("cannot reach {name}")).because(fail);
            Answer { replicas: Vec::new(), end: Err(fail) }
        }
    }
}

/// Reads an answer. Lines that are no records of ours are passed over: a login shell may greet.
fn heard(name: &NodeName, node: &Node, ended: &Ended) -> Answer {
    let mut replicas = Vec::new();
    let mut end: Option<Result<Change, Fail>> = None;
    for line in ended.stdout.split(|byte| *byte == b'\n') {
        if let Some(replica) = read::<Replica>(line, Replica::SCHEMA) {
            replicas.push(replica);
        } else if let Some(change) = read::<Change>(line, Change::SCHEMA) {
            end = Some(Ok(change));
        } else if let Some(failed) = read::<Failed>(line, FailRecord::SCHEMA) {
            let exit = Exit::from_code(failed.exit).unwrap_or(Exit::Unknown);
            end = Some(Err(Fail::new(exit, format!("{name}: {}", failed.message))));
        }
    }
    let end = match end {
        Some(Ok(_)) if ended.stdout.len() >= LARGEST => {
            Err(Fail::unknown(format!("{name} answers more than {LARGEST} bytes")))
        }
        Some(Ok(change)) if ended.is_success() => Ok(change),
        Some(Err(fail)) => Err(fail),
        Some(Ok(_)) | None => Err(unheard(name, node, ended)),
    };
    Answer { replicas, end }
}

/// Why a node did not answer: no connection, or no `ims-registry` of this version there.
fn unheard(name: &NodeName, node: &Node, ended: &Ended) -> Fail {
    if ended.status.is_none_or(|status| node.lost_status.contains(&status)) {
        return Fail::unknown(format!("cannot reach {name}")).because(ended.last_words());
    }
    let status = ended.status.unwrap_or_default();
    let reach = node.reach.join(" ");
    Fail::unknown(format!("{name} does not answer: {reach} ended with status {status}"))
        .because(ended.last_words())
        .hint("is ims-registry installed there and on the search path?")
}

/// How a run that failed ends; see [`FailRecord`].
#[derive(Deserialize)]
struct Failed {
    exit: i32,
    message: String,
}

fn read<T: DeserializeOwned>(line: &[u8], schema: &str) -> Option<T> {
    #[derive(Deserialize)]
    struct Head<'a> {
        schema: &'a str,
    }
    let head: Head<'_> = serde_json::from_slice(line).ok()?;
    (head.schema == schema).then(|| serde_json::from_slice(line).ok()).flatten()
}

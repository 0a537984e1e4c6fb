//! This node's entries beside those of other nodes: compared by `diff`, put there by `replicate`. All nodes are asked
//! at once, and one that does not answer keeps none of the others waiting.

use std::thread;
use std::time::Duration;

use ims::fail::FailRecord;
use ims::instance::Instance;
use ims::name::{InstanceName, NodeName};
use ims::nodes::Node;
use ims::record::Envelope;
use ims::registry::{PATH, Registry};
use ims::sys::stderr;
use ims::sys::stop::Stop;
use ims::{Exit, Fail, Host, Out};

use crate::NAME;
use crate::cli::{Diff, Replicate};
use crate::node::{Answer, ask, reached};
use crate::receive::written;
use crate::replica::{Difference, Outcome, Replica};

/// Prints every key that this node and the others do not say the same of.
pub fn diff(host: &Host, diff: &Diff, out: &mut Out) -> Result<Exit, Fail> {
    let nodes = reached(host, &diff.nodes)?;
    let registry = Registry::load(host)?;
    let is_meant = |name: &InstanceName| diff.names.is_empty() || diff.names.contains(name);
    let ours: Vec<&Instance> = registry.instances().filter(|instance| is_meant(&instance.name)).collect();
    let mut exit = Exit::Ok;
    for (node, answer) in ask_all(host, &nodes, &ours, &["--dry-run"], diff.timeout.0)? {
        if let Err(fail) = &answer.end {
            stderr::say(NAME, fail);
            out.record_of(node.as_str(), &FailRecord::from(fail))?;
            exit = exit.gravest(Exit::Unknown);
            continue;
        }
        let meant: Vec<Replica> =
            answer.replicas.into_iter().filter(|replica| is_meant(&replica.name)).collect();
        for name in diff.names.iter().filter(|name| meant.iter().all(|replica| replica.name != **name)) {
            stderr::say(NAME, format_args!("no instance '{name}' in {PATH} here or on {node}"));
            exit = exit.gravest(Exit::No);
        }
        for Replica { node, name, differences, .. } in meant {
            for pair in differences {
                let (node, name) = (node.clone(), name.clone());
                exit = exit.gravest(Exit::No);
                out.record(&Difference { node, name, key: pair.key, here: pair.here, there: pair.there })?;
            }
        }
    }
    Ok(exit)
}

/// Puts this node's entries into the registries of other nodes, on each all of them or none.
pub fn replicate(host: &Host, replicate: &Replicate, out: &mut Out) -> Result<Exit, Fail> {
    let nodes = reached(host, &replicate.nodes)?;
    let registry = Registry::load(host)?;
    let named: Vec<&Instance> =
        replicate.names.iter().map(|name| registry.find(name)).collect::<Result<_, _>>()?;
    let ours = if replicate.names.is_empty() { registry.instances().collect() } else { named };
    if ours.is_empty() {
        stderr::say(NAME, format_args!("no instance in {PATH} to replicate"));
        return Ok(Exit::No);
    }
    let change = &replicate.change;
    let timeout = format!("--timeout={}", change.timeout);
    let mut words = vec![timeout.as_str()];
    words.extend(replicate.force_replace.then_some("--force-replace"));
    words.extend(change.dry_run.then_some("--dry-run"));
    let mut exit = Exit::Ok;
    for (node, answer) in ask_all(host, &nodes, &ours, &words, change.timeout.0)? {
        let is_meant =
            |replica: &&Replica| replicate.names.is_empty() || replicate.names.contains(&replica.name);
        for replica in answer.replicas.iter().filter(is_meant) {
            out.record_of(node.as_str(), replica)?;
        }
        let end = match refusal(host, node, &answer) {
            Some(fail) => Err(fail),
            None => answer.end,
        };
        match end {
            Ok(change) => {
                if change.dry_run {
                    out.text(&change.diff)?;
                }
                out.record_of(node.as_str(), &change)?;
            }
            Err(fail) => {
                stderr::say(NAME, &fail);
                out.record_of(node.as_str(), &FailRecord::from(&fail))?;
                exit = exit.gravest(fail.exit());
            }
        }
    }
    Ok(exit)
}

/// What kept a node from taking the entries in, and which of the two registries was written later, as far as their
/// clocks tell.
fn refusal(host: &Host, node: &NodeName, answer: &Answer) -> Option<Fail> {
    let refused: Vec<&Replica> =
        answer.replicas.iter().filter(|replica| replica.outcome == Outcome::Refused).collect();
    let there = refused.first()?.written;
    let names: Vec<&str> = refused.iter().map(|replica| replica.name.as_str()).collect();
    let when = |time: Option<jiff::Timestamp>| {
        time.map_or_else(|| "at an unknown time".to_owned(), |time| format!("{time:.0}"))
    };
    Some(
        Fail::refused(format!(
            "{node} has another {}, and nothing was changed there: its registry was written {}, the one here {}",
            names.join(", "),
            when(there),
            when(written(&host.path(PATH)))
        ))
        .hint(format!("see ims-registry diff --with {node}; --force-replace overwrites what is there")),
    )
}

/// Sends the entries to every node at once; the answers are in the order of the nodes.
fn ask_all<'n>(
    host: &Host,
    nodes: &'n [(NodeName, Node)],
    ours: &[&Instance],
    words: &[&str],
    timeout: Duration,
) -> Result<Vec<(&'n NodeName, Answer)>, Fail> {
    let mut stdin = String::new();
    for instance in ours {
        let line = Envelope::new(host.name(), *instance).line();
        stdin.push_str(&line.map_err(|e| Fail::unknown("cannot send the entries").because(e))?);
        stdin.push('\n');
    }
    let count = format!("--count={}", ours.len());
    let stop = Stop::watch()?;
    let heard = thread::scope(|scope| {
        let asked: Vec<_> = nodes
            .iter()
            .map(|(name, node)| {
                let fixed = ["receive", name.as_str(), "--output=json", &count];
                let words: Vec<String> =
                    fixed.into_iter().chain(words.iter().copied()).map(ToOwned::to_owned).collect();
                let (stdin, stop) = (stdin.as_bytes(), &stop);
                (name, scope.spawn(move || ask(name, node, &words, stdin, timeout, stop)))
            })
            .collect();
        asked
            .into_iter()
            .map(|(name, thread)| {
                let gone =
                    || Answer { replicas: Vec::new(), end: Err(Fail::unknown("a thread ended too early")) };
                (name, thread.join().unwrap_or_else(|_| gone()))
            })
            .collect()
    });
    // Each node says whether it was kept from answering by the signal. Who reads that may take his time, and then
    // another one ends the run as usual.
    stop.asked();
    stop.end();
    Ok(heard)
}

//! Groups from the commands of Sun Cluster 3: they are carried out one after the other on a cluster in memory, and
//! what stands at the end becomes groups.

mod action;
mod cluster;
mod group;
mod property;
mod resource;
mod script;

use crate::import::{Given, Imported, Source};
use cluster::Cluster;

/// Reads scripts, in their order, as one.
pub fn read(sources: &[Source], given: &Given) -> Imported {
    let mut imported = Imported::default();
    let mut cluster = Cluster::new(given);
    for source in sources {
        let script = script::read(source, &mut imported.remarks);
        for words in &script.commands {
            cluster.carry_out(words, &script, &source.file, &mut imported.remarks);
        }
    }
    group::all(&cluster, given, &mut imported);
    imported.remarks.sort_by_key(|remark| (remark.file.clone(), remark.line));
    imported
}

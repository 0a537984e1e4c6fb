//! `ims-diskctl` on real ext4 file systems shared by two nodes.

mod ahead;
mod check;
mod claim;
mod crash;
mod ending;
mod filesystems;
mod kill;
mod layers;
mod look;
mod matrix;
mod mirror;
mod named;
mod paths;
mod release;
mod reservation;
mod sanlock;
mod take;
mod thaw;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Bed, Disk, Node, Ran};

/// Two nodes and the volume that they share, at /srv/ims.
struct Pair {
    bed: Bed,
    one: Node,
    two: Node,
    disk: Disk,
}

impl Pair {
    /// With a guard that a living holder writes every second.
    fn new() -> Self {
        Self::with("-L ims -O mmp -E mmp_update_interval=1")
    }

    fn with(options: &str) -> Self {
        let bed = Bed::new();
        let (one, two) = (bed.node("mail-1"), bed.node("mail-2"));
        let disk = bed.disk(32, options);
        for node in [&one, &two] {
            node.attach(&disk);
            node.sh("mkdir -p /srv/ims").ok();
        }
        let pair = Self { bed, one, two, disk };
        pair.sign();
        pair
    }

    /// Tells each node how the others sign. Namespaces are one machine to the kernel, which signs with that machine's
    /// name and with the name of the node's own device.
    fn sign(&self) {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let mut names = String::new();
        for node in [&self.one, &self.two].into_iter().filter(|node| node.is_up()) {
            let minor = node.sh(&format!("stat -c %Lr {}", self.disk.device())).ok().stdout;
            names += &format!("\"{host}:loop{}\" = \"{}\"\n", minor.trim(), node.name());
        }
        for node in [&self.one, &self.two].into_iter().filter(|node| node.is_up()) {
            node.file("/etc/ims/guard-names.toml", &names);
        }
    }

    /// `ims-diskctl VERB` of the volume on a node.
    fn run(&self, node: &Node, verb: &str, more: &[&str]) -> Ran {
        node.run(self.words(verb, more))
    }

    fn words(&self, verb: &str, more: &[&str]) -> Vec<String> {
        let device = self.disk.device();
        let fixed = ["ims-diskctl", verb, "--device", &device, "--mount", "/srv/ims"];
        fixed.iter().chain(more).map(ToString::to_string).collect()
    }

    /// Cuts the power of the first node while it masters the volume; gives the record of how it is left.
    fn power_cut_of_the_holder(&self) -> Value {
        self.run(&self.one, "take", &[]).ok();
        self.one.sh("echo acknowledged >/srv/ims/message; sync /srv/ims/message").ok();
        self.one.power_cut();
        let left = record(&self.run(&self.two, "look", &[]).status_is(1));
        assert_eq!((text(&left["guard"]["state"]), text(&left["guard"]["held_by"])), ("held", "mail-1"));
        left
    }

    /// A proof that a node was fenced, in a file of the second node.
    fn proof(&self, node: &str, time: jiff::Timestamp, file: &str) {
        self.proof_by("agent", node, time, file);
    }

    /// The same, confirmed by somebody.
    fn proof_by(&self, who: &str, node: &str, time: jiff::Timestamp, file: &str) {
        self.proof_of(who, node, time, "[]", file);
    }

    /// The same, with the guards that were seen.
    fn proof_of(&self, who: &str, node: &str, time: jiff::Timestamp, guards: &str, file: &str) {
        let proof = format!(
            r#"{{"schema":"ims.fenced/1","host":"mail-2","node":"{node}","method":"fence_bed","confirmed_by":"{who}","time":"{time}","guards":{guards}}}"#
        );
        self.two.file(PathBuf::from(file), proof + "\n");
    }
}

/// The last record of a run.
#[track_caller]
fn record(ran: &Ran) -> Value {
    ran.records().pop().unwrap_or_else(|| panic!("no record: {ran}"))
}

/// The record of a type that a run printed.
#[track_caller]
fn record_of(ran: &Ran, schema: &str) -> Value {
    let found = ran.records().into_iter().find(|record| record["schema"] == schema);
    found.unwrap_or_else(|| panic!("no {schema}: {ran}"))
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

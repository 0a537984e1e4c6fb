//! A transcript of cluster commands: imported, put on every node, and its commands' counterparts carried out.

use std::collections::BTreeMap;

use super::super::import::data;
use super::site::Site;
use crate::support::*;

/// The remarks that an import made, in the order in which they were told.
pub struct Imported(Vec<serde_json::Value>);

impl Imported {
    /// The command lines that a beginning of a note announces.
    pub fn lines(&self, beginning: &str) -> Vec<String> {
        let notes = self.0.iter().filter(|record| record["kind"] == "note");
        let lines = notes.filter_map(|note| note["what"].as_str().unwrap().strip_prefix(beginning));
        lines.map(|line| line.trim_start_matches(": ").to_owned()).collect()
    }

    /// The commands of the cluster that were not carried out.
    pub fn commands(&self) -> Vec<String> {
        self.lines("not carried out")
    }

    fn said(&self, text: &str) -> bool {
        self.0.iter().any(|remark| remark["what"].as_str().is_some_and(|what| what.contains(text)))
    }
}

/// Imports transcripts on the operator's node into a folder of its own; `status` is what it ends with.
pub fn import(site: &Site, files: &[&str], status: i32) -> (Imported, Ran) {
    let operator = &site.nodes[0];
    let mut line = vec!["ims-switch".to_owned(), "import".to_owned(), "sun-cluster".to_owned()];
    for file in files {
        operator.file(format!("/root/{file}"), data(file));
        line.push(format!("/root/{file}"));
    }
    operator.run(["mkdir", "-p", "/root/groups"]).ok();
    line.extend(["--to".to_owned(), "/root/groups".to_owned()]);
    line.extend(["--layout".to_owned(), "postfix-dovecot".to_owned()]);
    line.extend(site.options());
    let ran = operator.run(line).status_is(status);
    let remarks =
        ran.records().into_iter().filter(|record| record["schema"] == "ims.import-remark/1").collect();
    (Imported(remarks), ran)
}

/// Imports the example and does what that leaves to its operator: the registry and the group files on every node.
/// Everything but the logical hosts is disabled, as it is in the cluster before it is made.
pub fn begin(site: &Site, file: &str) -> Imported {
    let (imported, ran) = import(site, &[file], 0);
    let operator = &site.nodes[0];
    assert!(imported.said("left to do: ims-registry add - takes stork from its record"), "{ran}");
    operator.command(["ims-registry", "add", "-"]).stdin(&*ran.stdout).run().ok();
    let others: Vec<&str> = site.nodes[1..].iter().map(Node::name).collect();
    site.run(&format!("ims-registry replicate --to {}", others.join(" "))).ok();
    let adds = imported.lines("left to do, for every node");
    assert_eq!(adds.len(), site.groups.len(), "{ran}");
    for line in adds {
        site.run(&line).ok();
        site.run(&line).ok(); // the same again changes nothing
    }
    for node in &site.nodes {
        for group in &site.groups {
            assert!(node.read(format!("/etc/ims/groups/{}.toml", group.name)).is_ok(), "{}", node.name());
        }
    }
    // Nothing is left to do any more, but to add the files.
    let (again, ran) = import(site, &[file], 0);
    assert!(!again.said("ims-registry add") && !again.said("nodes.toml"), "{ran}");
    for (group, (_, parts)) in parts(site) {
        site.run(&format!("ims-switch disable {}", parts.join(" "))).ok();
        site.run(&format!("ims-switch status {group}")).status_is(1);
    }
    imported
}

/// The logical host and the other resources of each group, as `graph` tells them.
fn parts(site: &Site) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let told = site.run("ims-switch graph").ok();
    let one = |group: &serde_json::Value| {
        let name = group["group"].as_str().unwrap().to_owned();
        let resources = group["resources"].as_array().unwrap().iter();
        let (hosts, others): (Vec<_>, Vec<_>) = resources.partition(|part| part["type"] == "logical-ip");
        let named = |parts: Vec<&serde_json::Value>| {
            parts.iter().map(|part| format!("{name}:{}", part["resource"].as_str().unwrap())).collect()
        };
        (name.clone(), (named(hosts), named(others)))
    };
    told.records().iter().map(one).collect()
}

/// Carries commands out one after the other; `between` is called before each.
pub fn carry_out(site: &Site, commands: &[String], mut between: impl FnMut(&str)) {
    for line in commands {
        between(line);
        let ran = site.run(line).ok();
        println!("{line}: {} ms", ran.took.as_millis());
        site.has_no_harm();
    }
}

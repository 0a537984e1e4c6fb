//! `diff` and `replicate` between nodes with a real sshd each.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Bed, Node, Ran, needs_root};

pub const NODES: &str = "[mail-1]\nreach = [\"ssh\", \"root@mail-1\"]\n[mail-2]\nreach = [\"ssh\", \"root@mail-2\"]\n\
                     [mail-3]\nreach = [\"ssh\", \"root@mail-3\"]\nreach_timeout = \"1s\"\n";

pub const REGISTRY: &str = "/etc/msgregistry.inf";

/// Nodes that can be reached from the first one.
pub fn nodes<const N: usize>(bed: &Bed) -> [Node; N] {
    let nodes = std::array::from_fn(|index| bed.node(&format!("mail-{}", index + 1)));
    for node in &nodes {
        Node::file(node, "/etc/ims/nodes.toml", NODES);
    }
    nodes
}

pub fn entry(name: &str, address: &str) -> String {
    format!("[{name}]\nlayout = iplanet-5\nroot = /opt/iplanet/server5\naddress = {address}\n")
}

/// What became of each entry on each node.
fn outcomes(ran: &Ran) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let is_replica = |record: &&Value| record["schema"] == "ims.replica/1";
    let told = |record: &Value| {
        assert_eq!(record["host"], record["node"]);
        format!("{} {} {}", text(&record["node"]), text(&record["name"]), text(&record["outcome"]))
    };
    ran.records().iter().filter(is_replica).map(told).collect()
}

/// Whether the file of each node was changed.
fn changes(ran: &Ran) -> Vec<(String, bool)> {
    let is_change = |record: &&Value| record["schema"] == "ims.change/1";
    let told = |r: &Value| (r["host"].as_str().unwrap().to_owned(), r["changed"].as_bool().unwrap());
    ran.records().iter().filter(is_change).map(told).collect()
}

#[test]
fn entries_are_put_on_every_node_and_a_second_run_changes_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two, three] = nodes::<3>(&bed);
    let here =
        format!("# ours\n{}owner = joe\n\n{}", entry("stork", "10.0.37.10"), entry("heron", "10.0.37.11"));
    let there = format!("# theirs\n{}", entry("crane", "10.0.37.12"));
    one.file(REGISTRY, &here);
    two.file(REGISTRY, &there);
    let replicate = ["ims-registry", "replicate", "--to", "mail-2", "mail-3"];
    let shown = one.run(replicate.into_iter().chain(["--dry-run"])).ok();
    assert_eq!(changes(&shown), [("mail-2".to_owned(), true), ("mail-3".to_owned(), true)]);
    assert!(shown.stdout.contains("+[stork]"), "{shown}");
    assert_eq!((two.read(REGISTRY).unwrap(), three.read(REGISTRY).is_err()), (there.clone(), true));

    let first = one.run(replicate).ok();
    let told = [
        "mail-2 stork added",
        "mail-2 heron added",
        "mail-2 crane kept",
        "mail-3 stork added",
        "mail-3 heron added",
    ];
    assert_eq!(outcomes(&first), told);
    let both = format!("{}\n{}", entry("stork", "10.0.37.10"), entry("heron", "10.0.37.11"));
    assert_eq!(two.read(REGISTRY).unwrap(), format!("{there}\n{both}"));
    assert_eq!(three.read(REGISTRY).unwrap(), both);
    assert_eq!(one.read(REGISTRY).unwrap(), here);

    let second = one.run(replicate).ok();
    assert_eq!(changes(&second), [("mail-2".to_owned(), false), ("mail-3".to_owned(), false)]);
    assert!(outcomes(&second).contains(&"mail-3 heron same".to_owned()), "{second}");
    one.run(["ims-registry", "diff", "--with", "mail-3"]).ok();
    let table = one.run(replicate.into_iter().chain(["-o", "table"])).ok();
    assert!(
        table.stdout.starts_with(" NODE    NAME   OUTCOME  KEYS\n mail-2  stork  same     -\n"),
        "{table}"
    );
}

#[test]
fn an_entry_that_is_another_there_is_refused_unless_it_is_said_and_nothing_else_is_changed_there() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two, three] = nodes::<3>(&bed);
    one.file(REGISTRY, entry("stork", "10.0.37.10") + &entry("heron", "10.0.37.11"));
    let there = format!("# theirs\n{}owner = joe\n# keep\n", entry("stork", "10.0.37.99"));
    two.file(REGISTRY, &there);
    let replicate = ["ims-registry", "replicate", "--to", "mail-2", "--to", "mail-3"];
    for run in [&replicate[..], &[&replicate[..], &["-n"]].concat()] {
        let refused = one.run(run).status_is(4);
        assert_eq!(
            outcomes(&refused)[..2],
            ["mail-2 stork refused", "mail-2 heron withheld"].map(ToOwned::to_owned)
        );
        assert!(
            refused.stderr.contains(
                "mail-2 has another stork, and nothing was changed there: its registry was written 20"
            ),
            "{refused}"
        );
        assert_eq!(refused.stderr.lines().count(), 1, "{refused}");
        assert_eq!(two.read(REGISTRY).unwrap(), there);
    }
    assert!(three.read(REGISTRY).is_ok(), "it does not hinder the others");
    // The one that is not refused can be sent by its name.
    let named = one.run(["ims-registry", "replicate", "heron", "--to", "mail-2"]).ok();
    assert_eq!(outcomes(&named), ["mail-2 heron added"]);
    let forced = one.run(["ims-registry", "replicate", "--to", "mail-2", "--force-replace"]).ok();
    assert_eq!(outcomes(&forced), ["mail-2 stork replaced", "mail-2 heron same"]);
    let now = there.replace("10.0.37.99", "10.0.37.10");
    assert!(two.read(REGISTRY).unwrap().starts_with(&now), "{}", two.read(REGISTRY).unwrap());
    one.run(["ims-registry", "replicate", "--to", "mail-2"]).ok();
}

#[test]
fn differences_are_told_key_by_key_and_a_node_that_is_gone_is_unknown() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two] = nodes::<2>(&bed);
    one.file(REGISTRY, entry("stork", "10.0.37.10") + &entry("heron", "10.0.37.11"));
    two.file(REGISTRY, entry("stork", "10.0.37.99") + "ldap = mail\n" + &entry("crane", "10.0.37.12"));
    let different = one.run(["ims-registry", "diff", "--with", "mail-2"]).status_is(1);
    let told: Vec<[Value; 4]> = different
        .records()
        .iter()
        .map(|r| ["name", "key", "here", "there"].map(|key| r[key].clone()))
        .collect();
    let row = |name: &str, key: &str, here: Option<&str>, there: Option<&str>| {
        [name.into(), key.into(), here.into(), there.into()]
    };
    let root = Some("/opt/iplanet/server5");
    let wanted: [[Value; 4]; 8] = [
        row("stork", "address", Some("10.0.37.10"), Some("10.0.37.99")),
        row("stork", "ldap", None, Some("mail")),
        row("heron", "layout", Some("iplanet-5"), None),
        row("heron", "root", root, None),
        row("heron", "address", Some("10.0.37.11"), None),
        row("crane", "layout", None, Some("iplanet-5")),
        row("crane", "root", None, root),
        row("crane", "address", None, Some("10.0.37.12")),
    ];
    assert_eq!(told, wanted);
    let table = one.run(["ims-registry", "diff", "stork", "--with", "mail-2", "-o", "table"]).status_is(1);
    assert_eq!(
        table.stdout,
        " NODE    NAME   KEY      HERE        THERE\n mail-2  stork  address  10.0.37.10  10.0.37.99\n mail-2  stork  ldap     -           mail\n"
    );
    one.run(["ims-registry", "diff", "owl", "--with", "mail-2"]).status_is(1);
    two.file(REGISTRY, "[torn\n");
    let torn = one.run(["ims-registry", "diff", "--with", "mail-2"]).status_is(3);
    assert!(torn.stderr.contains("mail-2: /etc/msgregistry.inf:1: a section without"), "{torn}");
    two.power_cut();
    one.run(["ims-registry", "diff", "--with", "mail-2"]).status_is(3);
}

#[test]
fn a_node_that_cannot_be_reached_is_unknown_and_hinders_no_other() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two, three] = nodes::<3>(&bed);
    one.file(REGISTRY, entry("stork", "10.0.37.10"));
    three.power_cut();
    let replicate = ["ims-registry", "replicate", "--to", "mail-3", "mail-2", "--timeout", "1s"];
    let ran = one.run(replicate).status_is(3);
    assert!(ran.stderr.starts_with("ims-registry: cannot reach mail-3: "), "{ran}");
    let failed = ran.records().into_iter().find(|record| record["schema"] == "ims.fail/1").unwrap();
    assert_eq!((failed["host"].as_str(), failed["exit"].as_u64()), (Some("mail-3"), Some(3)));
    assert_eq!(two.read(REGISTRY).unwrap(), entry("stork", "10.0.37.10"));
    // One that never answers is given up at its deadline: reach_timeout and --timeout together.
    let reach = "[\"sh\", \"-c\", \"sleep 600\"]";
    one.file("/etc/ims/nodes.toml", format!("[mail-2]\nreach = {reach}\nreach_timeout = \"100ms\"\n"));
    let ran = one.run(["ims-registry", "replicate", "--to", "mail-2", "--timeout", "200ms"]).status_is(3);
    assert!(ran.stderr.contains("cannot reach mail-2: sh did not end within 300ms"), "{ran}");
    assert!(ran.took < Duration::from_secs(5), "{ran}");
}

#[test]
fn what_leads_elsewhere_or_to_no_registry_changes_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two] = nodes::<2>(&bed);
    let replicate = ["ims-registry", "replicate", "--to", "mail-2"];
    one.run(replicate).status_is(1); // nothing to replicate
    one.file(REGISTRY, entry("stork", "10.0.37.10"));
    for (nodes, status, told) in [
        ("[mail-2]\nreach = [\"ssh\", \"root@mail-1\"]\n", 2, "mail-2: reach of mail-2 leads to mail-1"),
        ("[mail-2]\n", 2, "mail-2 has no reach in /etc/ims/nodes.toml"),
        (
            "[mail-2]\nreach = [\"sh\", \"-c\", \"exit 9\"]\n",
            3,
            "mail-2 does not answer: sh -c exit 9 ended with status 9",
        ),
        ("[mail-2]\nreach = [\"no-such-program\"]\n", 3, "cannot reach mail-2: cannot run no-such-program"),
        // What is sent breaks off on the way.
        (
            "[mail-2]\nreach = [\"sh\", \"-c\", \"head -c 40 | ssh root@mail-2 \\\"$@\\\"\", \"sh\"]\n",
            2,
            "mail-2: stdin:1: not JSON",
        ),
        (
            "[mail-2]\nreach = [\"sh\", \"-c\", \": | ssh root@mail-2 \\\"$@\\\"\", \"sh\"]\n",
            3,
            "no ims.instance/1 record came",
        ),
    ] {
        one.file("/etc/ims/nodes.toml", nodes);
        let ran = one.run(replicate).status_is(status);
        assert!(ran.stderr.contains(told), "{told}: {ran}");
        assert!(two.read(REGISTRY).is_err(), "{told}");
    }
    one.run(["ims-registry", "replicate", "--to", "mail-1"]).status_is(2);
    one.run(["ims-registry", "replicate", "owl", "--to", "mail-2"]).status_is(2);
    one.run(["ims-registry", "replicate"]).status_is(2);
}

#[test]
fn a_node_whose_registry_is_held_torn_or_cannot_be_written_is_told_and_left() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two] = nodes::<2>(&bed);
    one.file(REGISTRY, entry("stork", "10.0.37.10"));
    let replicate = ["ims-registry", "replicate", "--to", "mail-2", "--timeout", "300ms"];
    two.sh("mkdir -p /run/ims/lock").ok();
    let holder = two.spawn(["flock", "/run/ims/lock/registry.lock", "sh", "-c", "echo held; sleep 600"]);
    assert!(holder.until_stdout(Duration::from_secs(10), |out| out.contains("held")));
    let busy = one.run(replicate).status_is(7);
    assert!(busy.stderr.contains("mail-2: /run/ims/lock/registry.lock is held"), "{busy}");
    holder.kill();
    two.file(REGISTRY, "[torn\n");
    one.run(replicate).status_is(2);
    two.sh("rm /etc/msgregistry.inf; ln -s nowhere /etc/msgregistry.inf").ok();
    one.run(replicate).status_is(3);
    two.sh("rm /etc/msgregistry.inf; mount --bind /etc /etc; mount -o remount,bind,ro /etc").ok();
    let read_only = one.run(replicate).status_is(5);
    assert!(read_only.stderr.contains("Read-only file system"), "{read_only}");
}

#[test]
fn ten_thousand_entries_are_replicated() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two] = nodes::<2>(&bed);
    let many: Vec<String> = (0..10_000).map(|n| entry(&format!("m{n}"), "10.0.37.10")).collect();
    one.file(REGISTRY, many.join("\n"));
    let ran = one.run(["ims-registry", "replicate", "--to", "mail-2"]).ok();
    assert_eq!(outcomes(&ran).len(), 10_000);
    assert_eq!(two.read(REGISTRY).unwrap(), one.read(REGISTRY).unwrap());
    println!("10,000 entries: {:?}", ran.took);
}

//! `model` as a program: the seed's three models byte by byte, what is never overwritten, and whether what was written
//! is what the other commands can work with.

mod live;
mod mirrored;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

use crate::support::mail::{Flavour, Mail, Ports, ServerRoot};
use crate::support::*;

/// The models of the seed's figures.
const MODELS: [(&str, &str); 3] = [
    (
        "asymmetric",
        "--nodes mail-1,mail-2 --instance stork=10.0.37.10/24 --layout iplanet-5 --ldap mail --interface hme0",
    ),
    (
        "symmetric",
        "--nodes mail-1,mail-2 --instance stork=10.0.37.10/24 --instance heron=10.0.37.11/24 --layout iplanet-5 \
         --ldap stork=mail --ldap heron=mail2",
    ),
    (
        "n+1",
        "--nodes mail-1,mail-2,mail-3,spare --instance stork=10.0.37.10/24 --instance heron=10.0.37.11/24 \
         --instance egret=10.0.37.12/24@mail-3 --layout messaging-6 --mounts /srv",
    ),
];

/// Below a folder of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, words: &str) -> (i32, Vec<Value>, String) {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ims-switch"));
        let ran =
            command.arg("--root").arg(self.0.path()).arg("model").args(words.split_whitespace()).output();
        let ran = ran.unwrap();
        let text =
            |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&*self.0.path().to_string_lossy(), "");
        let records = text(ran.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (ran.status.code().unwrap(), records, text(ran.stderr))
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Every file, but the locks.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        files(&self.0.path().join("etc"))
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), text);
            }
        }
    }
    found
}

fn changes(records: &[Value]) -> Vec<(&str, bool)> {
    let of = records.iter().filter(|record| record["schema"] == "ims.change/1");
    of.map(|record| (record["file"].as_str().unwrap(), record["changed"].as_bool().unwrap())).collect()
}

/// The symmetric model on mirrors of Btrfs, in a folder of its own.
const ON_BTRFS: (&str, &str) = ("symmetric-btrfs", "--mirror btrfs --leases /dev/disk/by-partlabel/leases");

#[test]
fn the_three_models_are_written_and_a_second_time_nothing_changes() {
    let on_btrfs = format!("{} {}", MODELS[1].1, ON_BTRFS.1);
    let all = MODELS.map(|(model, words)| (model, model, words));
    for (folder, model, words) in all.into_iter().chain([(ON_BTRFS.0, MODELS[1].0, on_btrfs.as_str())]) {
        let place = Place::new();
        let (status, records, stderr) = place.run(&format!("{model} {words} --to /"));
        assert_eq!(status, 0, "{stderr}");
        assert!(stderr.contains("not said and so decided: "), "{stderr}");
        assert!(changes(&records).iter().all(|(_, changed)| *changed), "{records:?}");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/model").join(folder).join("etc");
        if std::env::var_os("IMS_BLESS").is_some() {
            for (path, text) in place.files() {
                std::fs::create_dir_all(golden.join(&path).parent().unwrap()).unwrap();
                std::fs::write(golden.join(&path), text).unwrap();
            }
        }
        assert_eq!(place.files(), files(&golden), "{folder}");
        let (status, records, stderr) = place.run(&format!("{model} {words} --to /"));
        assert_eq!(status, 0, "{stderr}");
        assert!(changes(&records).iter().all(|(_, changed)| !changed), "{records:?}");
        assert_eq!(place.files(), files(&golden), "{folder}");
    }
}

#[test]
fn elsewhere_or_dry_it_writes_nothing_here() {
    let (model, words) = MODELS[0];
    let place = Place::new();
    let (status, records, _) = place.run(&format!("{model} {words} -n"));
    assert_eq!((status, place.files()), (0, BTreeMap::new()));
    let group = records.iter().find(|record| record["file"] == "/etc/ims/groups/stork-RG.toml").unwrap();
    assert!(group["diff"].as_str().unwrap().contains("\n+nodes = [\"mail-1\", \"mail-2\"]\n"), "{group}");
    let (status, records, _) = place.run(&format!("{model} {words} --to /made/for/it"));
    assert_eq!((status, place.files()), (0, BTreeMap::new()));
    assert_eq!(changes(&records)[0], ("/made/for/it/etc/msgregistry.inf", true));
    assert!(place.0.path().join("made/for/it/etc/ims/groups/stork-RG.toml").is_file());
    let (status, _, stderr) = place.run(&format!("{model} {words}"));
    assert_eq!(status, 2, "where to must be said: {stderr}");
}

#[test]
fn what_somebody_wrote_stays_unless_replacing_was_asked_for() {
    let (model, words) = MODELS[0];
    let place = Place::new();
    let registry = "# ours\n[other]\nlayout = iplanet-5\nroot = /opt/x\n";
    place.write("etc/msgregistry.inf", registry);
    place.write("etc/ims/nodes.toml", "[mail-1]\nreach = [\"rsh\", \"mail-1\"]\n");
    let (status, _, stderr) = place.run(&format!("{model} {words} --to /"));
    assert_eq!(status, 0, "{stderr}");
    assert!(stderr.contains("nodes.toml is there and stays; add mail-2 to it"), "{stderr}");
    let written = place.files();
    assert!(written[Path::new("msgregistry.inf")].starts_with(registry));
    assert!(written[Path::new("ims/nodes.toml")].contains("rsh"));

    // A comment of somebody's means nothing to us; another node order does.
    let group = written[Path::new("ims/groups/stork-RG.toml")].clone();
    place.write("etc/ims/groups/stork-RG.toml", &format!("# seen by night shift\n{group}"));
    assert_eq!(place.run(&format!("{model} {words} --to /")).0, 0);
    place.write(
        "etc/ims/groups/stork-RG.toml",
        &group.replace("\"mail-1\", \"mail-2\"", "\"mail-2\", \"mail-1\""),
    );
    let before = place.files();
    let (status, records, stderr) = place.run(&format!("{model} {words} --to /"));
    assert_eq!((status, changes(&records).len()), (4, 0), "{stderr}");
    assert!(stderr.contains("/etc/ims/groups/stork-RG.toml says something else"), "{stderr}");
    assert_eq!(place.files(), before);

    let other = words.replace("10.0.37.10", "10.0.37.99");
    let (status, _, stderr) = place.run(&format!("{model} {other} --to /"));
    assert_eq!(status, 4, "{stderr}");
    assert!(stderr.contains("/etc/msgregistry.inf:6: stork says something else"), "{stderr}");
    assert_eq!(place.files(), before);
    assert_eq!(place.run(&format!("{model} {other} -n")).0, 0, "the difference can be looked at");
    assert_eq!(place.files(), before);
    assert_eq!(place.run(&format!("{model} {other} --to / --force-replace")).0, 0);
    assert!(place.files()[Path::new("msgregistry.inf")].contains("address = 10.0.37.99\n"));
    assert!(place.files()[Path::new("ims/groups/stork-RG.toml")].contains("\"mail-1\", \"mail-2\""));
}

#[test]
fn an_address_or_a_directory_server_of_another_entry_is_refused() {
    let (model, words) = MODELS[0];
    for (key, told) in [
        ("address = 10.0.37.10", "10.0.37.10 is the one of other"),
        ("ldap = mail", "directory server mail is the one of other"),
    ] {
        let place = Place::new();
        place.write("etc/msgregistry.inf", &format!("[other]\nlayout = iplanet-5\nroot = /opt/x\n{key}\n"));
        let before = place.files();
        let (status, _, stderr) = place.run(&format!("{model} {words} --to / --force-replace"));
        assert_eq!(status, 4, "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
        assert_eq!(place.files(), before);
    }
    let place = Place::new();
    place.write("etc/msgregistry.inf", "[torn\n");
    let (status, _, stderr) = place.run(&format!("{model} {words} --to /"));
    assert_eq!(status, 2, "{stderr}");
    assert!(stderr.contains("msgregistry.inf:1: a section without its ']'"), "{stderr}");
}

#[test]
fn every_node_accepts_what_the_same_command_wrote_on_each() {
    if !needs_root() {
        return;
    }
    for (model, words) in MODELS {
        let bed = Bed::with_ssh();
        let names: Vec<&str> = words.split_whitespace().nth(1).unwrap().split(',').collect();
        let nodes: Vec<Node> = names.iter().map(|name| bed.node(name)).collect();
        for node in &nodes {
            node.sh(&format!("ims-switch model {model} {words} --to /")).ok();
        }
        for node in &nodes {
            let checked = node.run(["ims-switch", "check"]).ok().records();
            assert!(
                checked.len() >= 2 && checked.iter().all(|one| one["state"] == "up"),
                "{model}: {checked:?}"
            );
        }
        assert!(
            nodes[0]
                .sh("ims-switch graph --format tree")
                .ok()
                .stdout
                .contains("mail: messaging-server stork")
        );
    }
}

/// Lays the server roots of a model's instances on one node, as they are when all of them have come to it, each bound to
/// its address; of iPlanet's line with the Job Controller's port that the model gave it.
fn all_on(node: &Node, records: &[Value], port: impl Fn(u16) -> u16) {
    for record in records.iter().filter(|record| record["schema"] == "ims.model/1") {
        let (name, root) = (record["instance"].as_str().unwrap(), record["root"].as_str().unwrap());
        let given = u16::try_from(record["job_controller_port"].as_u64().unwrap()).unwrap();
        let ports = Ports { job_controller: port(given), ..Ports::default() };
        let mail = Mail::new(name, "ldap://10.0.37.10:389/").on(ports);
        let flavour = match record["layout"].as_str().unwrap() {
            "iplanet-5" => Flavour::Iplanet5,
            _ => Flavour::Messaging6,
        };
        let mut laid = ServerRoot::new(flavour, root).mail(mail);
        if let Some(ldap) = record["ldap"].as_str() {
            laid = laid.directory(crate::support::mail::Directory::new(ldap));
        }
        laid.lay(&node.path("/")).unwrap();
        let addresses = record["addresses"].as_array().unwrap();
        let address = addresses[0].as_str().unwrap().split('/').next().unwrap();
        node.run(["ims-ipbind", "set", name, "--address", address]).ok();
    }
}

#[test]
fn instances_that_meet_on_one_node_do_not_collide() {
    if !needs_root() {
        return;
    }
    for (model, words) in MODELS {
        let bed = Bed::new();
        let node = bed.node("mail-1");
        let made = node.sh(&format!("ims-switch model {model} {words} --to /")).ok().records();
        all_on(&node, &made, |port| port);
        let found = node.sh("ims-registry list | ims-portcheck -").ok().records();
        assert!(found.is_empty(), "{model}: {found:?}");
        if model == "asymmetric" {
            continue;
        }
        let same = bed.node("mail-2");
        same.sh(&format!("ims-switch model {model} {words} --to /")).ok();
        all_on(&same, &made, |_| 27442);
        let found = same.sh("ims-registry list | ims-portcheck -").status_is(1).records();
        assert!(found.iter().all(|one| one["port"] == 27442) && !found.is_empty(), "{model}: {found:?}");
    }
}

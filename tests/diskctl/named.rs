//! Volumes named by their groups, several at once.

use serde_json::Value;

use super::{record, text};
use crate::support::{Bed, Disk, Node};

/// A node with the volumes of the group `IMS-RG`: `ims` at /srv/ims, `index` below it, and `logs` at /srv/logs.
fn node(bed: &Bed) -> (Node, [Disk; 3]) {
    let node = bed.node("mail-1");
    let disks = [0, 1, 2].map(|_| bed.disk(16, "-O mmp -E mmp_update_interval=1"));
    let mut group = "nodes = [\"mail-1\"]\n".to_owned();
    for (disk, (name, mount)) in disks.iter().zip([("ims", "ims"), ("index", "ims/index"), ("logs", "logs")])
    {
        node.attach(disk);
        group += &format!(
            "[resource.{name}]\ntype = \"volume\"\ndevice = \"{}\"\nmount = \"/srv/{mount}\"\noptions = \"nodev\"\n",
            disk.device()
        );
    }
    node.file("/etc/ims/groups/IMS-RG.toml", &group);
    node.sh("mkdir -p /srv/ims /srv/logs; mount /dev/ims1 /srv/ims; mkdir /srv/ims/index; umount /srv/ims")
        .ok();
    (node, disks)
}

fn named(records: &[Value]) -> Vec<(&str, &str)> {
    records.iter().map(|record| (text(&record["resource"]), text(&record["state"]))).collect()
}

#[test]
fn the_volumes_of_a_group_are_taken_and_released_each_in_its_turn() {
    let bed = Bed::new();
    let (node, disks) = node(&bed);
    let taken = node.run(["ims-diskctl", "take", "IMS-RG"]).ok();
    let up = [("IMS-RG:ims", "up"), ("IMS-RG:index", "up"), ("IMS-RG:logs", "up")];
    assert_eq!(named(&taken.records()), up, "{taken}");
    assert!(taken.records().iter().all(|record| text(&record["options"]).contains("nodev")), "{taken}");
    let again = node.run(["ims-diskctl", "take", "IMS-RG:logs", "IMS-RG"]).ok().records();
    assert_eq!(named(&again), [up[2], up[0], up[1]], "each once, in the order in which they were named");
    assert!(again.iter().all(|record| record["changed"] == false));
    node.run(["ims-diskctl", "release", "IMS-RG"]).ok();
    assert!(disks.iter().all(|disk| !node.has_mounted(disk)));
    let looked = node.run(["ims-diskctl", "look", "IMS-RG:index"]).status_is(1).records();
    assert_eq!(named(&looked), [("IMS-RG:index", "down")]);
}

#[test]
fn what_waits_for_a_volume_that_failed_is_left_alone_and_the_others_are_not() {
    let bed = Bed::new();
    let (node, disks) = node(&bed);
    node.run(["ims-diskctl", "take", "IMS-RG"]).ok();
    let user = node.spawn(["sh", "-c", "cd /srv/ims/index; exec sleep 100"]);
    assert!(crate::support::until(std::time::Duration::from_secs(10), || {
        node.run(["ims-diskctl", "release", "IMS-RG:index", "-n"]).status == Some(5)
    }));
    let ran = node.run(["ims-diskctl", "release", "IMS-RG"]).status_is(5);
    assert_eq!(disks.each_ref().map(|disk| node.has_mounted(disk)), [true, true, false], "{ran}");
    let fails: Vec<Value> =
        ran.records().into_iter().filter(|record| record["schema"] == "ims.fail/1").collect();
    let told: Vec<&str> = fails.iter().map(|fail| text(&fail["message"])).collect();
    assert_eq!(told[0], "IMS-RG:ims was left alone: IMS-RG:index comes before it", "{ran}");
    assert!(told[1].starts_with("/srv/ims/index is in use: by pid "), "{ran}");
    assert_eq!((told.len(), &record(&ran)), (2, &fails[1]), "the gravest is the last: {ran}");
    user.kill();
    node.run(["ims-diskctl", "release", "IMS-RG"]).ok();
}

#[test]
fn a_volume_that_lies_on_another_is_not_taken_before_it() {
    let bed = Bed::new();
    let (node, disks) = node(&bed);
    node.sh("mkdir -p /srv/ims/index").ok(); // what the other would cover
    let refused = node.run(["ims-diskctl", "take", "IMS-RG:index"]).status_is(4);
    assert!(refused.stderr.contains("IMS-RG:ims comes before IMS-RG:index"), "{refused}");
    assert!(disks.iter().all(|disk| !node.has_mounted(disk)));
    node.run(["ims-diskctl", "take", "IMS-RG:ims"]).ok();
    node.run(["ims-diskctl", "take", "IMS-RG:index"]).ok();
    node.run(["ims-diskctl", "release", "IMS-RG"]).ok();
}

#[test]
fn a_node_that_the_group_does_not_name_takes_nothing_of_it_and_may_give_up() {
    let bed = Bed::new();
    let (node, disks) = node(&bed);
    node.sh("sed -i 's/\"mail-1\"/\"mail-2\", \"mail-3\"/' /etc/ims/groups/IMS-RG.toml").ok();
    let refused = node.run(["ims-diskctl", "take", "IMS-RG:logs"]).status_is(4);
    let told = "mail-1 is no node of IMS-RG (its nodes are mail-2, mail-3: take it there, or name the node";
    assert!(refused.stderr.contains(told), "{refused}");
    node.run(["ims-diskctl", "take", "--device", &disks[2].device(), "--mount", "/srv/logs"]).ok();
    node.run(["ims-diskctl", "release", "IMS-RG:logs"]).ok();
    assert!(!node.has_mounted(&disks[2]));
}

#[test]
fn of_two_volumes_that_are_taken_at_one_folder_one_is_mounted() {
    let bed = Bed::new();
    let (node, disks) = node(&bed);
    node.sh("ln -s logs /srv/same").ok();
    for round in 0..5 {
        let takes = [(&disks[0], "/srv/logs"), (&disks[2], "/srv/same")].map(|(disk, mount)| {
            node.spawn(["ims-diskctl", "take", "--device", &disk.device(), "--mount", mount])
        });
        let mut statuses = takes.map(|take| take.wait(std::time::Duration::from_secs(30)).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [Some(0), Some(4)], "round {round}");
        let mounted: Vec<&Disk> = disks.iter().filter(|disk| node.has_mounted(disk)).collect();
        assert_eq!(mounted.len(), 1, "round {round}");
        node.run(["ims-diskctl", "release", "--device", &mounted[0].device(), "--mount", "/srv/logs"]).ok();
    }
}

#[test]
fn a_volume_is_named_in_one_way() {
    let bed = Bed::new();
    let (node, _disks) = node(&bed);
    for (words, told) in [
        (&["look"][..], "were not provided"),
        (&["look", "--device", "/dev/ims1"], "--mount"),
        (&["look", "IMS-RG", "--device", "/dev/ims1", "--mount", "/srv/ims"], "cannot be used with"),
        (&["take", "IMS-RG", "--guard", "none"], "cannot be used with"),
        (&["look", "IMS-R"], "no group 'IMS-R' (did you mean 'IMS-RG'?)"),
        (&["look", "IMS-RG:x"], "no resource 'x' in IMS-RG (there are ims, index, logs)"),
        (&["look", "IMS-RG:"], "not a resource name: ''"),
    ] {
        let words = ["ims-diskctl"].iter().chain(words);
        let ran = node.run(words).status_is(2);
        assert!(ran.stderr.contains(told), "{told}: {ran}");
    }
}

//! The pipes of the design, as an operator writes them: on two nodes with a real sshd each, on the seed's server
//! root with real servers behind its scripts.

use std::time::Duration;

use crate::support::mail::ServerRoot;
use crate::support::{Bed, Node, needs_root, until};

/// How long servers may take to come up or to be brought back.
const SOON: Duration = Duration::from_secs(60);

const GROUP: &str = r#"nodes = ["mail-1", "mail-2"]

[resource.network]
type = "nic"
device = "eth0"
[resource.logical_IP]
type = "logical-ip"
address = "10.0.37.10/24"
device = "eth0"
requires = ["network"]
[resource.ldap]
type = "directory-server"
instance = "elenchus"
requires = ["logical_IP"]
[resource.mail]
type = "messaging-server"
instance = "mail-1"
requires = ["ldap"]
"#;

const NODES: &str =
    "[mail-1]\nreach = [\"ssh\", \"root@mail-1\"]\n[mail-2]\nreach = [\"ssh\", \"root@mail-2\"]\n";

/// Two nodes that know each other, and the seed's server root on both: here it stands for the shared disk.
fn two_nodes(bed: &Bed) -> (Node, Node) {
    let nodes = (bed.node("mail-1"), bed.node("mail-2"));
    for node in [&nodes.0, &nodes.1] {
        let root = ServerRoot::seed();
        root.lay(&node.path("/")).unwrap();
        node.file("/etc/ims/groups/IMS-RG.toml", GROUP);
        node.file("/etc/ims/nodes.toml", NODES);
    }
    nodes
}

#[test]
fn what_a_scan_finds_is_registered() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    ServerRoot::seed().lay(&node.path("/")).unwrap();
    let added = node.sh("ims-registry scan /opt/iplanet/server5 | ims-registry add -").ok();
    assert_eq!(added.records()[0]["changed"], true);
    let listed = node.run(["ims-registry", "list"]).ok().records();
    let names: Vec<&str> = listed.iter().map(|instance| instance["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mail-1", "mail-2"]);
    assert_eq!(listed[0]["ldap"], "elenchus");
}

#[test]
fn the_registry_of_one_node_and_of_both_are_checked_for_collisions() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = two_nodes(&bed);
    let add = "ims-registry add NAME --layout iplanet-5 --server-root /opt/iplanet/server5";
    mail_1.sh(&format!("{} --ldap elenchus", add.replace("NAME", "mail-1"))).ok();
    mail_2.sh(&add.replace("NAME", "mail-2")).ok();
    mail_1.sh("ims-registry list | ims-portcheck -").ok();
    // Unbound, both want every address: on one node they collide.
    let both =
        mail_1.sh("{ ims-registry list; ssh mail-2 ims-registry list; } | ims-portcheck -").status_is(1);
    let ports: Vec<u64> = both.records().iter().filter_map(|conflict| conflict["port"].as_u64()).collect();
    assert!(ports.contains(&25) && ports.contains(&143), "{ports:?}");
    // The Job Controllers have a port each, as the seed asks for.
    assert!(!ports.contains(&27442) && !ports.contains(&27443), "{ports:?}");
    mail_1.sh("ims-ipbind set --address 10.0.37.10 mail-1 --ldap elenchus").ok();
    mail_1.sh("ims-registry add mail-2 --layout iplanet-5 --server-root /opt/iplanet/server5 --address 10.0.37.11").ok();
    mail_1.sh("ims-ipbind set --address 10.0.37.11 mail-2").ok();
    mail_1.sh("{ ims-registry list; ssh mail-2 ims-registry list; } | ims-portcheck -").ok();
}

#[test]
fn a_mail_service_is_watched_and_brought_back_and_cron_runs_where_it_is() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = two_nodes(&bed);
    for node in [&mail_1, &mail_2] {
        node.sh("ip address add 10.0.37.10/24 dev lo").ok(); // the set-up's own checkers want it to be there
        ServerRoot::seed()
            .settle(|words| if node.run(words).status == Some(0) { Ok(()) } else { Err(words.join(" ")) })
            .unwrap();
        node.sh("ims-registry scan /opt/iplanet/server5 | ims-registry add -").ok();
        node.sh("ims-ipbind set --address 10.0.37.10 mail-1 --ldap elenchus").ok();
        node.sh("ims-registry scan /opt/iplanet/server5 | ims-registry add -").ok();
        node.sh("ip address del 10.0.37.10/24 dev lo").ok();
        node.script(
            "/opt/iplanet/server5/msg-mail-1/imsimta",
            "#!/bin/sh\necho \"$(uname -n) $*\" >>/tmp/dirsync\n",
        );
    }
    mail_1.sh("ims-registry remove mail-2").ok();
    mail_2.sh("ims-registry remove mail-2").ok();
    mail_1.sh("ims-switch online IMS-RG").ok();

    let probed = mail_1.sh("ims-registry list | ims-probe - | jq 'select(.state != \"up\")'").ok();
    assert_eq!(probed.stdout, "", "everything answers");
    let states = || mail_1.sh("ims-registry list | ims-probe - | jq -sc 'map(.state) | unique'").stdout;
    assert_eq!(states(), "[\"up\"]\n", "and there is something that does");

    let cron = "ims-switch run IMS-RG -- /opt/iplanet/server5/msg-mail-1/imsimta dirsync";
    mail_1.sh(cron).ok();
    mail_2.sh(cron).ok();
    assert_eq!(mail_1.read("/tmp/dirsync").unwrap(), "mail-1 dirsync\n");
    assert!(mail_2.read("/tmp/dirsync").is_err(), "it ran where the group is not");

    mail_1.sh("/opt/iplanet/server5/msg-mail-1/stop-msg").ok();
    let down =
        mail_1.sh("ims-registry list | ims-probe - | jq -r 'select(.state != \"up\") | .service'").ok();
    assert!(down.stdout.contains("smtp") && down.stdout.contains("imap"), "{}", down.stdout);

    let watch = "ims-registry list | ims-probe - --every 180s | ims-switch react IMS-RG";
    let watching = mail_1.spawn(["sh", "-c", watch]);
    let back = until(SOON, || states() == "[\"up\"]\n");
    watching.kill();
    assert!(back, "it was not restarted");
}

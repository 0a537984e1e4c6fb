//! `ims-switch add`, `remove`: a group's file on every node, or on none.

use super::lab::*;
use crate::support::*;

const FILE: &str = "/etc/ims/groups/IMS-RG.toml";

/// A lab whose nodes know no group, with the usual one in a file of mail-1.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.nodes().iter().for_each(|node| drop(node.run(["rm", "-r", "/etc/ims/groups"]).ok()));
    lab.mail_1.file("/root/IMS-RG.toml", GROUP);
    lab
}

/// On which nodes the group's file is what it should be.
fn has_file(lab: &Lab, text: &str) -> [bool; 2] {
    lab.nodes().map(|node| node.read(FILE).is_ok_and(|found| found == text))
}

fn changed(ran: &Ran) -> Vec<(String, bool)> {
    let of = |record: &serde_json::Value| {
        (record["host"].as_str().unwrap().to_owned(), record["changed"].as_bool().unwrap())
    };
    ran.records().iter().filter(|record| record["schema"] == "ims.change/1").map(of).collect()
}

#[test]
fn a_group_is_put_on_every_node_and_taken_away_from_all() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    let run = |words: &[&str], status| {
        lab.mail_1.run(["ims-switch"].iter().chain(words).copied()).status_is(status)
    };
    let both = |was| vec![("mail-2".to_owned(), was), ("mail-1".to_owned(), was)];
    let dry = run(&["add", "-n", "/root/IMS-RG.toml"], 0);
    assert_eq!((changed(&dry), has_file(&lab, GROUP)), (both(true), [false; 2]), "{dry}");
    assert!(record(&dry, "ims.change/1")["diff"].as_str().unwrap().contains("+[resource.svc]"));
    assert_eq!(changed(&run(&["add", "/root/IMS-RG.toml"], 0)), both(true));
    assert_eq!(has_file(&lab, GROUP), [true; 2]);
    assert_eq!(changed(&run(&["add", "/root/IMS-RG.toml"], 0)), both(false));
    run(&["check"], 0);
    lab.online();

    // What is up must stay as it is; what is not may change, when that is said.
    let faster = GROUP.replace("online_retry_limit = 0", "online_retry_limit = 1");
    lab.mail_1.file("/root/IMS-RG.toml", &faster);
    let refused = run(&["add", "/root/IMS-RG.toml"], 4);
    assert!(refused.stderr.contains("IMS-RG.toml says something else (--force-replace"), "{refused}");
    assert_eq!(has_file(&lab, GROUP), [true; 2]);
    run(&["add", "--force-replace", "/root/IMS-RG.toml"], 0);
    assert_eq!(has_file(&lab, &faster), [true; 2]);
    let without = GROUP.split("[resource.svc]").next().unwrap();
    let ran =
        lab.mail_2.command(["ims-switch", "add", "--force-replace", "--name", "IMS-RG", "-"]).stdin(without);
    let refused = ran.run().status_is(4);
    assert!(refused.stderr.contains("mail-1: svc is up and is not the same in the new file"), "{refused}");
    assert_eq!(has_file(&lab, &faster), [true; 2]);

    let refused = run(&["remove", "IMS-RG"], 4);
    assert!(refused.stderr.contains("mail-1: logical_IP is up (ims-switch offline IMS-RG)"), "{refused}");
    run(&["offline", "IMS-RG"], 0);
    run(&["disable", "IMS-RG:svc"], 0);
    run(&["freeze", "IMS-RG"], 0);
    let refused = run(&["remove", "IMS-RG"], 4);
    assert!(refused.stderr.contains("IMS-RG is frozen by"), "{refused}");
    run(&["unfreeze", "IMS-RG"], 0);
    run(&["remove", "-n", "IMS-RG"], 0);
    assert_eq!(has_file(&lab, &faster), [true; 2]);
    assert_eq!(changed(&run(&["remove", "IMS-RG"], 0)), both(true));
    for node in lab.nodes() {
        let left = node.sh("ls /etc/ims/groups /var/lib/ims/marks /run/ims/marks").ok().stdout;
        assert!(!left.contains("IMS-RG"), "{left}");
    }
}

#[test]
fn a_node_that_cannot_have_the_file_keeps_it_from_all() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    let add = |status| lab.mail_1.run(["ims-switch", "add", "/root/IMS-RG.toml"]).status_is(status);
    lab.mail_1.file("/root/IMS-RG.toml", "nodes = [\"mail-1\"]\n[resource.x]\ntype = \"nick\"\n");
    assert!(add(2).stderr.contains("/root/IMS-RG.toml:3: unknown type 'nick'"));
    let mail = "\n[resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\nrequires = [\"svc\"]\n";
    lab.mail_1.file("/root/IMS-RG.toml", format!("{GROUP}{mail}"));
    let stork = "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\nldap = mail\n";
    lab.mail_1.file("/etc/msgregistry.inf", stork);
    let refused = add(4);
    assert!(refused.stderr.contains("mail-2: /etc/msgregistry.inf has no entry for stork"), "{refused}");
    lab.mail_2.file("/etc/msgregistry.inf", stork);
    lab.mail_2.cut();
    let lost = add(3);
    assert!(
        lost.stderr.contains("mail-2 cannot be reached") && lost.stderr.contains("nothing was changed"),
        "{lost}"
    );
    assert_eq!(has_file(&lab, GROUP), [false; 2]);
    assert!(lab.nodes().iter().all(|node| !node.path(FILE).exists()));
    lab.mail_2.join();

    // The directory that the mail server reads its configuration from is another group's, and must be online.
    let ldap = "nodes = [\"mail-2\"]\n[resource.ldap]\ntype = \"directory-server\"\ninstance = \"mail\"\n";
    for node in lab.nodes() {
        node.file("/etc/ims/groups/LDAP-RG.toml", ldap);
    }
    let refused = add(4);
    let words = "mail reads its configuration from mail of LDAP-RG, which is not among requires_groups";
    assert!(refused.stderr.contains(words), "{refused}");
    lab.mail_1.file("/root/IMS-RG.toml", format!("requires_groups = [\"LDAP-RG\"]\n{GROUP}{mail}"));
    let refused = add(4);
    assert!(refused.stderr.contains("which is not online (ims-switch online LDAP-RG)"), "{refused}");
    let required = lab.mail_1.run(["ims-switch", "add", "/root/other.txt"]).status_is(2);
    assert!(required.stderr.contains("/root/other.txt is not there"), "{required}");
}

#[test]
fn a_node_that_nobody_describes_any_more_is_not_forgotten_while_the_group_names_it() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_1.run(["sh", "-c", "sed -i '/mail-2/,$d' /etc/ims/nodes.toml"]).ok();
    lab.mail_1.file("/root/IMS-RG.toml", GROUP.replace(", \"mail-2\"", ""));
    let refused = lab.mail_1.run(["ims-switch", "add", "--force-replace", "/root/IMS-RG.toml"]).status_is(4);
    let why =
        "mail-2 is a node of IMS-RG until now and is not in /etc/ims/nodes.toml: what is up there is unknown";
    assert!(refused.stderr.contains(why), "{refused}");
    assert_eq!(has_file(&lab, GROUP), [true; 2]);
}

#[test]
fn a_group_that_another_requires_is_not_taken_away() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    let (head, _) = GROUP.split_once("[resource.mountshared]").unwrap();
    let web = head.replace("192.0.2.10", "192.0.2.20");
    lab.mail_1.file("/root/WEB-RG.toml", format!("requires_groups = [\"IMS-RG\"]\n{web}"));
    let run = |words: &[&str], status| {
        lab.mail_1.run(["ims-switch"].iter().chain(words).copied()).status_is(status)
    };
    run(&["add", "/root/IMS-RG.toml"], 0);
    run(&["add", "/root/WEB-RG.toml"], 0);
    let refused = run(&["remove", "IMS-RG"], 4);
    assert!(refused.stderr.contains("WEB-RG requires IMS-RG (ims-switch remove WEB-RG)"), "{refused}");
    // Half-way: one node has it no more.
    lab.mail_2.run(["rm", "/etc/ims/groups/WEB-RG.toml"]).ok();
    run(&["remove", "WEB-RG"], 0);
    let again = run(&["remove", "WEB-RG"], 0);
    assert_eq!(again.stderr, "ims-switch: no node has a group 'WEB-RG'\n");
    run(&["remove", "IMS-RG"], 0);
    run(&["status"], 2);
}

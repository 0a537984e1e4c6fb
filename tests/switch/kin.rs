//! Groups that require each other: online with what is required, offline with what requires it, a node evacuated.

use super::lab::*;
use crate::support::*;

/// A group of one resource, which is a file in /run.
fn group(name: &str, nodes: &str, required: &str) -> String {
    let file = format!("/run/up.{name}");
    format!(
        "nodes = [{nodes}]\nrequires_groups = [{required}]\n[resource.file]\ntype = \"command\"\n\
         start = [\"sh\", \"-c\", \"[ ! -e /run/no.{name} ] && touch {file}\"]\nstop = [\"rm\", \"-f\", \"{file}\"]\n\
         monitor = [\"test\", \"-e\", \"{file}\"]\nonline_retry_limit = 0\n"
    )
}

/// A lab with a directory that mail requires, and with something that requires nothing.
fn lab() -> Lab {
    let lab = Lab::new();
    for node in lab.nodes() {
        node.run(["rm", "/etc/ims/groups/IMS-RG.toml"]).ok();
        for (name, nodes, required) in [
            ("LDAP-USER-RG", "\"mail-2\", \"mail-1\"", ""),
            ("MAIL-RG", "\"mail-1\", \"mail-2\"", "\"LDAP-USER-RG\""),
            ("OTHER-RG", "\"mail-1\", \"mail-2\"", ""),
        ] {
            node.file(format!("/etc/ims/groups/{name}.toml"), group(name, nodes, required));
        }
    }
    lab
}

/// Where each of the groups is.
fn places(lab: &Lab) -> Vec<String> {
    let is_on = |node: &Node, name: &str| node.path(format!("/run/up.{name}")).exists();
    let nodes = |name: &&str| -> String {
        let on = lab.nodes().into_iter().filter(|node| is_on(node, name)).map(|node| node.name().to_owned());
        on.collect::<Vec<_>>().join("+")
    };
    ["LDAP-USER-RG", "MAIL-RG", "OTHER-RG"].iter().map(nodes).collect()
}

#[test]
fn what_is_required_goes_online_first_and_offline_last() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    let run = |words: &[&str], status| {
        lab.mail_1.run(["ims-switch"].iter().chain(words).copied()).status_is(status)
    };
    let refused = run(&["online", "MAIL-RG"], 4);
    assert!(
        refused.stderr.contains("MAIL-RG requires LDAP-USER-RG, which is not online anywhere"),
        "{refused}"
    );
    let dry = run(&["online", "--with-required", "-n", "MAIL-RG"], 0);
    let shown = dry.records().iter().filter(|record| record["schema"] == "ims.step/1").count();
    assert_eq!(shown, 2, "both starts: {dry}");
    assert_eq!(places(&lab), ["", "", ""]);
    run(&["online", "--with-required", "MAIL-RG"], 0);
    assert_eq!(places(&lab), ["mail-2", "mail-1", ""], "each where it prefers");
    let again = run(&["online", "--with-required", "MAIL-RG"], 0);
    assert_eq!(record(&again, "ims.run/1")["changed"], false, "{again}");

    let refused = run(&["offline", "LDAP-USER-RG"], 4);
    let words = "MAIL-RG requires LDAP-USER-RG and is online on mail-1 (ims-switch offline --with-dependents LDAP-USER-RG)";
    assert!(refused.stderr.contains(words), "{refused}");
    run(&["offline", "-n", "LDAP-USER-RG"], 4);
    let dry = run(&["offline", "--with-dependents", "-n", "LDAP-USER-RG"], 0);
    assert_eq!(dry.records().iter().filter(|record| record["schema"] == "ims.step/1").count(), 2, "{dry}");
    // It may move on its own; that is no end.
    run(&["move", "LDAP-USER-RG"], 0);
    assert_eq!(places(&lab), ["mail-1", "mail-1", ""]);
    run(&["offline", "--with-dependents", "LDAP-USER-RG"], 0);
    assert_eq!(places(&lab), ["", "", ""]);
    run(&["online", "LDAP-USER-RG", "MAIL-RG"], 0);
    run(&["offline", "MAIL-RG", "LDAP-USER-RG"], 0);
    assert_eq!(places(&lab), ["", "", ""]);
}

#[test]
fn the_status_of_several_groups_goes_on_after_a_bad_one() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "online", "OTHER-RG"]).ok();
    lab.mail_1.file("/etc/ims/groups/BAD-RG.toml", "nodes = [");
    let status = lab.mail_1.run(["ims-switch", "status"]).status_is(2);
    let groups: Vec<String> = status
        .records()
        .iter()
        .filter(|record| record["schema"] == "ims.group/1")
        .map(|record| format!("{} {}", record["group"].as_str().unwrap(), record["state"].as_str().unwrap()))
        .collect();
    assert_eq!(groups, ["LDAP-USER-RG down", "MAIL-RG down", "OTHER-RG up"], "{status}");
    assert!(status.stderr.contains("BAD-RG.toml:"), "{status}");
}

#[test]
fn a_node_is_evacuated_and_what_cannot_go_keeps_nothing_else() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    let run = |words: &[&str], status| {
        lab.mail_1.run(["ims-switch"].iter().chain(words).copied()).status_is(status)
    };
    run(&["online", "--on", "mail-1", "LDAP-USER-RG", "MAIL-RG", "OTHER-RG"], 0);
    run(&["evacuate", "-n", "mail-1"], 0);
    assert_eq!(places(&lab), ["mail-1", "mail-1", "mail-1"]);
    lab.mail_2.file("/run/no.OTHER-RG", "");
    let ran = run(&["evacuate", "mail-1"], 5);
    assert_eq!(places(&lab), ["mail-2", "mail-2", "mail-1"], "{ran}");
    assert!(ran.stderr.contains("OTHER-RG: cannot start file on mail-2"), "{ran}");
    let ended: Vec<String> = ran
        .records()
        .iter()
        .filter(|record| record["schema"] == "ims.run/1")
        .map(|record| record["group"].as_str().unwrap().to_owned())
        .collect();
    let place = |name: &str| ended.iter().position(|group| group == name).unwrap();
    assert!(place("LDAP-USER-RG") < place("MAIL-RG"), "what is required goes first: {ended:?}");

    lab.mail_2.run(["rm", "/run/no.OTHER-RG"]).ok();
    let again = run(&["evacuate", "mail-1"], 0);
    assert_eq!(places(&lab), ["mail-2", "mail-2", "mail-2"]);
    let changed = again.records().iter().filter(|record| record["changed"] == true).count();
    assert_eq!(changed, 3, "a stop, a start and a run: {again}");
    run(&["evacuate", "mail-1"], 0);
    run(&["freeze", "MAIL-RG"], 0);
    let ran = run(&["evacuate", "mail-2"], 4);
    assert_eq!(places(&lab), ["mail-1", "mail-2", "mail-1"], "{ran}");
    let wrong = run(&["evacuate", "mail-9"], 2);
    assert!(wrong.stderr.contains("mail-9 is no node of any group"), "{wrong}");
    lab.mail_2.cut();
    let lost = run(&["evacuate", "mail-2"], 4);
    assert!(lost.stderr.contains("mail-2 cannot be reached"), "{lost}");
}

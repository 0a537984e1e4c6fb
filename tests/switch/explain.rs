//! `ims-switch plan --explain`: why each resource on each node is or is not touched.

use super::lab::*;
use crate::support::*;

/// Each row as `node resource: state action, reason`.
fn rows(ran: &Ran) -> Vec<String> {
    ran.records()
        .iter()
        .filter(|record| record["schema"] == "ims.explain/1")
        .map(|row| {
            let word = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {}: {} {}, {}",
                word("node"),
                word("resource"),
                word("state"),
                word("action"),
                word("reason")
            )
        })
        .collect()
}

/// The groups that are explained, in order, with the wish of each.
fn explained(ran: &Ran) -> Vec<String> {
    let mut wishes: Vec<String> = Vec::new();
    for row in ran.records().iter().filter(|record| record["schema"] == "ims.explain/1") {
        let wish = format!("{}: {}", row["group"].as_str().unwrap(), row["wish"].as_str().unwrap());
        if wishes.last() != Some(&wish) {
            wishes.push(wish);
        }
    }
    wishes
}

#[test]
fn every_group_that_a_command_is_about_is_explained_and_nothing_is_touched() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    for node in lab.nodes() {
        let ldap = "[resource.up]\ntype = \"command\"\nstart = [\"touch\", \"/run/ldap\"]\n\
                    stop = [\"rm\", \"-f\", \"/run/ldap\"]\nmonitor = [\"test\", \"-e\", \"/run/ldap\"]\n";
        node.file("/etc/ims/groups/LDAP-RG.toml", format!("nodes = [\"mail-2\", \"mail-1\"]\n{ldap}"));
    }
    lab.group(&format!("requires_groups = [\"LDAP-RG\"]\n{GROUP}"));
    let plan = |words: &[&str], status| {
        let line = ["ims-switch", "plan", "--explain"].iter().chain(words).copied();
        explained(&lab.mail_1.run(line).status_is(status))
    };
    plan(&["online", "IMS-RG"], 4);
    assert_eq!(plan(&["online", "--with-required", "IMS-RG"], 0), ["LDAP-RG: online", "IMS-RG: online"]);
    lab.is_online_on(None);
    // The address, the volume and the server come up after what they need, and go before it.
    lab.mail_1.run(["ims-switch", "online", "--with-required", "IMS-RG"]).ok();
    lab.is_online_on(Some(&lab.mail_1));
    assert_eq!(plan(&["online", "--with-required", "IMS-RG"], 0), ["IMS-RG: online"]);
    plan(&["offline", "LDAP-RG"], 4);
    assert_eq!(
        plan(&["offline", "--with-dependents", "LDAP-RG"], 0),
        ["IMS-RG: offline", "LDAP-RG: offline"]
    );
    lab.mail_1.run(["ims-switch", "move", "LDAP-RG", "--to", "mail-1"]).ok();
    assert_eq!(plan(&["evacuate", "mail-1"], 0), ["LDAP-RG: leave mail-1", "IMS-RG: leave mail-1"]);
    let steps = |words: &[&str]| -> Vec<serde_json::Value> {
        let ran = lab.mail_1.run(["ims-switch"].iter().chain(words).chain(&["mail-1"]).copied()).ok();
        ran.records().into_iter().filter(|record| record["schema"] == "ims.step/1").collect()
    };
    assert_eq!(steps(&["plan", "evacuate"]), steps(&["evacuate", "-n"]));
    assert!(!steps(&["plan", "evacuate"]).is_empty());
    lab.is_online_on(Some(&lab.mail_1));

    let watch = lab.watch();
    lab.mail_1.run(["ims-switch", "evacuate", "mail-1"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
    assert!(lab.mail_2.path("/run/ldap").exists() && !lab.mail_1.path("/run/ldap").exists());
    lab.mail_1.run(["ims-switch", "offline", "--with-dependents", "LDAP-RG"]).ok();
    lab.is_online_on(None);
    assert!(!lab.mail_2.path("/run/ldap").exists());
    watch.end();
}

#[test]
fn every_resource_is_explained_and_nothing_is_touched() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let ran = lab.mail_1.run(["ims-switch", "plan", "move", "IMS-RG", "--explain"]).ok();
    assert_eq!(
        rows(&ran),
        [
            "mail-1 network: up none, a nic is only looked at",
            "mail-1 logical_IP: up stop, the group goes to mail-2",
            "mail-1 mountshared: up stop, the group goes to mail-2",
            "mail-1 svc: up stop, the group goes to mail-2",
            "mail-2 network: up none, a nic is only looked at",
            "mail-2 logical_IP: down start, the group is wanted on mail-2",
            "mail-2 mountshared: down start, the group is wanted on mail-2",
            "mail-2 svc: down start, the group is wanted on mail-2",
        ]
    );
    assert_eq!(ran.records().len(), 8, "{ran}");
    let table = lab.mail_1.run(["ims-switch", "plan", "--explain", "move", "IMS-RG", "-o", "table"]).ok();
    assert!(table.stdout.contains("the group goes to mail-2"), "{table}");
    lab.is_online_on(Some(&lab.mail_1));

    lab.mail_1.power_cut();
    let ran = lab.mail_2.run(["ims-switch", "plan", "--explain", "online", "IMS-RG"]).ok();
    let rows_of = rows(&ran);
    assert_eq!(
        rows_of[0],
        "mail-1 -: unknown fence, mail-1 cannot be reached, and what runs there is unknown"
    );
    assert!(rows_of[2].starts_with("mail-1 logical_IP: unknown none, mail-1 cannot be reached ("), "{ran}");
    assert_eq!(rows_of.last().unwrap(), "mail-2 svc: down start, the group is wanted on mail-2");
    lab.is_online_on(None);

    // A run would be refused: so is its plan, and every row says so.
    lab.reach_without_fencing();
    let ran = lab.mail_2.run(["ims-switch", "plan", "--explain", "online", "IMS-RG"]).status_is(4);
    let refused = |row: &String| row.contains(" none, refused: mail-1 cannot be reached (");
    assert_eq!(rows(&ran).iter().filter(|row| refused(row)).count(), 8, "{ran}");
    assert!(ran.stderr.contains("--confirm-fenced mail-1"), "{ran}");
}

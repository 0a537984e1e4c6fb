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

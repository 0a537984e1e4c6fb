//! The complex example: a directory of users in a group of its own on two nodes, and the mail group that requires it,
//! with a directory of its configuration beside its mail servers and its store and its queue on volumes of their own.

use std::time::Duration;

use super::super::lab::{SOON, record};
use super::super::mail::at;
use super::site::{MAIL, Named, SLAPD, Site};
use super::transcript::{begin, carry_out};
use crate::support::mail::{Directory, Mail, ServerRoot, Stream, account_within};
use crate::support::*;

fn site() -> Site {
    Site::of(&[
        Named {
            name: "LDAP-USER-RG",
            nodes: ["ldap-1", "ldap-2"],
            host: "ldap",
            mounts: &["/global/ids"],
            servers: &[SLAPD],
        },
        Named {
            name: "IMS-RG",
            nodes: ["mail-1", "mail-2"],
            host: "mail",
            mounts: &["/global/ims/server5", "/global/ims/store", "/global/ims/queues"],
            servers: &MAIL,
        },
    ])
}

/// Installs what the guide has installed once a group has its logical host: the volumes are mounted for that.
fn install(site: &Site, enabled: &str) {
    match enabled {
        "ims-switch enable LDAP-USER-RG:ha-ids-disk" => {
            site.run(enabled).ok();
            let root = ServerRoot::postfix_dovecot("/global/ids").directory(Directory::new("ldap"));
            site.install(site.node("ldap-1"), &root, "ldap");
        }
        "ims-switch enable IMS-RG:ha-ims-serverroot" => {
            let data = "IMS-RG:ha-ims-data-store IMS-RG:ha-ims-data-queues";
            site.run(&format!("{enabled} {data}")).ok();
            let mail = Mail::new("stork", "ldap://192.0.2.9:389/")
                .configured_by("ldap://192.0.2.10:389/")
                .keeping("/global/ims/store/stork", "/global/ims/queues/stork");
            let root = ServerRoot::postfix_dovecot("/global/ims/server5")
                .mail(mail)
                .directory(Directory::new("mail"));
            site.install(site.node("mail-1"), &root, "stork");
        }
        _ => {}
    }
}

#[test]
fn the_complex_example_lives_and_its_directory_fails_over_on_its_own_while_mail_stays() {
    if !needs_root() {
        return;
    }
    let site = site();
    let imported = begin(&site, "sun-cluster-complex.txt");
    let commands = imported.commands();
    assert_eq!(
        commands,
        [
            "ims-switch online LDAP-USER-RG",
            "ims-switch enable LDAP-USER-RG:ha-ids-disk",
            "ims-switch enable LDAP-USER-RG:ha-ldap-user",
            "ims-switch online IMS-RG",
            "ims-switch enable IMS-RG:ha-ims-serverroot",
            "ims-switch enable IMS-RG:ha-ldap-config",
            "ims-switch enable IMS-RG:ha-ims-data-store IMS-RG:ha-ims-data-queues",
            "ims-switch enable IMS-RG:ha-ims",
        ]
    );
    carry_out(&site, &commands, |line| {
        if line == "ims-switch online IMS-RG" {
            site.runs(&["ldap-1", ""]);
        }
        install(&site, line);
    });
    site.runs(&["ldap-1", "mail-1"]);
    verify(&site, "ldap-1", "mail-1");

    let client = site.bed.client();
    let stream = client.inside(|| Stream::start(at(25), Duration::from_millis(30)));
    let goes_on = |what: &str| {
        let more = stream.acknowledged() + 10;
        assert!(until(SOON, || stream.acknowledged() > more), "mail after {what}");
    };
    goes_on("the start");
    site.run("ims-switch move IMS-RG --to mail-2").ok();
    site.runs(&["ldap-1", "mail-2"]);
    goes_on("its move");
    site.run("ims-switch evacuate ldap-1").ok();
    site.runs(&["ldap-2", "mail-2"]);
    goes_on("the move of the directory");
    verify(&site, "ldap-2", "mail-2");

    let refused = site.run("ims-switch offline LDAP-USER-RG").status_is(4);
    assert!(refused.stderr.contains("IMS-RG requires LDAP-USER-RG and is online on mail-2"), "{refused}");
    site.run("ims-switch offline --with-dependents LDAP-USER-RG").ok();
    site.runs(&["", ""]);
    let refused = site.run("ims-switch online IMS-RG").status_is(4);
    assert!(refused.stderr.contains("which is not online anywhere"), "{refused}");
    site.run("ims-switch online --with-required IMS-RG").ok();
    site.runs(&["ldap-1", "mail-1"]);
    goes_on("both came back");

    fails_over_on_its_own(&site);
    goes_on("the failover of the directory");
    let account = client.inside(|| account_within(&stream.stop(), at(143), SOON)).unwrap();
    println!("{} acknowledged, {} sent again", account.acknowledged, account.sent_again.len());
    assert_eq!(account.lost, [0; 0], "IMS-RG stayed, so nothing may be lost");
    assert_eq!(account.doubled, [0; 0], "nor delivered twice");

    unconfigure(&site);
    site.end();
}

/// The node of the directory loses its power; a prober on the other one sees it, and nobody types anything.
fn fails_over_on_its_own(site: &Site) {
    let watcher = "ims-probe ldap://192.0.2.9 --every 500ms --timeout 500ms | ims-switch react LDAP-USER-RG";
    let watching = site.node("ldap-2").spawn(["sh", "-c", watcher]);
    let stays = site.run("ims-switch status IMS-RG").ok();
    site.node("ldap-1").power_cut();
    let is_over = || watching.stdout().contains("\"decision\":\"giveover\"");
    assert!(until(SOON, is_over), "no decision: {}", watching.stdout());
    site.runs(&["ldap-2", "mail-1"]);
    assert_eq!(site.bed.fence_requests(), ["off ldap-1"]);
    watching.signal(rustix::process::Signal::TERM);
    let ran = watching.wait(SOON);
    let decided = ran.records().into_iter().find(|record| record["decision"] == "giveover").unwrap();
    assert_eq!(decided["status"], "ok", "{ran}");
    // It is the same run of the mail group as before: none was begun meanwhile.
    let still = site.run("ims-switch status IMS-RG").ok();
    assert_eq!(record(&stays, "ims.group/1"), record(&still, "ims.group/1"));
    println!("{}", site.node("ldap-2").run(["ims-switch", "history", "LDAP-USER-RG", "-o", "table"]).stdout);
}

/// The guide's order: offline, disabled, removed, and what requires before what is required.
fn unconfigure(site: &Site) {
    site.node("ldap-1").start_again();
    assert!(until(SOON, || site.run("ssh root@ldap-1 true").is_ok()), "sshd again");
    let refused = site.run("ims-switch remove LDAP-USER-RG").status_is(4);
    assert!(refused.stderr.contains("IMS-RG requires LDAP-USER-RG (ims-switch remove IMS-RG)"), "{refused}");
    let own =
        ["ha-ims", "ha-ldap-config", "ha-ims-data-store", "ha-ims-data-queues", "ha-ims-serverroot", "mail"];
    for (group, parts) in [("IMS-RG", &own[..]), ("LDAP-USER-RG", &["ha-ldap-user", "ha-ids-disk", "ldap"])] {
        let mut lines = vec![format!("ims-switch offline {group}")];
        lines.extend(parts.iter().map(|part| format!("ims-switch disable {group}:{part}")));
        lines.push(format!("ims-switch remove {group}"));
        carry_out(site, &lines, |_| {});
        assert!(site.nodes.iter().all(|node| !node.path(format!("/etc/ims/groups/{group}.toml")).exists()));
    }
    site.runs(&["", ""]);
}

/// What the guide looks at with `scstat`, and whether each service answers on the node that has its group.
fn verify(site: &Site, ldap: &str, mail: &str) {
    let status = site.run("ims-switch status").ok();
    let told: Vec<(String, String)> = status
        .records()
        .iter()
        .filter(|record| record["schema"] == "ims.group/1")
        .map(|record| {
            (record["group"].as_str().unwrap().into(), record["online_on"].as_str().unwrap().into())
        })
        .collect();
    let wanted = [("IMS-RG", mail), ("LDAP-USER-RG", ldap)].map(|(group, on)| (group.into(), on.into()));
    assert_eq!(told, wanted, "{status}");
    site.run("ims-switch check").ok();
    site.node(ldap).run(["ims-probe", "ldap"]).ok();
    site.node(mail).run(["ims-probe", "stork"]).ok();
}

//! The simple example: one group, with its directory server and its mail servers on one volume.

use std::time::Duration;

use super::super::lab::SOON;
use super::super::mail::at;
use super::site::{MAIL, Named, Site};
use super::transcript::{begin, carry_out, import};
use crate::support::mail::{Directory, Mail, ServerRoot, Stream, account_within};
use crate::support::*;

const TRANSCRIPT: &str = "sun-cluster-simple.txt";

fn site() -> Site {
    Site::of(&[Named {
        name: "IMS-RG",
        nodes: ["mail-1", "mail-2"],
        host: "mail",
        mounts: &["/global/ims/server5"],
        servers: &MAIL,
    }])
}

#[test]
fn the_simple_example_is_brought_to_life_moved_and_unconfigured_in_the_order_of_the_guide() {
    if !needs_root() {
        return;
    }
    let site = site();
    let imported = begin(&site, TRANSCRIPT);
    let commands = imported.commands();
    assert_eq!(
        commands,
        [
            "ims-switch online IMS-RG",
            "ims-switch enable IMS-RG:ha-storage",
            "ims-switch enable IMS-RG:ha-ldap",
            "ims-switch online IMS-RG",
            "ims-switch enable IMS-RG:ha-ims",
            "ims-switch move IMS-RG --to mail-2",
        ]
    );
    let client = site.bed.client();
    let mut stream = None;
    carry_out(&site, &commands, |line| match line {
        "ims-switch enable IMS-RG:ha-ldap" => {
            let root = ServerRoot::postfix_dovecot("/global/ims/server5")
                .mail(Mail::new("stork", "ldap://192.0.2.10:389/"))
                .directory(Directory::new("mail"));
            site.install(site.node("mail-1"), &root, "stork");
        }
        "ims-switch move IMS-RG --to mail-2" => {
            site.runs(&["mail-1"]);
            verify(&site, "mail-1");
            let begun = client.inside(|| Stream::start(at(25), Duration::from_millis(30)));
            assert!(until(SOON, || begun.acknowledged() > 10), "mail is taken");
            stream = Some(begun);
        }
        _ => {}
    });
    site.runs(&["mail-2"]);
    verify(&site, "mail-2");
    let stream = stream.unwrap();
    let more = stream.acknowledged() + 10;
    assert!(until(SOON, || stream.acknowledged() > more), "mail is taken again");
    site.run("ims-switch evacuate mail-2").ok();
    site.runs(&["mail-1"]);
    assert!(until(SOON, || stream.acknowledged() > more + 10), "mail is taken again");
    let account = client.inside(|| account_within(&stream.stop(), at(143), SOON)).unwrap();
    println!("{} acknowledged, none lost, none twice", account.acknowledged);
    assert_eq!((account.lost, account.doubled), (vec![], vec![]));

    let (unconfigured, ran) = import(&site, &[TRANSCRIPT, "sun-cluster-unconfigure.txt"], 2);
    assert!(ran.stderr.contains("no group in it"), "{ran}");
    let commands = unconfigured.commands();
    let (_, commands) = commands.split_at(6);
    assert_eq!(
        commands,
        [
            "ims-switch offline IMS-RG",
            "ims-switch disable IMS-RG:ha-ims",
            "ims-switch disable IMS-RG:ha-ldap",
            "ims-switch disable IMS-RG:ha-storage",
            "ims-switch disable IMS-RG:mail",
            "ims-switch remove IMS-RG",
        ]
    );
    let refused = site.run("ims-switch remove IMS-RG").status_is(4);
    assert!(refused.stderr.contains("is up (ims-switch offline IMS-RG)"), "{refused}");
    carry_out(&site, commands, |line| {
        if !line.contains("offline") {
            site.runs(&[""]);
        }
    });
    for node in &site.nodes {
        let left = node.sh("ls /etc/ims/groups /var/lib/ims/marks /run/ims/marks 2>/dev/null || true").stdout;
        assert!(!left.contains("IMS-RG"), "{}: {left}", node.name());
        node.run(["ims-registry", "remove", "stork"]).ok();
    }
    site.end();
}

/// What the guide looks at with `scstat`, and whether each service answers on the node that has the group.
fn verify(site: &Site, on: &str) {
    let status = site.run("ims-switch status IMS-RG").ok();
    let told = status.records().into_iter().find(|record| record["schema"] == "ims.group/1").unwrap();
    assert_eq!((&told["state"], &told["online_on"]), (&"up".into(), &on.into()), "{status}");
    site.run("ims-switch check IMS-RG").ok();
    site.node(on).sh("ims-registry list | ims-probe -").ok();
    site.node(on).sh("ims-registry list | ims-portcheck -").ok();
}

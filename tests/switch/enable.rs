//! `ims-switch enable`, `disable`, `restart`, `clear`.

use super::lab::*;
use super::react::answer_now;
use crate::support::*;

/// Whether each resource is disabled, as both nodes are told it by `status`.
#[track_caller]
fn disabled(lab: &Lab) -> Vec<String> {
    let status = lab.mail_2.run(["ims-switch", "status", "IMS-RG"]);
    let of_mail_1 = |record: &serde_json::Value| {
        record["schema"] == "ims.resource/1" && record["node"] == "mail-1" && !record["disabled"].is_null()
    };
    let names = |record: &serde_json::Value| record["resource"].as_str().unwrap().to_owned();
    status.records().iter().filter(|record| of_mail_1(record)).map(names).collect()
}

#[test]
fn a_disabled_resource_is_stopped_and_the_group_moves_without_it() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let dry = lab.mail_2.run(["ims-switch", "disable", "IMS-RG:svc", "-n"]).ok();
    assert_eq!(record(&dry, "ims.step/1")["command"], "svc stop", "{dry}");
    lab.is_online_on(Some(&lab.mail_1));
    assert_eq!(disabled(&lab), [""; 0]);

    let ran = lab.mail_2.run(["ims-switch", "disable", "IMS-RG:svc", "--reason", "eats disks"]).ok();
    assert_eq!(record(&ran, "ims.mark/1")["said"]["reason"], "eats disks", "{ran}");
    assert_eq!(lab.has(&lab.mail_1), [true, true, false]);
    assert_eq!(disabled(&lab), ["svc"]);
    let again = lab.mail_2.run(["ims-switch", "disable", "IMS-RG:svc"]).ok();
    assert_eq!(record(&again, "ims.run/1")["changed"], false, "{again}");
    assert_eq!(record(&again, "ims.mark/1")["changed"], false, "{again}");
    let refused = lab.mail_1.run(["ims-switch", "start", "IMS-RG", "svc"]).status_is(4);
    assert!(refused.stderr.contains("svc is disabled (ims-switch enable IMS-RG:svc)"), "{refused}");
    lab.mail_1.run(["ims-switch", "run", "IMS-RG", "--", "true"]).ok();

    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    assert_eq!([lab.has(&lab.mail_1), lab.has(&lab.mail_2)], [[false; 3], [true, true, false]]);
    lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).ok();

    lab.mail_1.run(["ims-switch", "enable", "IMS-RG:svc"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
    assert_eq!(disabled(&lab), [""; 0]);
    let again = lab.mail_1.run(["ims-switch", "enable", "IMS-RG:svc"]).ok();
    assert_eq!(record(&again, "ims.run/1")["changed"], false, "{again}");
}

#[test]
fn what_needs_a_disabled_resource_is_told_and_does_not_start() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let refused = lab.mail_1.run(["ims-switch", "disable", "IMS-RG:mountshared"]).status_is(4);
    assert!(refused.stderr.contains("svc requires mountshared and is up on mail-1"), "{refused}");
    lab.is_online_on(Some(&lab.mail_1));
    assert_eq!(disabled(&lab), [""; 0]);

    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
    let told = lab.mail_1.run(["ims-switch", "disable", "IMS-RG:mountshared"]).ok();
    assert!(told.stderr.contains("svc requires mountshared and cannot start while"), "{told}");
    let refused = lab.mail_2.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    let way_out = "svc requires mountshared, which is disabled (ims-switch enable IMS-RG:mountshared, or ims-switch \
                   disable IMS-RG:svc)";
    assert!(refused.stderr.contains(way_out), "{refused}");
    lab.is_online_on(None);
    lab.mail_2.run(["ims-switch", "disable", "IMS-RG:svc"]).ok();
    lab.mail_2.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    assert_eq!(lab.has(&lab.mail_2), [true, false, false]);
    let refused = lab.mail_1.run(["ims-switch", "enable", "IMS-RG:svc"]).status_is(4);
    assert!(refused.stderr.contains("svc requires mountshared, which is disabled on mail-2"), "{refused}");
    lab.mail_1.run(["ims-switch", "enable", "IMS-RG:svc", "IMS-RG:mountshared"]).ok();
    lab.is_online_on(Some(&lab.mail_2));
    let wrong = lab.mail_1.run(["ims-switch", "enable", "IMS-RG"]).status_is(2);
    assert!(wrong.stderr.contains("no resource in 'IMS-RG' (like IMS-RG:mail)"), "{wrong}");
    let wrong = lab.mail_1.run(["ims-switch", "disable", "IMS-RG:scv"]).status_is(2);
    assert!(wrong.stderr.contains("no resource 'scv' in IMS-RG"), "{wrong}");
}

#[test]
fn a_disabled_resource_that_does_not_start_again_stays_disabled() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.run(["ims-switch", "disable", "IMS-RG:svc"]).ok();
    lab.mail_1.file("/run/svc.broken", "");
    let failed = lab.mail_1.run(["ims-switch", "enable", "IMS-RG:svc"]).status_is(5);
    assert!(failed.stderr.contains("broken on purpose"), "{failed}");
    assert_eq!(disabled(&lab), ["svc"]);
    assert_eq!(lab.has(&lab.mail_1), [true, true, false]);
}

#[test]
fn a_restart_takes_along_what_stands_on_it() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let nowhere = lab.mail_1.run(["ims-switch", "restart", "IMS-RG"]).status_is(4);
    assert!(nowhere.stderr.contains("IMS-RG is online nowhere"), "{nowhere}");
    lab.online();
    let steps = |words: &[&str]| -> Vec<String> {
        let line = ["ims-switch", "restart", "IMS-RG"].iter().chain(words).copied();
        let ran = lab.mail_2.run(line).ok();
        lab.is_online_on(Some(&lab.mail_1));
        let of = |record: &serde_json::Value| {
            format!("{} {}", record["verb"].as_str().unwrap(), record["resource"].as_str().unwrap())
        };
        ran.records().iter().filter(|record| record["schema"] == "ims.step/1").map(of).collect()
    };
    assert_eq!(steps(&["svc"]), ["stop svc", "start svc"]);
    assert_eq!(steps(&["mountshared"]), ["stop svc", "stop mountshared", "start mountshared", "start svc"]);
    assert_eq!(steps(&[]).len(), 6);
    let looked_at = lab.mail_2.run(["ims-switch", "restart", "IMS-RG", "network"]).status_is(2);
    assert!(looked_at.stderr.contains("network is a nic: it is only looked at"), "{looked_at}");
}

#[test]
fn a_fault_that_was_given_up_waits_for_a_person() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    // The server never starts anywhere; the rest of the group is up.
    let mail = "\n[resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\nrequires = [\"svc\"]\nrestart_limit = 0\n";
    for node in lab.nodes() {
        node.file("/etc/msgregistry.inf", "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\n");
    }
    lab.online();
    lab.group(&format!("{GROUP}{mail}"));
    let react = |attempt| {
        let down = answer_now("stork", "smtp", "down", attempt);
        lab.mail_1.command(["ims-switch", "react", "IMS-RG"]).stdin(down).run()
    };
    let gave_up = react(1).status_is(5);
    assert_eq!(record(&gave_up, "ims.decision/1")["decision"], "giveover", "{gave_up}");
    let way_out =
        "the fault of mail is given up, and nothing more is done about it (ims-switch clear IMS-RG:mail)";
    assert!(gave_up.stderr.contains(way_out), "{gave_up}");
    let status = lab.mail_2.run(["ims-switch", "status", "IMS-RG"]);
    assert_eq!(record(&status, "ims.resource/1")["faulted"]["by"], "react", "{status}");
    let stays = react(2).ok();
    let told = record(&stays, "ims.decision/1");
    assert_eq!(told["decision"], "nothing", "{stays}");
    assert!(told["reason"].as_str().unwrap().contains("given up by react on mail-1"), "{stays}");

    let cleared = lab.mail_2.run(["ims-switch", "clear", "IMS-RG"]).ok();
    assert_eq!(record(&cleared, "ims.mark/1")["changed"], true, "{cleared}");
    lab.mail_2.run(["ims-switch", "clear", "IMS-RG:mail"]).ok();
    assert_eq!(record(&react(3), "ims.decision/1")["decision"], "giveover");
}

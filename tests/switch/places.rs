//! Where groups go among others: together, apart, where there is room, and not back where they failed.

use serde_json::Value;

use super::lab::*;
use super::mail;
use super::react::answer_now;
use crate::support::mail::service;
use crate::support::*;

/// A group of one resource, which is a file in /run.
fn group(name: &str, lines: &str) -> String {
    let file = format!("/run/up.{name}");
    format!(
        "nodes = [\"mail-1\", \"mail-2\"]\n{lines}\n[resource.file]\ntype = \"command\"\n\
         start = [\"touch\", \"{file}\"]\nstop = [\"rm\", \"-f\", \"{file}\"]\nmonitor = [\"test\", \"-e\", \"{file}\"]\n"
    )
}

/// A lab with these groups, each with further lines of its file, and what mail-2 has to give.
fn lab(groups: &[(&str, &str)], capacity: &str) -> Lab {
    let lab = Lab::new();
    for node in lab.nodes() {
        node.run(["rm", "/etc/ims/groups/IMS-RG.toml"]).ok();
        for (name, lines) in groups {
            node.file(format!("/etc/ims/groups/{name}.toml"), group(name, lines));
        }
        // The table of mail-2 is the last.
        let nodes = node.read("/etc/ims/nodes.toml").unwrap();
        node.file("/etc/ims/nodes.toml", format!("{nodes}{capacity}"));
    }
    lab
}

/// Where each of some groups is.
fn places(lab: &Lab, groups: &[&str]) -> Vec<String> {
    let on = |name: &&str| -> String {
        let is_on = |node: &&Node| node.is_up() && node.path(format!("/run/up.{name}")).exists();
        let on: Vec<String> =
            lab.nodes().into_iter().filter(is_on).map(|node| node.name().to_owned()).collect();
        on.join("+")
    };
    groups.iter().map(on).collect()
}

#[test]
fn groups_stay_together_and_apart_as_their_files_say() {
    if !needs_root() {
        return;
    }
    let names = ["MAIL-RG", "WEB-RG", "TEST-RG"];
    let lab = lab(
        &[
            ("MAIL-RG", ""),
            ("WEB-RG", "together_with = [\"MAIL-RG\"]"),
            ("TEST-RG", "apart_from = [\"MAIL-RG\"]"),
        ],
        "",
    );
    let run = |words: &str, status| {
        let words: Vec<&str> = ["ims-switch"].into_iter().chain(words.split_whitespace()).collect();
        lab.mail_1.run(words).status_is(status)
    };
    let refused = |words: &str, why: &str| {
        let ran = run(words, 4);
        assert!(ran.stderr.contains(why), "{ran}");
    };
    refused("online WEB-RG", "WEB-RG must be together with MAIL-RG, which is down on mail-1");
    run("online --with-required WEB-RG", 0);
    let test = run("online TEST-RG", 0);
    let passed = "mail-1 is passed over: TEST-RG must be apart from MAIL-RG, and MAIL-RG is up on mail-1";
    assert!(test.stderr.contains(passed), "{test}");
    assert_eq!(places(&lab, &names), ["mail-1", "mail-1", "mail-2"]);

    refused("move TEST-RG --to mail-1", "TEST-RG must be apart from MAIL-RG");
    refused("move MAIL-RG", "TEST-RG must be apart from MAIL-RG, and TEST-RG is up on mail-2");
    refused("move WEB-RG", "WEB-RG must be together with MAIL-RG, which is down on mail-2");
    refused("offline MAIL-RG", "WEB-RG requires MAIL-RG and is online on mail-1");
    assert_eq!(places(&lab, &names), ["mail-1", "mail-1", "mail-2"], "nothing was touched");
    run("offline TEST-RG", 0);
    refused("move MAIL-RG", "ims-switch move MAIL-RG WEB-RG --to mail-2 moves both");
    run("move MAIL-RG WEB-RG --to mail-2 -n", 0);
    run("move MAIL-RG WEB-RG --to mail-2", 0);
    assert_eq!(places(&lab, &names), ["mail-2", "mail-2", ""]);
    run("evacuate mail-2", 0);
    assert_eq!(places(&lab, &names), ["mail-1", "mail-1", ""]);
    // Where nobody can say whether the other is there, it may be.
    lab.mail_2.run(["rm", "/etc/ims/groups/MAIL-RG.toml"]).ok();
    refused("online TEST-RG", "TEST-RG must be apart from MAIL-RG, and MAIL-RG is unknown on mail-2");
    let checked = lab.mail_2.run(["ims-switch", "check", "TEST-RG"]).status_is(1);
    assert!(
        checked.stdout.contains("apart_from names MAIL-RG, which has no file in /etc/ims/groups"),
        "{checked}"
    );
}

#[test]
fn a_standby_with_room_for_one_group_takes_one_of_two_that_come_at_once() {
    if !needs_root() {
        return;
    }
    let names = ["HERON-RG", "STORK-RG"];
    let lab = lab(&names.map(|name| (name, "")), "capacity = { groups = 1 }\n");
    let switch = |verb: &str, groups: &[&str]| {
        let line = ["ims-switch", verb].into_iter().chain(groups.iter().copied());
        lab.mail_1.run(line)
    };
    for _ in 0..3 {
        switch("online", &["HERON-RG", "STORK-RG"]).ok();
        assert_eq!(places(&lab, &names), ["mail-1", "mail-1"]);
        let runs = names.map(|name| lab.mail_1.spawn(["ims-switch", "move", name, "--to", "mail-2"]));
        let ended = runs.map(|run| run.wait(SOON));
        let mut statuses = ended.each_ref().map(|ran| ran.status);
        statuses.sort();
        assert_eq!(statuses, [Some(0), Some(4)], "{} {}", ended[0], ended[1]);
        let refused = ended.iter().find(|ran| ran.status == Some(4)).unwrap();
        assert!(refused.stderr.contains("mail-2 has a capacity of 1 groups"), "{refused}");
        let mut on = places(&lab, &names);
        on.sort();
        assert_eq!(on, ["mail-1", "mail-2"]);
        switch("offline", &names).ok();
    }
    switch("online", &["HERON-RG", "--on", "mail-2"]).ok();
    switch("online", &["STORK-RG"]).ok();
    let why = "mail-2 has a capacity of 1 groups, and there would be HERON-RG 1 and STORK-RG 1";
    let rehearsed = switch("rehearse", &["STORK-RG", "--to", "mail-2"]).status_is(1);
    let room = rehearsed.records().into_iter().find(|point| point["subject"] == "room").unwrap();
    assert_eq!(room["verdict"], "obstacle", "{rehearsed}");
    assert!(room["reason"].as_str().unwrap().starts_with(why), "{rehearsed}");
    let explained = switch("plan", &["--explain", "move", "STORK-RG"]).status_is(4);
    assert!(record(&explained, "ims.explain/1")["reason"].as_str().unwrap().contains(why), "{explained}");
    // A lost primary does not make room either.
    lab.mail_1.power_cut();
    let online = lab.mail_2.run(["ims-switch", "online", "STORK-RG"]).status_is(4);
    assert!(online.stderr.contains(why), "{online}");
    assert_eq!(places(&lab, &["HERON-RG"]), ["mail-2"]);
}

#[test]
fn a_fault_moves_a_group_and_not_back_before_its_interval_is_over() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    for node in lab.nodes() {
        let path = "/etc/ims/groups/IMS-RG.toml";
        let text = node.read(path).unwrap().replace("[\"ldap\"]\n", "[\"ldap\"]\nrestart_limit = 0\n");
        node.file(path, text);
    }
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let fault = |node: &Node| {
        let down = answer_now("stork", "smtp", "down", 1);
        node.command(["ims-switch", "react", "IMS-RG"]).stdin(down).deadline(SOON).run()
    };
    let status = || record(&lab.mail_1.run(["ims-switch", "status", "IMS-RG"]), "ims.group/1");
    fault(&lab.mail_1).ok();
    assert_eq!(status()["online_on"], "mail-2");
    assert_eq!(status()["failed_on"]["mail-1"]["by"], "react");
    let marks = lab.nodes().map(|node| node.read("/var/lib/ims/marks/IMS-RG.json").unwrap());
    assert_eq!(marks[0], marks[1]);

    let stays = fault(&lab.mail_2).ok();
    assert_eq!(status()["online_on"], "mail-2", "it was restarted there: {stays}");
    let reason = record(&stays, "ims.decision/1")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("not given over but restarted") && reason.contains("ping-pong"), "{stays}");

    let moved = lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    assert!(moved.stderr.contains("IMS-RG failed on mail-1 of late"), "a person is told: {moved}");
    assert_eq!(status()["online_on"], "mail-1");
    let cleared = lab.mail_2.run(["ims-switch", "clear", "IMS-RG"]).ok();
    assert_eq!(record(&cleared, "ims.mark/1")["failed_on"], "mail-1", "{cleared}");
    assert_eq!(status()["failed_on"], serde_json::json!({}));
    let gone = fault(&lab.mail_1).ok();
    assert_eq!(status()["online_on"], "mail-2", "{gone}");
}

/// Three nodes with a group of real mail servers, which begins with `svc`.
fn of_three() -> (Lab, Node) {
    let lab = Lab::new();
    let mail_3 = lab.bed.node("mail-3");
    mail_3.attach(&lab.disk);
    let nodes = [&lab.mail_1, &lab.mail_2, &mail_3];
    let svc = lab.mail_1.read("/usr/local/sbin/svc").unwrap();
    mail_3.script("/usr/local/sbin/svc", &svc);
    mail_3.run(["mkdir", "-p", "/global/ims"]).ok();
    let reached = lab.mail_1.read("/etc/ims/nodes.toml").unwrap();
    let third = reached.split("[mail-2]").next().unwrap().replace("mail-1", "mail-3");
    let names = signatures(&nodes, &lab.disk);
    for node in nodes {
        node.file("/etc/ims/nodes.toml", format!("{reached}{third}"));
        node.file("/etc/ims/guard-names.toml", &names);
    }
    service::lay(&nodes, "/dev/ims1", "/global/ims", IP);
    let group = format!("{GROUP}{}", service::RESOURCES);
    let group = group.replace("\"mail-2\"]", "\"mail-2\", \"mail-3\"]");
    let group = group.replace("\"mountshared\"]\nonline_timeout", "\"svc\"]\nonline_timeout");
    let group = group.replace("[\"ldap\"]\n", "[\"ldap\"]\nrestart_limit = 0\n");
    for node in nodes {
        node.file("/etc/ims/groups/IMS-RG.toml", &group);
    }
    (lab, mail_3)
}

#[test]
fn a_fault_takes_a_group_past_a_node_that_turns_out_not_to_be_able_to_have_it() {
    if !needs_root() {
        return;
    }
    let (lab, mail_3) = of_three();
    let switch = |words: &[&str]| lab.mail_1.run(["ims-switch"].iter().chain(words).copied());
    let status = || record(&switch(&["status", "IMS-RG"]), "ims.group/1");
    let react = || {
        let down = answer_now("stork", "smtp", "down", 1);
        lab.mail_1.command(["ims-switch", "react", "IMS-RG"]).stdin(down).deadline(SOON).run()
    };
    let unfit = [
        ("touch /run/svc.broken", "broken on purpose", "it could not be given over to it".into()),
        (
            "rm /run/svc.broken; rmdir /global/ims",
            "mail-2 is passed over: mail-2 cannot take IMS-RG",
            Value::Null,
        ),
    ];
    for (makes, words, why) in unfit {
        switch(&["online", "IMS-RG", "--on", "mail-1"]).ok();
        lab.mail_2.sh(makes).ok();
        let reacted = react().ok();
        let decided = record(&reacted, "ims.decision/1");
        assert_eq!(
            (&decided["decision"], &decided["status"]),
            (&"giveover".into(), &"ok".into()),
            "{reacted}"
        );
        assert!(reacted.stderr.contains(words), "{reacted}");
        assert_eq!(lab.has(&mail_3), [true; 3], "{reacted}");
        let status = status();
        assert_eq!(status["online_on"], "mail-3", "{reacted}");
        assert_eq!(status["failed_on"]["mail-1"]["reason"], "it was given over");
        assert_eq!(status["failed_on"]["mail-2"]["reason"], why, "what was only asked is no fault of it");
        switch(&["clear", "IMS-RG"]).ok();
        switch(&["move", "IMS-RG", "--to", "mail-1"]).ok();
    }

    // Where none is left, it is restarted where it is.
    mail_3.sh("rmdir /global/ims").ok();
    let reacted = react().ok();
    let reason = record(&reacted, "ims.decision/1")["reason"].as_str().unwrap().to_owned();
    for words in
        ["not given over but restarted: no node can have IMS-RG", "mail-2 cannot take", "mail-3 cannot take"]
    {
        assert!(reason.contains(words), "{reacted}");
    }
    assert_eq!(lab.has(&lab.mail_1), [true; 3], "{reacted}");
    assert_eq!(status()["failed_on"], serde_json::json!({}), "{reacted}");
    mail_3.sh("mkdir /global/ims").ok();

    // Where the source is in the way no other node is, and none is tried.
    lab.mail_2.sh("mkdir /global/ims").ok();
    lab.mail_1.sh("touch /run/svc.stuck").ok();
    let reacted = react().status_is(5);
    let runs = reacted.records().into_iter().filter(|record| record["schema"] == "ims.run/1");
    assert_eq!(runs.count(), 1, "{reacted}");
    assert_eq!(status()["failed_on"], serde_json::json!({}), "{reacted}");
    lab.mail_1.sh("rm /run/svc.stuck").ok();
}

#[test]
fn the_group_of_a_lost_node_goes_past_one_that_cannot_have_it_too() {
    if !needs_root() {
        return;
    }
    let (lab, mail_3) = of_three();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-1"]).ok();
    lab.mail_1.power_cut();
    let survivors = [&lab.mail_2, &mail_3];
    let decided = || {
        let down = answer_now("stork", "smtp", "down", 1);
        let reacted = mail_3.command(["ims-switch", "react", "IMS-RG"]).stdin(down).deadline(SOON).run();
        (record(&reacted, "ims.decision/1")["status"].clone(), reacted)
    };
    for node in survivors {
        node.run(["rmdir", "/global/ims"]).ok();
    }
    let (status, reacted) = decided();
    assert_eq!(status, "refused", "{reacted}");
    for words in ["no node can have IMS-RG: mail-2 cannot take IMS-RG", "mail-3 cannot take IMS-RG"] {
        assert!(reacted.stderr.contains(words), "{reacted}");
    }
    assert_eq!(lab.bed.fence_requests(), [""; 0], "nothing was touched");

    // That was no try, so nothing is given up: as soon as one can have it, one has it.
    for node in survivors {
        node.run(["mkdir", "/global/ims"]).ok();
    }
    lab.mail_2.sh("touch /run/svc.broken").ok();
    let (status, reacted) = decided();
    assert_eq!(status, "ok", "{reacted}");
    assert!(reacted.stderr.contains("broken on purpose"), "{reacted}");
    assert_eq!([lab.has(&lab.mail_2), lab.has(&mail_3)], [[false; 3], [true; 3]], "{reacted}");
    let status = record(&mail_3.run(["ims-switch", "status", "IMS-RG"]), "ims.group/1");
    assert_eq!(status["failed_on"]["mail-2"]["reason"], "it could not be given over to it", "{reacted}");
}

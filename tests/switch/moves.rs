//! Online, move, offline; and the way back when a step fails.

use super::lab::*;
use crate::support::*;

#[test]
fn a_group_goes_online_moves_and_goes_offline_and_a_second_run_changes_nothing() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let (one, two) = (&lab.mail_1, &lab.mail_2);
    one.run(["ims-switch", "status", "IMS-RG"]).status_is(1);
    for (node, words, owner) in [
        (one, &["online"][..], Some(one)),
        (one, &["move", "--to", "mail-2"], Some(two)),
        (two, &["move"], Some(one)),
        (two, &["offline"], None),
        (two, &["online", "--on", "mail-2"], Some(two)),
        (one, &["offline"], None),
    ] {
        let line: Vec<&str> =
            ["ims-switch"].into_iter().chain(words.iter().copied()).chain(["IMS-RG"]).collect();
        let ran = node.run(&line).ok();
        assert_eq!(record(&ran, "ims.run/1")["changed"], true, "{ran}");
        lab.is_online_on(owner);
        let on = owner.map(|owner| owner.name().to_owned());
        assert_eq!(record(&ran, "ims.run/1")["online_on"].as_str(), on.as_deref(), "{ran}");
        if words != ["move"] {
            let again = node.run(&line).ok();
            assert_eq!(record(&again, "ims.run/1")["changed"], false, "{again}");
            assert!(again.records().iter().all(|record| record["schema"] != "ims.step/1"), "{again}");
        }
        let status = two.run(["ims-switch", "status"]).status_is(i32::from(owner.is_none()));
        assert_eq!(record(&status, "ims.group/1")["online_on"].as_str(), on.as_deref(), "{status}");
    }
}

#[test]
fn a_plan_is_shown_and_nothing_is_touched() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let planned = lab.mail_1.run(["ims-switch", "plan", "move", "IMS-RG"]).ok();
    let steps: Vec<String> = planned
        .records()
        .iter()
        .filter(|record| record["schema"] == "ims.step/1")
        .map(|step| format!("{}: {}", step["node"].as_str().unwrap(), step["command"].as_str().unwrap()))
        .collect();
    assert_eq!(
        steps,
        [
            "mail-1: svc stop",
            "mail-1: ims-diskctl release --device /dev/ims1 --mount /global/ims --fstype ext4",
            "mail-1: ims-ipbind down 192.0.2.10/24 --device eth0",
            "mail-2: ims-ipbind up 192.0.2.10/24 --device eth0 --probe-wait 12ms",
            "mail-2: ims-diskctl take --device /dev/ims1 --mount /global/ims --fstype ext4",
            "mail-2: svc start",
        ]
    );
    let dry = lab.mail_1.run(["ims-switch", "move", "-n", "IMS-RG"]).ok();
    assert_eq!(record(&dry, "ims.run/1")["dry_run"], true);
    lab.is_online_on(Some(&lab.mail_1));
    // The steps are command lines: typed by hand, one after the other, they do the same.
    for step in steps {
        let (node, line) = step.split_once(": ").unwrap();
        lab.bed.node(node).sh(line).ok();
    }
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_target_that_cannot_have_it_is_told_before_the_source_is_touched() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    let starts = lab.mail_1.read("/global/ims/starts").unwrap();
    for (break_it, mend_it, words, status) in [
        ("mv /usr/local/sbin/svc /root", "mv /root/svc /usr/local/sbin", "svc is not there", 5),
        ("mount -t tmpfs none /global/ims", "umount /global/ims", "(tmpfs) is mounted there", 5),
        ("rmdir /global/ims", "mkdir /global/ims", "mount point /global/ims is not there", 5),
        ("ip link set eth0 name eth7", "ip link set eth7 name eth0", "there is no interface eth0", 5),
        (
            "sed -i 's/mail-2\"]/mail-2\"] # x/' /etc/ims/groups/IMS-RG.toml",
            "sed -i 's/ # x//' /etc/ims/groups/IMS-RG.toml",
            "IMS-RG.toml differs from line 1 on",
            4,
        ),
        (
            "rm /etc/ims/groups/IMS-RG.toml",
            "cp /root/group /etc/ims/groups/IMS-RG.toml",
            "no group 'IMS-RG'",
            2,
        ),
    ] {
        lab.mail_2.sh("cp /etc/ims/groups/IMS-RG.toml /root/group").ok();
        lab.mail_2.sh(break_it).ok();
        let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", "mail-2"]).status_is(status);
        assert!(ran.stderr.contains(words), "{ran}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
        lab.is_online_on(Some(&lab.mail_1));
        lab.mail_2.sh(mend_it).ok();
    }
    assert_eq!(lab.mail_1.read("/global/ims/starts").unwrap(), starts, "the server was never stopped");
}

#[test]
fn a_target_that_fails_gives_it_back_to_the_source() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_2.file("/run/svc.broken", "");
    let watch = lab.watch();
    let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).status_is(5);
    watch.end();
    assert!(ran.stderr.contains("broken on purpose") && ran.stderr.contains("as before"), "{ran}");
    lab.is_online_on(Some(&lab.mail_1));

    // When the source cannot have it any more either, a person must look.
    lab.mail_1.file("/run/svc.broken", "");
    let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).status_is(6);
    assert!(ran.stderr.contains("putting it back failed"), "{ran}");
    assert!(ran.stderr.contains("mail-1 has logical_IP, mountshared"), "{ran}");
    lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    lab.mail_1.sh("rm /run/svc.broken").ok();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn a_stop_that_fails_is_never_called_stopped() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.file("/run/svc.stuck", "");
    let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).status_is(5);
    assert!(ran.stderr.contains("cannot stop svc on mail-1"), "{ran}");
    lab.is_online_on(Some(&lab.mail_1));
    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).status_is(5);
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn a_node_gives_up_what_it_no_longer_owns_before_another_starts_it() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    // What is left of an owner that died half-way: the address here, the volume there.
    lab.mail_1.run(["ims-ipbind", "up", "192.0.2.10/24", "--device", "eth0"]).ok();
    lab.mail_2.run(["ims-diskctl", "take", "--device", "/dev/ims1", "--mount", "/global/ims"]).ok();
    lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    let watch = lab.watch();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    watch.end();
    lab.is_online_on(Some(&lab.mail_2));

    lab.mail_2.run(["ims-switch", "offline", "IMS-RG", "--here"]).ok();
    lab.is_online_on(None);
}

#[test]
fn two_nodes_with_the_same_thing_are_told_as_broken() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_2.sh("ip address add 192.0.2.10/24 dev eth0").ok();
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(6);
    let reason = record(&status, "ims.group/1")["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "logical_IP is up on mail-1 and on mail-2");
    // Somebody put it on there by hand, and nobody takes it off unasked; the way out is told.
    let refused = lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    assert!(refused.stderr.contains("was not put on by ims-ipbind"), "{refused}");
    lab.mail_2
        .run(["ims-ipbind", "up", "192.0.2.10/24", "--device", "eth0", "--adopt", "--probe-wait", "0s"])
        .ok();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    lab.is_online_on(Some(&lab.mail_1));
}

#[test]
fn a_group_waits_for_those_it_requires() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let ldap = "nodes = [\"mail-2\"]\n[resource.file]\ntype = \"command\"\nstart = [\"touch\", \"/run/ldap\"]\n\
                stop = [\"rm\", \"/run/ldap\"]\nmonitor = [\"test\", \"-e\", \"/run/ldap\"]\n";
    for node in lab.nodes() {
        node.file("/etc/ims/groups/LDAP-USER-RG.toml", ldap);
    }
    lab.group(&format!("requires_groups = [\"LDAP-USER-RG\"]\n{GROUP}"));
    let ran = lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).status_is(4);
    assert!(ran.stderr.contains("requires LDAP-USER-RG, which is not online anywhere"), "{ran}");
    lab.is_online_on(None);
    lab.mail_1.run(["ims-switch", "online", "LDAP-USER-RG", "IMS-RG"]).ok();
    lab.is_online_on(Some(&lab.mail_1));
    assert!(lab.mail_2.path("/run/ldap").exists());
}

#[test]
fn one_resource_is_started_and_stopped_by_hand_with_the_same_care() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let ran = lab.mail_1.run(["ims-switch", "start", "IMS-RG", "svc"]).status_is(4);
    assert!(ran.stderr.contains("svc requires logical_IP, which is down here"), "{ran}");
    lab.mail_1.run(["ims-switch", "start", "IMS-RG", "logical_IP"]).ok();
    lab.mail_1.run(["ims-switch", "start", "IMS-RG", "mountshared"]).ok();
    let dry = lab.mail_1.run(["ims-switch", "start", "-n", "IMS-RG", "svc"]).ok();
    assert_eq!(record(&dry, "ims.step/1")["changed"], true);
    assert!(!serves(&lab.mail_1));
    for changed in [true, false] {
        let ran = lab.mail_1.run(["ims-switch", "start", "IMS-RG", "svc"]).ok();
        assert_eq!(record(&ran, "ims.step/1")["changed"], changed, "{ran}");
    }
    let ran = lab.mail_1.run(["ims-switch", "stop", "IMS-RG", "mountshared"]).status_is(4);
    assert!(ran.stderr.contains("svc requires mountshared and is up here"), "{ran}");
    lab.mail_1.run(["ims-switch", "stop", "IMS-RG", "svc"]).ok();
    assert_eq!(lab.has(&lab.mail_1), [true, true, false]);
}

#[test]
fn an_ocf_agent_is_a_resource_like_any_other() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let agent = "#!/bin/sh\nf=/run/$OCF_RESKEY_state\ncase $1 in\nstart) : >\"$f\" ;;\nstop) rm -f \"$f\" ;;\n\
                 monitor) [ -e \"$f\" ] || exit 7 ;;\nesac\n";
    for node in lab.nodes() {
        node.script("/usr/lib/ocf/resource.d/ims/Stateful", agent);
    }
    lab.group(
        "nodes = [\"mail-1\", \"mail-2\"]\n[resource.x]\ntype = \"ocf:ims:Stateful\"\n\
         parameters = { state = \"x-is-up\" }\n",
    );
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    assert!(lab.mail_1.path("/run/x-is-up").exists());
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    assert!(!lab.mail_1.path("/run/x-is-up").exists() && lab.mail_2.path("/run/x-is-up").exists());
    lab.mail_2.script("/usr/lib/ocf/resource.d/ims/Stateful", "#!/bin/sh\nexit 1\n");
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    assert_eq!(record(&status, "ims.group/1")["state"], "unknown", "an error is neither up nor down");
}

#[test]
fn a_disk_group_is_imported_and_deported_by_the_volume_managers_own_commands() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let vxdg = "#!/bin/sh\necho \"vxdg $*\" >>/run/vx.log\ncase $* in\n*list) cat /run/imported 2>/dev/null; true ;;\n\
                *import*) echo \"$3 enabled 1\" >/run/imported ;;\ndeport*) rm /run/imported ;;\nesac\n";
    for node in lab.nodes() {
        node.script("/usr/local/sbin/vxdg", vxdg);
        node.script("/usr/local/sbin/vxvol", "#!/bin/sh\necho \"vxvol $*\" >>/run/vx.log\n");
    }
    lab.group(
        "nodes = [\"mail-1\", \"mail-2\"]\n[resource.sharedg]\ntype = \"disk-group\"\ndisk_group = \"imsdg\"\n",
    );
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    let said = |node: &Node| {
        let log = node.read("/run/vx.log").unwrap();
        log.lines().filter(|line| !line.ends_with("list")).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let start = ["vxdg -t import imsdg", "vxvol -g imsdg startall"];
    let stop = ["vxvol -g imsdg stopall", "vxdg deport imsdg"];
    assert_eq!(said(&lab.mail_1), [start, stop].concat());
    assert_eq!(said(&lab.mail_2), start);
}

#[test]
fn a_node_gives_up_its_own_part_whatever_the_other_says() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_1.file("/etc/ims/groups/IMS-RG.toml", format!("{GROUP}# newer\n"));
    lab.mail_2.run(["ims-switch", "offline", "IMS-RG", "--here"]).ok();
    lab.is_online_on(None);
    lab.mail_1.file("/etc/ims/groups/IMS-RG.toml", GROUP);
    lab.mail_1.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.mail_1.file("/etc/ims/groups/IMS-RG.toml", "nodes = [\n");
    lab.mail_2.run(["ims-switch", "offline", "IMS-RG", "--here"]).ok();
    lab.is_online_on(None);
}

//! What the neighbours are asked and told.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;

#[test]
fn an_address_that_a_neighbour_answers_for_is_refused_and_the_neighbour_named() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    settle(&mail_1);
    settle(&mail_2);
    for vip in [VIP, VIP6] {
        ipbind(&mail_1, &format!("up {vip} --device eth0 --probe-wait 50ms")).ok();
        let before = addresses(&mail_2);
        let bare = vip.split('/').next().unwrap();
        for dry_run in ["", " -n"] {
            let refused = ipbind(&mail_2, &format!("up {vip} --device eth0{dry_run}")).status_is(4);
            assert_eq!(
                fail(&refused),
                format!(
                    "{bare} is in use on eth0: {} answers for it (take it down there first)",
                    mac(&mail_1)
                )
            );
            let record = told(&refused);
            assert_eq!(
                (&record["state"], &record["changed"], &record["answered_by"]),
                (&json!("down"), &json!(false), &json!(mac(&mail_1)))
            );
            assert_eq!(addresses(&mail_2), before);
        }
        let look = ipbind(&mail_2, &format!("look {vip} --device eth0 --probe-wait 5s")).status_is(1);
        assert_eq!(told(&look)["answered_by"], mac(&mail_1));
        assert!(look.took < Duration::from_secs(4), "it returns at once: {look}");
        // The one who has it is not asked to give it up, and asking did it no harm.
        let own = ipbind(&mail_1, &format!("look {vip} --device eth0 --probe-wait 100ms")).ok();
        assert_eq!(told(&own)["answered_by"], Value::Null);
    }
}

#[test]
fn two_nodes_that_take_an_address_at_the_same_moment_do_not_both_get_it() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let nodes = [bed.node("mail-1"), bed.node("mail-2")];
    nodes.iter().for_each(settle);
    for vip in [VIP, VIP, VIP, VIP6] {
        let up = format!("ims-ipbind up {vip} --device eth0 --probe-wait 1s");
        let runs = nodes.each_ref().map(|node| node.spawn(up.split(' ')));
        let ends = runs.map(|run| run.wait(Duration::from_secs(20)));
        let got = ends.iter().filter(|ran| ran.is_ok()).count();
        assert!(got <= 1, "{vip}: {} {}", ends[0], ends[1]);
        assert_eq!(nodes.iter().filter(|node| has(node, vip)).count(), got, "{vip}");
        assert!(ends.iter().all(|ran| matches!(ran.status, Some(0 | 4))), "{} {}", ends[0], ends[1]);
        for node in &nodes {
            ipbind(node, &format!("down {vip} --device eth0")).ok();
        }
    }
}

#[test]
fn an_ipv6_address_is_usable_when_up_returns_and_was_looked_for_by_the_kernel() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    for changed in [true, false] {
        let up = ipbind(&node, &format!("up {VIP6} --device eth0")).ok();
        assert!(has(&node, VIP6), "not tentative any more");
        assert_eq!(
            (told(&up)["state"].as_str(), told(&up)["changed"].as_bool()),
            (Some("up"), Some(changed))
        );
        println!("IPv6, with the kernel's search for duplicates, changed {changed}: {:?}", up.took);
    }
    assert!(!addresses(&node).contains("2001:db8::7/64 scope global nodad"), "{}", addresses(&node));
    ipbind(&node, &format!("down {VIP6} --device eth0")).ok();
    let up = ipbind(&node, &format!("up {VIP6} --device eth0 --probe-wait 0s")).ok();
    println!("IPv6, nobody asked: {:?}", up.took);
    assert!(addresses(&node).contains("2001:db8::7/64 scope global nodad"), "{}", addresses(&node));
    ipbind(&node, &format!("down {VIP6} --device eth0")).ok();
    // Where the kernel was told not to look, we look ourselves.
    let mail_2 = bed.node("mail-2");
    settle(&mail_2);
    ipbind(&mail_2, &format!("up {VIP6} --device eth0 --probe-wait 0s")).ok();
    node.sh("echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad").ok();
    let refused = ipbind(&node, &format!("up {VIP6} --device eth0")).status_is(4);
    assert_eq!(told(&refused)["answered_by"], mac(&mail_2));
}

#[test]
fn another_answer_for_an_address_that_is_up_is_told_as_partial() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    for node in [&mail_1, &mail_2] {
        ipbind(node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    }
    let look = ipbind(&mail_2, &format!("look {VIP} --device eth0 --probe-wait 2s")).status_is(3);
    let record = told(&look);
    assert_eq!(
        (&record["state"], &record["reason"], &record["answered_by"]),
        (&json!("partial"), &json!("somebody else answers for it too"), &json!(mac(&mail_1)))
    );
}

#[test]
fn the_announcements_are_what_the_standards_say() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    settle(&node);
    // What a neighbour learns: its cache has the old card until it is told.
    let wrong = "02:00:00:00:00:99";
    for vip in ["192.0.2.7", "2001:db8::7"] {
        let (prefix, family) = if vip.contains(':') { (64, "-6") } else { (24, "-4") };
        client.sh(&format!("ip {family} neigh replace {vip} lladdr {wrong} dev eth0 nud reachable")).ok();
        let known = || {
            let line = client.sh(&format!("ip {family} neigh show {vip}")).ok().stdout;
            line.split(' ').skip_while(|word| *word != "lladdr").nth(1).map(str::to_owned)
        };
        assert_eq!(known().as_deref(), Some(wrong));
        ipbind(&node, &format!("up {vip}/{prefix} --device eth0 --probe-wait 0s")).ok();
        let card = mac(&node);
        assert!(until(Duration::from_secs(5), || known().as_ref() == Some(&card)), "{vip}: {:?}", known());
    }
    // A second run tells again, for the first may have been killed before it did.
    client.sh(&format!("ip neigh replace 192.0.2.7 lladdr {wrong} dev eth0 nud reachable")).ok();
    ipbind(&node, &format!("up {VIP} --device eth0 --announce 3 --announce-every 10ms")).ok();
    let line = client.sh("ip neigh show 192.0.2.7").ok().stdout;
    assert!(line.contains(&mac(&node)), "{line}");
    let words: HashSet<&str> = line.split_whitespace().collect();
    assert!(!words.contains("FAILED"), "{line}");
}

#[test]
fn a_search_for_duplicates_that_does_not_end_in_time_is_unknown_and_leaves_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let before = addresses(&node);
    let unknown = ipbind(&node, &format!("up {VIP6} --device eth0 --timeout 200ms")).status_is(3);
    assert_eq!(
        fail(&unknown),
        "the kernel has not ended its search for a duplicate of 2001:db8::7/64 on eth0 within 200ms \
         (give it a longer --timeout)"
    );
    assert_eq!((&told(&unknown)["state"], &told(&unknown)["changed"]), (&json!("down"), &json!(false)));
    assert_eq!(addresses(&node), before);
    // A run that was killed left the address to the kernel; the next one waits for the verdict and tells. The kernel
    // takes its time, so that it is still at it when it is looked at.
    node.sh("echo 4 >/proc/sys/net/ipv6/conf/eth0/dad_transmits").ok();
    node.sh(&format!("ip addr add {VIP6} dev eth0")).ok();
    assert_eq!(told(&ipbind(&node, &format!("look {VIP6} --device eth0")).status_is(3))["state"], "partial");
    let up = ipbind(&node, &format!("up {VIP6} --device eth0")).ok();
    assert_eq!((&told(&up)["state"], &told(&up)["changed"]), (&json!("up"), &json!(false)));
    assert!(has(&node, VIP6));
}

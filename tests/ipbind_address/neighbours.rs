//! What the neighbours are asked and told.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
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
fn an_ipv6_address_is_usable_when_up_returns_and_was_asked_for_no_longer_than_was_said() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    let took = |vip: &str, wait: &str| {
        let up = ipbind(&node, format!("up {vip} --device eth0 {wait}").trim_end()).ok();
        assert!(has(&node, vip), "usable at once");
        assert_eq!((told(&up)["state"].as_str(), told(&up)["changed"].as_bool()), (Some("up"), Some(true)));
        ipbind(&node, &format!("down {vip} --device eth0")).ok();
        up.took
    };
    for wait in ["", "--probe-wait 20ms", "--probe-wait 0s"] {
        println!("up {wait}: IPv4 {:?}, IPv6 {:?}", took(VIP, wait), took(VIP6, wait));
    }
    // The best of some: the machine may be busy, but the kernel's own search would always take a second.
    let best = |vip: &str| (0..5).map(|_| took(vip, "--probe-wait 20ms")).min().unwrap();
    let (v4, v6) = (best(VIP), best(VIP6));
    assert!(v6 < v4 + Duration::from_millis(300), "{v4:?} {v6:?}");
    // What the kernel has not let into use, we ask for and put on anew, when it is adopted. The kernel takes its time,
    // so that it is still at it when it is looked at.
    node.sh("echo 9 >/proc/sys/net/ipv6/conf/eth0/dad_transmits").ok();
    node.sh(&format!("ip addr add {VIP6} dev eth0")).ok();
    assert_eq!(told(&ipbind(&node, &format!("look {VIP6} --device eth0")).status_is(3))["state"], "partial");
    ipbind(&node, &format!("up {VIP6} --device eth0 --probe-wait 20ms")).status_is(4);
    let up = ipbind(&node, &format!("up {VIP6} --device eth0 --probe-wait 20ms --adopt")).ok();
    assert_eq!(told(&up)["ours"], true);
    assert!(has(&node, VIP6));
}

#[test]
fn an_ipv6_address_that_the_kernel_of_another_node_looks_for_is_refused() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    settle(&mail_1);
    settle(&mail_2);
    // We hold it: the other's kernel finds that out, and says so as a duplicate.
    ipbind(&mail_1, &format!("up {VIP6} --device eth0 --probe-wait 0s")).ok();
    mail_2.sh(&format!("ip addr add {VIP6} dev eth0")).ok();
    let look = || told(&ipbind(&mail_2, &format!("look {VIP6} --device eth0")))["reason"].clone();
    assert!(until(Duration::from_secs(10), || look() == "the kernel found a duplicate"), "{}", look());
    let refused = ipbind(&mail_2, &format!("up {VIP6} --device eth0 --adopt")).status_is(4);
    assert_eq!(told(&refused)["answered_by"], mac(&mail_1));
    mail_2.sh(&format!("ip addr del {VIP6} dev eth0")).ok();
    ipbind(&mail_1, &format!("down {VIP6} --device eth0")).ok();
    // The other's kernel asks while we do: neither has it yet, and we leave it.
    let run = mail_1.spawn(format!("ims-ipbind up {VIP6} --device eth0 --probe-wait 5s").split(' '));
    assert!(until(Duration::from_secs(5), || {
        let groups = mail_1.sh("cat /proc/net/igmp6").ok().stdout;
        groups.contains("ff0200000000000000000001ff000007")
    }));
    mail_2.sh(&format!("ip addr add {VIP6} dev eth0")).ok();
    let refused = run.wait(Duration::from_secs(20)).status_is(4);
    assert!(!has(&mail_1, VIP6), "{refused}");
}

#[test]
fn an_address_that_another_network_of_the_same_machine_has_is_refused() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    // A container on a bridge of the node, as they are usual.
    node.sh(
        "ip link add br0 type bridge; ip link set br0 up; ip netns add box; ip link add v0 type veth peer name v1; \
         ip link set v0 master br0 up; ip link set v1 netns box; \
         ip -n box address add 198.51.100.7/24 dev v1; ip -n box address add 2001:db8:1::7/64 dev v1 nodad; \
         ip -n box link set v1 up",
    )
    .ok();
    let found = node.sh("ip -n box -j link show v1").ok().stdout;
    let found: Value = serde_json::from_str(&found).unwrap();
    for vip in ["198.51.100.7/24", "2001:db8:1::7/64"] {
        let refused = ipbind(&node, &format!("up {vip} --device br0")).status_is(4);
        assert_eq!(told(&refused)["answered_by"], found[0]["address"], "{refused}");
    }
    node.sh("ip netns del box").ok();
}

#[test]
fn what_this_node_remembers_of_the_address_is_forgotten_when_asked() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, holder) = (bed.node("mail-1"), bed.node("mail-2"));
    settle(&node);
    settle(&holder);
    // What a port that nobody listens at answers, when it is reached. A card that is kept in mind is believed for 15 s at
    // least; a question that is lost, for the kernel joins the group of a new IPv6 address later, is asked anew after 1 s.
    let answer = |address: &str, within: Duration| {
        let at = SocketAddr::new(address.parse().unwrap(), 9);
        node.inside(|| TcpStream::connect_timeout(&at, within)).unwrap_err().kind()
    };
    for (vip, permanent) in [(VIP, "192.0.2.8"), (VIP6, "2001:db8::8")] {
        let bare = vip.split('/').next().unwrap();
        let remember = |address: &str, state: &str| {
            node.sh(&format!("ip neigh replace {address} lladdr 02:00:00:00:00:99 dev eth0 nud {state}"))
                .ok();
        };
        let remembered = |address: &str| {
            node.sh(&format!("ip neigh show {address}")).ok().stdout.contains("02:00:00:00:00:99")
        };
        let flushed = |line: &str| {
            let ran = ipbind(&node, &format!("{line} {vip} --device eth0 --flush-neighbours")).ok();
            (told(&ran)["neighbours_flushed"].clone(), told(&ran)["changed"].clone())
        };
        remember(bare, "stale");
        remember(permanent, "permanent");
        assert_eq!(flushed("up --probe-wait 0s"), (json!(1), json!(true)));
        assert!(!remembered(bare));
        assert_eq!(flushed("up --probe-wait 0s"), (json!(0), json!(false)));
        // The other node takes it over, and this node goes there at once although it had the wrong card in mind.
        remember(bare, "reachable");
        assert_eq!(flushed("down"), (json!(1), json!(true)));
        holder.sh(&format!("ip address add {vip} dev eth0 nodad")).ok();
        assert_eq!(answer(bare, Duration::from_secs(8)), ErrorKind::ConnectionRefused);
        // It forgets whom it answered too: it would ask after that one by itself, and tell its card by that.
        holder.sh(&format!("ip address del {vip} dev eth0; ip neigh flush dev eth0")).ok();
        // The proof that this can fail: not flushed, it goes on sending where nobody is.
        remember(bare, "reachable");
        ipbind(&node, &format!("down {vip} --device eth0")).ok();
        holder.sh(&format!("ip address add {vip} dev eth0 nodad")).ok();
        assert_eq!(answer(bare, Duration::from_millis(500)), ErrorKind::TimedOut);
        assert_eq!(flushed("down"), (json!(1), json!(true)), "nowhere any more, and forgotten all the same");
        remember(bare, "permanent");
        assert_eq!(flushed("down"), (json!(0), json!(false)));
        assert!(remembered(bare) && remembered(permanent), "what a person said stays");
        node.sh(&format!("ip neigh del {bare} dev eth0; ip neigh del {permanent} dev eth0")).ok();
        holder.sh(&format!("ip address del {vip} dev eth0")).ok();
    }
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
    ipbind(&node, &format!("up {VIP} --device eth0")).ok();
    let line = client.sh("ip neigh show 192.0.2.7").ok().stdout;
    assert!(line.contains(&mac(&node)), "{line}");
    let words: HashSet<&str> = line.split_whitespace().collect();
    assert!(!words.contains("FAILED"), "{line}");
}

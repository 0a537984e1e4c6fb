//! Whose an address is: what others put on is neither taken off nor taken over unasked.

use serde_json::{Value, json};

use super::*;

/// `ours` as `look` tells it.
fn ours(node: &Node, address: &str) -> Value {
    told(&ipbind(node, &format!("look {address} --device eth0")).ok())["ours"].clone()
}

#[test]
fn an_address_of_somebody_else_is_left_alone_until_it_is_adopted() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    for vip in [VIP, VIP6] {
        // Put on for an hour, as a DHCP client does.
        node.sh(&format!("ip address add {vip} dev eth0 nodad valid_lft 3600 preferred_lft 3600")).ok();
        let before = addresses(&node);
        assert_eq!(ours(&node, vip), false);
        for dry_run in ["", " -n"] {
            let down = ipbind(&node, &format!("down {vip} --device eth0{dry_run}")).status_is(4);
            assert_eq!(
                fail(&down),
                format!(
                    "{vip} on eth0 was not put on by ims-ipbind (have it taken off by whoever put it on, or take it \
                     off all the same with --force-not-ours)"
                )
            );
            let up = ipbind(&node, &format!("up {vip} --device eth0{dry_run}")).status_is(4);
            assert_eq!(
                fail(&up),
                format!(
                    "{vip} is on eth0 already and was not put on by ims-ipbind (whoever put it on may do so on \
                     another node too, at boot for example; when that is settled, add --adopt)"
                )
            );
        }
        assert_eq!(addresses(&node), before);
        assert_eq!(told(&ipbind(&node, &format!("up {vip} --device eth0 --adopt -n")).ok())["changed"], true);
        assert_eq!(ours(&node, vip), false);
        for changed in [true, false] {
            let up = ipbind(&node, &format!("up {vip} --device eth0 --adopt")).ok();
            assert_eq!((&told(&up)["ours"], &told(&up)["changed"]), (&json!(true), &json!(changed)), "{up}");
        }
        // It is the same address, for ever now.
        let line = node.sh(&format!("ip -o address show to {}", vip.split('/').next().unwrap())).ok().stdout;
        assert!(line.contains("valid_lft forever preferred_lft forever"), "{line}");
        assert!(!line.contains("dynamic") && !line.contains("tentative"), "{line}");
        ipbind(&node, &format!("down {vip} --device eth0")).ok();
        // And with the force it goes without having been adopted.
        node.sh(&format!("ip address add {vip} dev eth0 nodad")).ok();
        assert_eq!(
            told(&ipbind(&node, &format!("down {vip} --device eth0 --force-not-ours")).ok())["changed"],
            true
        );
        assert!(!has(&node, vip));
    }
}

/// Takes away every address that the kernel marks as its own, so that the node looks as before Linux 5.18.
fn unmark(node: &Node) {
    node.sh("ip link set lo down; ip -6 address flush dev eth0 scope link").ok();
}

#[test]
fn where_the_kernel_keeps_no_mark_the_label_of_an_ipv4_address_is_one() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    unmark(&node);
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    assert!(addresses(&node).contains("inet 192.0.2.7/24 brd 192.0.2.255 scope global secondary eth0:ims"));
    ipbind(&node, &format!("down {VIP} --device eth0")).ok();
    // As such a kernel keeps what we put on: the label without the mark.
    node.sh("ip address add 192.0.2.7/24 dev eth0 label eth0:ims; ip address add 192.0.2.8/24 dev eth0").ok();
    assert_eq!((ours(&node, VIP), ours(&node, "192.0.2.8/24")), (json!(true), json!(false)));
    ipbind(&node, &format!("down {VIP} --device eth0")).ok();
    ipbind(&node, "down 192.0.2.8/24 --device eth0").status_is(4);
    assert!(!has(&node, VIP) && has(&node, "192.0.2.8"));
    // IPv6 addresses have no label: whose it is stays unknown, and it is brought up and taken off as was said.
    node.sh(&format!("ip address add {VIP6} dev eth0 nodad")).ok();
    assert_eq!(ours(&node, VIP6), Value::Null);
    let table = ipbind(&node, &format!("look {VIP6} --device eth0 -o table")).ok().stdout;
    assert!(table.contains("unknown"), "{table}");
    ipbind(&node, &format!("up {VIP6} --device eth0 --probe-wait 0s")).ok();
    ipbind(&node, &format!("down {VIP6} --device eth0")).ok();
    assert!(!has(&node, VIP6));
}

#[test]
fn an_address_that_somebody_else_puts_on_meanwhile_is_not_taken_for_ours() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    let running = node.spawn(["ims-ipbind", "up", VIP, "--device", "eth0", "--probe-wait", "10s"]);
    // It has looked and asks the neighbours now: it has a packet socket.
    let asks = || node.sh("cat /proc/net/packet").ok().stdout.lines().count() > 1;
    assert!(until(Duration::from_secs(8), asks), "it asks nobody");
    node.sh(&format!("ip address add {VIP} dev eth0")).ok();
    let up = running.wait(Duration::from_secs(30)).status_is(4);
    assert!(fail(&up).contains("was not put on by ims-ipbind"), "{up}");
    assert_eq!(ours(&node, VIP), false);
}

//! `ims-ipbind up`, `down`, `announce` and `look` on real interfaces between namespaces.

mod ahead;
mod announce;
mod client;
mod connections;
mod faults;
mod marks;
mod neighbours;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const VIP: &str = "192.0.2.7/24";
const VIP6: &str = "2001:db8::7/64";

fn ipbind(node: &Node, line: &str) -> Ran {
    node.run(std::iter::once("ims-ipbind").chain(line.split(' ')))
}

/// The record of an address without the time it took, and what else was printed.
fn told(ran: &Ran) -> Value {
    let mut record = ran.records().remove(0);
    record.as_object_mut().unwrap().remove("took_ms").expect("every address record says how long it took");
    record
}

fn fail(ran: &Ran) -> String {
    let records = ran.records();
    let last = records.last().unwrap();
    assert_eq!(last["schema"], "ims.fail/1", "{ran}");
    assert_eq!(ran.stderr, format!("ims-ipbind: {}\n", last["message"].as_str().unwrap()), "{ran}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    last["message"].as_str().unwrap().to_owned()
}

/// Every address of the node as the kernel lists it, without the times that run and its cards' own.
fn addresses(node: &Node) -> String {
    node.sh("ip -o addr show | sed '/scope link/d; s/valid_lft.*//'").ok().stdout
}

fn mac(node: &Node) -> String {
    let found: Value =
        serde_json::from_str(&node.run(["ip", "-j", "link", "show", "eth0"]).ok().stdout).unwrap();
    found[0]["address"].as_str().unwrap().to_owned()
}

fn has(node: &Node, address: &str) -> bool {
    node.has_address(address.split('/').next().unwrap().parse().unwrap())
}

/// Waits until the kernel has ended its search for duplicates of the node's own addresses.
fn settle(node: &Node) {
    assert!(until(Duration::from_secs(10), || node.has_address(node.address6().into())), "{}", node.name());
}

/// An interface of the node's own that can be taken away, with a neighbour: `br9`.
fn bridge(node: &Node) {
    node.sh(
        "ip link add br9 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br9 up; \
         ip link set v1 up; ip link set br9 up",
    )
    .ok();
    assert!(until(Duration::from_secs(10), || ipbind(node, "look --device br9").is_ok()));
}

#[test]
fn an_address_is_put_on_and_taken_off_and_a_second_run_changes_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let before = addresses(&node);
    let record = |state: &str, changed: bool, announced: u32| {
        json!({"schema": "ims.address/1", "host": "mail-1", "address": VIP, "device": "eth0", "state": state,
            "reason": null, "changed": changed, "dry_run": false, "ours": state == "up", "answered_by": null,
            "connections_reset": 0, "neighbours_flushed": 0, "announced": announced})
    };
    let look = format!("look {VIP} --device eth0");
    assert_eq!(told(&ipbind(&node, &look).status_is(1)), record("down", false, 0));
    for changed in [true, false] {
        let up = ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 50ms")).ok();
        assert_eq!(told(&up), record("up", changed, 1));
        assert_eq!(up.stderr, "");
        assert!(has(&node, VIP));
    }
    let line = addresses(&node);
    assert!(line.contains("inet 192.0.2.7/24 brd 192.0.2.255 scope global secondary"), "{line}");
    assert_eq!(told(&ipbind(&node, &look).ok()), record("up", false, 0));
    for changed in [true, false] {
        assert_eq!(
            told(&ipbind(&node, &format!("down {VIP} --device eth0")).ok()),
            record("down", changed, 0)
        );
    }
    assert_eq!(addresses(&node), before);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_changes_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let before = addresses(&node);
    let up = ipbind(&node, &format!("up {VIP} --device eth0 -n --probe-wait 50ms")).ok();
    assert_eq!((&told(&up)["state"], &told(&up)["changed"]), (&json!("down"), &json!(true)));
    assert_eq!(told(&up)["dry_run"], true);
    let table = ipbind(&node, &format!("up {VIP} --device eth0 -n --probe-wait 50ms -o table")).ok();
    assert_eq!(
        table.stdout,
        "ask the neighbours for 50ms whether somebody has it\nput it on\ntell the neighbours\n \
         ADDRESS       DEVICE  STATE  OURS  CHANGED   ANSWERED_BY  REASON\n \
         192.0.2.7/24  eth0    down   no    would be  -            -\n"
    );
    assert_eq!(addresses(&node), before);
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    let before = addresses(&node);
    assert_eq!(told(&ipbind(&node, &format!("down {VIP} --device eth0 --dry-run")).ok())["changed"], true);
    assert_eq!(told(&ipbind(&node, &format!("up {VIP} --device eth0 --dry-run")).ok())["changed"], false);
    assert_eq!(addresses(&node), before);
}

#[test]
fn an_address_that_stands_elsewhere_on_the_node_is_left_alone() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("ip addr add 192.0.2.7/25 dev eth0; ip addr add 192.0.2.8/32 dev lo").ok();
    for ours in ["192.0.2.9/25 --device eth0", "192.0.2.10/32 --device lo"] {
        ipbind(&node, &format!("up {ours} --probe-wait 0s")).ok();
    }
    let before = addresses(&node);
    for verb in ["up", "down"] {
        for (address, message) in [
            (
                "192.0.2.7/24",
                "eth0 has 192.0.2.7/25, not 192.0.2.7/24 \
                 (correct the prefix length, or first: have 192.0.2.7/25 taken off eth0 by whoever put it on)",
            ),
            (
                "192.0.2.8/24",
                "192.0.2.8 is on lo, not on eth0 \
                 (correct the interface, or first: have 192.0.2.8/32 taken off lo by whoever put it on)",
            ),
            (
                "192.0.2.9/24",
                "eth0 has 192.0.2.9/25, not 192.0.2.9/24 \
                 (correct the prefix length, or first: ims-ipbind down 192.0.2.9/25 --device eth0)",
            ),
            (
                "192.0.2.10/24",
                "192.0.2.10 is on lo, not on eth0 \
                 (correct the interface, or first: ims-ipbind down 192.0.2.10/32 --device lo)",
            ),
        ] {
            let refused = ipbind(&node, &format!("{verb} {address} --device eth0")).status_is(4);
            assert_eq!(fail(&refused), message, "{verb}");
        }
    }
    let look = ipbind(&node, "look 192.0.2.7/24 --device eth0").status_is(3);
    assert_eq!(told(&look)["reason"], "it stands there with the prefix length 25");
    let look = ipbind(&node, "look 192.0.2.8/24 --device eth0").status_is(3);
    assert_eq!((&told(&look)["state"], &told(&look)["reason"]), (&json!("partial"), &json!("it is on lo")));
    assert_eq!(addresses(&node), before);
}

#[test]
fn an_interface_is_looked_at_by_its_name_its_switch_and_its_wire() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let card = mac(&node);
    let look = |device: &str, status: i32| {
        let ran = ipbind(&node, &format!("look --device {device}")).status_is(status);
        ran.records().remove(0)
    };
    let record = |device: &str, state: &str, reason: Value, mac: Value| {
        json!({"schema": "ims.link/1", "host": "mail-1", "device": device, "state": state, "reason": reason,
            "mac": mac})
    };
    assert_eq!(look("eth0", 0), record("eth0", "up", Value::Null, json!(card)));
    assert_eq!(look("eth9", 1), record("eth9", "down", json!("there is no such interface"), Value::Null));
    node.cut();
    assert_eq!(look("eth0", 1), record("eth0", "down", json!("it is not connected"), json!(card)));
    // Nobody can be asked now: unknown is never no.
    let unknown = ipbind(&node, &format!("up {VIP} --device eth0")).status_is(3);
    assert_eq!(
        fail(&unknown),
        "cannot ask whether somebody else has 192.0.2.7: eth0 is not connected \
         (connect it, or ask nobody with --probe-wait 0s)"
    );
    let look_around = ipbind(&node, &format!("look {VIP} --device eth0 --probe-wait 1s")).status_is(3);
    assert_eq!(look_around.records()[0]["state"], "down");
    assert!(!has(&node, VIP));
    node.join();
    node.sh("ip link set eth0 down").ok();
    assert_eq!(look("eth0", 1), record("eth0", "down", json!("it is set down"), json!(card)));
    let failed = ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).status_is(5);
    assert_eq!(fail(&failed), "cannot bring 192.0.2.7/24 up: eth0 is set down (ip link set eth0 up)");
    node.sh("ip addr add 192.0.2.7/24 dev eth0").ok();
    let look = ipbind(&node, &format!("look {VIP} --device eth0")).status_is(3);
    assert_eq!(told(&look)["reason"], "eth0 is set down");
}

#[test]
fn a_missing_interface_is_named_among_those_there_are_and_nothing_is_on_it() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let up = ipbind(&node, &format!("up {VIP} --device eth9")).status_is(2);
    assert_eq!(fail(&up), "no interface 'eth9' (there are lo, eth0)");
    let look = ipbind(&node, &format!("look {VIP} --device eth9")).status_is(1);
    assert_eq!(told(&look)["reason"], "there is no interface eth9");
    // Stopping must succeed when the card is gone, with all that was on it.
    let down = ipbind(&node, &format!("down {VIP} --device eth9")).ok();
    assert_eq!((&told(&down)["state"], &told(&down)["changed"]), (&json!("down"), &json!(false)));
    // But not while the address is up on another one.
    node.sh("ip addr add 192.0.2.7/24 dev eth0").ok();
    ipbind(&node, &format!("down {VIP} --device eth9")).status_is(4);
}

#[test]
fn taking_an_address_off_leaves_the_others_of_its_network() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    for promote in [0, 1] {
        node.sh(&format!("echo {promote} >/proc/sys/net/ipv4/conf/eth0/promote_secondaries")).ok();
        // The first address of a network takes the later ones with it, unless somebody minds them.
        ipbind(&node, "up 198.51.100.7/24 --device eth0 --probe-wait 0s").ok();
        node.sh("ip addr add 198.51.100.8/24 dev eth0 label eth0:x; ip addr add 198.51.100.9/24 dev eth0")
            .ok();
        let down = ipbind(&node, "down 198.51.100.7/24 --device eth0").ok();
        assert_eq!(told(&down)["changed"], true);
        let left = addresses(&node);
        assert!(!left.contains("198.51.100.7"), "{left}");
        assert!(left.contains("inet 198.51.100.8/24 scope global eth0:x"), "promote {promote}: {left}");
        assert!(
            left.contains("inet 198.51.100.9/24 scope global secondary eth0"),
            "promote {promote}: {left}"
        );
        node.sh("ip addr del 198.51.100.9/24 dev eth0; ip addr del 198.51.100.8/24 dev eth0").ok();
    }
}

#[test]
fn a_wrong_command_line_is_told_in_a_line() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    for line in [
        "up 192.0.2.7 --device eth0",
        "up 192.0.2.7/33 --device eth0",
        "up 224.0.0.1/24 --device eth0",
        "up 192.0.2.7/24",
        "up 127.0.0.1/8 --device eth0",
        "down ::1/128 --device lo",
        "announce 192.0.2.7/24 --device eth0 --count 0",
        "announce 192.0.2.7/24 --device eth0 --count 101",
        "announce 192.0.2.7/24",
        "up 192.0.2.7/24 --device eth0 --probe-wait soon",
        "look --device eth0 --probe-wait 1s",
        "down --device eth0",
    ] {
        fail(&ipbind(&node, line).status_is(2));
    }
}

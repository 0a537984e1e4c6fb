//! `ims-ipbind up`, `down` and `look` on real interfaces between namespaces.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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

#[test]
fn an_address_is_put_on_and_taken_off_and_a_second_run_changes_nothing() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let before = addresses(&node);
    let record = |state: &str, changed: bool| {
        json!({"schema": "ims.address/1", "host": "mail-1", "address": VIP, "device": "eth0", "state": state,
            "reason": null, "changed": changed, "dry_run": false, "ours": state == "up", "answered_by": null})
    };
    let look = format!("look {VIP} --device eth0");
    assert_eq!(told(&ipbind(&node, &look).status_is(1)), record("down", false));
    for changed in [true, false] {
        let up = ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 50ms")).ok();
        assert_eq!(told(&up), record("up", changed));
        assert_eq!(up.stderr, "");
        assert!(has(&node, VIP));
    }
    let line = addresses(&node);
    assert!(line.contains("inet 192.0.2.7/24 brd 192.0.2.255 scope global secondary"), "{line}");
    assert_eq!(told(&ipbind(&node, &look).ok()), record("up", false));
    for changed in [true, false] {
        assert_eq!(told(&ipbind(&node, &format!("down {VIP} --device eth0")).ok()), record("down", changed));
    }
    assert_eq!(addresses(&node), before);
}

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
        let up = format!("ims-ipbind up {vip} --device eth0 --probe-wait 200ms");
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
         ADDRESS       DEVICE  STATE  CHANGED   ANSWERED_BY  REASON\n \
         192.0.2.7/24  eth0    down   would be  -            -\n"
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
    let before = addresses(&node);
    for verb in ["up", "down"] {
        for (address, message) in [
            (
                "192.0.2.7/24",
                "eth0 has 192.0.2.7/25, not 192.0.2.7/24 \
                 (correct the prefix length, or first: ims-ipbind down 192.0.2.7/25 --device eth0)",
            ),
            (
                "192.0.2.8/24",
                "192.0.2.8 is on lo, not on eth0 \
                 (correct the interface, or first: ims-ipbind down 192.0.2.8/24 --device lo)",
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
fn without_root_nothing_is_changed_and_the_way_out_is_told() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    ipbind(&node, "up 192.0.2.9/24 --device eth0 --probe-wait 0s").ok();
    let before = addresses(&node);
    let nobody = |line: &str| {
        let words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "ims-ipbind"];
        node.run(words.into_iter().chain(line.split(' ')))
    };
    for (line, message) in [
        (
            "up 192.0.2.7/24 --device eth0",
            "cannot ask the neighbours on eth0 for 192.0.2.7: Operation not permitted (run as root)",
        ),
        (
            "up 192.0.2.7/24 --device eth0 --probe-wait 0s",
            "cannot add 192.0.2.7/24 to eth0: Operation not permitted (run as root)",
        ),
        (
            "up 2001:db8::7/64 --device eth0",
            "cannot hear the neighbours on eth0: Operation not permitted (run as root)",
        ),
        (
            "down 192.0.2.9/24 --device eth0",
            "cannot remove 192.0.2.9/24 from eth0: Operation not permitted (run as root)",
        ),
    ] {
        assert_eq!(fail(&nobody(line).status_is(5)), message, "{line}");
    }
    assert_eq!(addresses(&node), before);
    nobody("look 192.0.2.9/24 --device eth0").ok();
    nobody("look --device eth0").ok();
}

#[test]
fn the_kernels_own_words_are_told() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6").ok();
    let failed = ipbind(&node, &format!("up {VIP6} --device eth0 --probe-wait 0s")).status_is(5);
    // Some kernels put the subsystem's name before their words.
    let message = fail(&failed).replace(": ipv6:", ":");
    assert_eq!(message, "cannot add 2001:db8::7/64 to eth0: IPv6 is disabled on this device");
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

/// Runs a line of ims-ipbind with strace(1) doing something at one of its system calls.
fn injected(node: &Node, line: &str, inject: &str) -> Ran {
    let words = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=sendto,bind,recvfrom,socket,write"];
    let inject = format!("inject={inject}");
    node.run(words.into_iter().chain(["-e", &inject, "ims-ipbind"]).chain(line.split(' ')))
}

#[test]
fn a_run_killed_at_any_system_call_is_finished_by_the_same_run_again() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    node.sh("echo 0 >/proc/sys/net/ipv4/conf/eth0/promote_secondaries").ok();
    let before = addresses(&node);
    let vip = "198.51.100.7/24";
    for verb in ["up", "down"] {
        let line = format!("{verb} {vip} --device eth0").replace("up", "up --probe-wait 3ms");
        let mut killed = 0;
        for call in ["socket", "bind", "sendto", "recvfrom", "write"] {
            for number in 1.. {
                if verb == "down" {
                    ipbind(&node, &format!("up {vip} --device eth0 --probe-wait 0s")).ok();
                    node.sh("ip addr add 198.51.100.8/24 dev eth0 2>/dev/null || true").ok();
                }
                let ran = injected(&node, &line, &format!("{call}:signal=KILL:when={number}"));
                let is_over = ran.status == Some(0);
                assert!(is_over || ran.signal.is_some() || ran.status == Some(137), "{ran}");
                assert_eq!(addresses(&node).contains("198.51.100.8"), verb == "down", "{ran}");
                ipbind(&node, &line).ok();
                assert_eq!(has(&node, vip), verb == "up", "{line}, killed at {call} {number}");
                node.sh("for a in 7 8; do ip addr del 198.51.100.$a/24 dev eth0 2>/dev/null || true; done")
                    .ok();
                if is_over {
                    break;
                }
                killed += 1;
            }
        }
        println!("{verb} was killed at {killed} places");
        assert!(killed > 10, "{verb}: {killed}");
    }
    assert_eq!(addresses(&node), before);
}

#[test]
fn an_announcement_that_fails_is_undone_and_an_undo_that_fails_is_told() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let before = addresses(&node);
    let line = format!("up {VIP} --device eth0 --probe-wait 0s");
    // The sends: links, addresses, the order, the card's list (2), two announcements; then the undo: addresses, order.
    let failed = injected(&node, &line, "sendto:error=ENOBUFS:when=6").status_is(5);
    assert_eq!(fail(&failed), "cannot announce 192.0.2.7 on eth0: No buffer space available");
    assert_eq!(told(&failed)["changed"], false);
    assert_eq!(addresses(&node), before);
    let broken = injected(&node, &line, "sendto:error=ENOBUFS:when=6..8+2").status_is(6);
    assert_eq!(
        fail(&broken),
        "cannot announce 192.0.2.7 on eth0: No buffer space available; and putting it back failed: \
         cannot remove 192.0.2.7/24 from eth0: No buffer space available"
    );
    assert_eq!((&told(&broken)["state"], &told(&broken)["changed"]), (&json!("up"), &json!(true)));
    // And what is broken is mended by the same run again.
    ipbind(&node, &line).ok();
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
        "up 192.0.2.7/24 --device eth0 --announce 0",
        "up 192.0.2.7/24 --device eth0 --probe-wait soon",
        "look --device eth0 --probe-wait 1s",
        "down --device eth0",
    ] {
        fail(&ipbind(&node, line).status_is(2));
    }
}

/// Answers every datagram until told to stop.
fn echo(socket: &UdpSocket, stop: &AtomicBool) {
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 16];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..length], from); // nobody is sure to hear an echo
        }
    }
}

/// The longest time between two echoes, from the first to the last, while something is done in between. The client
/// sends every half millisecond; only an echo of the node that has the address comes back.
fn longest_gap(bed: &Bed, to: SocketAddr, patience: Duration, between: impl FnOnce()) -> Duration {
    let client = bed.client();
    let socket = client.inside(|| UdpSocket::bind(("0.0.0.0", 0))).unwrap();
    socket.set_read_timeout(Some(Duration::from_micros(500))).unwrap();
    let is_done = AtomicBool::new(false);
    let mut buffer = [0; 16];
    let mut heard: Vec<Instant> = Vec::new();
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut after = None;
            loop {
                let _ = socket.send_to(b"x", to); // no route to it for a moment is part of the gap
                if socket.recv_from(&mut buffer).is_ok() {
                    heard.push(Instant::now());
                }
                let done = is_done.load(Ordering::Relaxed).then(|| *after.get_or_insert_with(Instant::now));
                let is_back = done.is_some_and(|done| heard.last().is_some_and(|last| *last > done));
                if done.is_some_and(|done| done.elapsed() > patience)
                    || is_back && done.is_some_and(|done| done.elapsed() > Duration::from_millis(50))
                {
                    heard.push(Instant::now()); // what is not back yet counts as long as we waited
                    return heard;
                }
            }
        });
        std::thread::sleep(Duration::from_millis(50)); // a stretch of the steady state, as part of the measure
        between();
        is_done.store(true, Ordering::Relaxed);
        let heard = watch.join().unwrap();
        assert!(heard.len() > 20, "the client heard the first node");
        heard.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    })
}

#[test]
fn a_client_follows_a_moved_address_at_once_because_it_was_told() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let nodes = [bed.node("mail-1"), bed.node("mail-2")];
    nodes.iter().for_each(settle);
    settle(&bed.client());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for node in &nodes {
            let socket = node.inside(|| UdpSocket::bind(("0.0.0.0", 7007))).unwrap();
            scope.spawn(|| echo(&{ socket }, &stop));
        }
        let [from, to] = &nodes;
        let vip: SocketAddr = "192.0.2.7:7007".parse().unwrap();
        let mut gaps = Vec::new();
        for turn in 0..8 {
            let (from, to) = if turn % 2 == 0 { (from, to) } else { (to, from) };
            ipbind(from, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
            gaps.push(longest_gap(&bed, vip, Duration::from_secs(5), || {
                ipbind(from, &format!("down {VIP} --device eth0")).ok();
                ipbind(to, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
            }));
        }
        // The same move untold: what the announcement is worth, and the proof that this test can fail.
        ipbind(from, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
        ipbind(to, &format!("down {VIP} --device eth0")).ok();
        longest_gap(&bed, vip, Duration::from_secs(5), || {});
        let untold = longest_gap(&bed, vip, Duration::from_millis(1500), || {
            from.sh(&format!("ip addr del {VIP} dev eth0")).ok();
            to.sh(&format!("ip addr add {VIP} dev eth0")).ok();
        });
        stop.store(true, Ordering::Relaxed);
        gaps.sort();
        println!("the client's gap, told: {gaps:?}; untold: {untold:?} or more");
        assert!(gaps[gaps.len() / 2] < Duration::from_millis(300), "{gaps:?}");
        assert!(untold > Duration::from_secs(1), "{untold:?}");
    });
}

#[test]
fn an_address_comes_up_in_milliseconds_when_nobody_is_asked() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let mut took: Vec<Duration> = Vec::new();
    let mut floor: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        took.push(ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok().took);
        ipbind(&node, &format!("down {VIP} --device eth0")).ok();
        floor.push(node.run(["true"]).ok().took);
    }
    took.sort();
    floor.sort();
    println!("up without probing: median {:?}, best {:?}; true(1): {:?}", took[10], took[0], floor[10]);
    assert!(took[10] < floor[10] + Duration::from_millis(200), "{took:?}");
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

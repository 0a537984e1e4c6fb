//! What is left when something goes wrong: no root, a kill at any moment, an undo that fails.

use rustix::process::Signal;
use serde_json::json;

use super::*;

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
    for (line, status, message) in [
        (
            "up 192.0.2.7/24 --device eth0",
            3,
            "cannot ask the neighbours on eth0 for 192.0.2.7: Operation not permitted (run as root)",
        ),
        (
            "up 192.0.2.7/24 --device eth0 --probe-wait 0s",
            5,
            "cannot add 192.0.2.7/24 to eth0: Operation not permitted (run as root)",
        ),
        (
            "up 2001:db8::7/64 --device eth0",
            3,
            "cannot ask the neighbours on eth0 for 2001:db8::7: Operation not permitted (run as root)",
        ),
        (
            "down 192.0.2.9/24 --device eth0",
            5,
            "cannot remove 192.0.2.9/24 from eth0: Operation not permitted (run as root)",
        ),
        (
            "announce 192.0.2.9/24 --device eth0",
            5,
            "cannot announce 192.0.2.9 on eth0: Operation not permitted (run as root)",
        ),
    ] {
        assert_eq!(fail(&nobody(line).status_is(status)), message, "{line}");
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
    ipbind(&node, &format!("down {VIP} --device eth0")).ok();
    // Where it stands at the end cannot be told either: that hides neither the failure nor how grave it is.
    for (sends, status, undo) in [("6..9+3", 5, ""), ("6+", 6, "putting it back failed")] {
        let untold = injected(&node, &line, &format!("sendto:error=ENOBUFS:when={sends}")).status_is(status);
        let told: Vec<&str> = untold.stderr.lines().collect();
        assert_eq!(told[0], "ims-ipbind: cannot list the interfaces: No buffer space available", "{untold}");
        assert!(told[1].starts_with("ims-ipbind: cannot announce 192.0.2.7 on eth0: No buffer"), "{untold}");
        assert!(told.len() == 2 && told[1].contains(undo), "{untold}");
        assert_eq!(untold.records().len(), 1, "{untold}");
        assert_eq!(has(&node, VIP), status == 6, "{untold}");
        ipbind(&node, &format!("down {VIP} --device eth0")).ok();
    }
}

#[test]
fn what_stood_there_before_is_put_back_whatever_step_fails() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    // The kernel takes its time to look for a duplicate, so that it is still at it when it is looked at.
    node.sh("echo 99 >/proc/sys/net/ipv6/conf/eth0/dad_transmits").ok();
    let shown = |vip: &str| {
        let line = node
            .sh(&format!("ip -o address show to {} | sed 's/valid_lft.*//'", vip.split('/').next().unwrap()));
        line.ok().stdout
    };
    // Looked for by the kernel: taken off and put on anew. In use: marked as ours.
    for (vip, nodad) in [(VIP6, ""), (VIP6, "nodad"), (VIP, "")] {
        let line = format!("up {vip} --device eth0 --probe-wait 0s --adopt");
        let mut failed = 0;
        for number in 1.. {
            node.sh(&format!("ip address add {vip} dev eth0 {nodad} valid_lft 3600 preferred_lft 3600")).ok();
            let before = shown(vip);
            let ran = injected(&node, &line, &format!("sendto:error=ENOBUFS:when={number}"));
            let is_over = ran.is_ok();
            if !is_over {
                assert!(matches!(ran.status, Some(3 | 5)), "{vip} {number}: {ran}");
                // Only when all is done and cannot be looked at again is it not as before, and unknown.
                let is_done = ran.status == Some(3) && has(&node, vip);
                assert!(is_done || shown(vip) == before, "{vip} {number}, {before}, {}: {ran}", shown(vip));
                failed += 1;
            }
            node.sh(&format!("ip address del {vip} dev eth0")).ok();
            if is_over {
                break;
            }
        }
        println!("{line}: failed at {failed} places");
        assert!(failed > 4, "{failed}");
    }
    // It was taken off, and can neither be put on nor put back.
    node.sh(&format!("ip address add {VIP6} dev eth0")).ok();
    let line = format!("up {VIP6} --device eth0 --probe-wait 0s --adopt");
    let broken = injected(&node, &line, "sendto:error=ENOBUFS:when=5..6").status_is(6);
    assert_eq!(
        fail(&broken),
        "cannot add 2001:db8::7/64 to eth0: No buffer space available; and putting it back failed: cannot give eth0 \
         back 2001:db8::7/64 as it was: No buffer space available"
    );
    assert_eq!((&told(&broken)["state"], &told(&broken)["changed"]), (&json!("down"), &json!(true)));
}

#[test]
fn an_interface_that_goes_while_the_neighbours_are_asked_leaves_it_unknown() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    for vip in ["198.51.100.7/24", "2001:db8:1::7/64"] {
        bridge(&node);
        let run = node.spawn(format!("ims-ipbind up {vip} --device br9 --probe-wait 6s").split(' '));
        // It asks the neighbours now: it has a packet socket.
        let asks = || node.sh("cat /proc/net/packet").ok().stdout.lines().count() > 1;
        assert!(until(Duration::from_secs(8), asks), "it asks nobody");
        node.sh("ip link del br9; ip link del v0").ok();
        let gone = run.wait(Duration::from_secs(30)).status_is(3);
        assert!(fail(&gone).starts_with("cannot ask the neighbours on br9 for "), "{gone}");
    }
}

#[test]
fn a_run_that_is_asked_to_stop_ends_between_two_steps_and_says_so() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    settle(&node);
    let before = addresses(&node);
    for vip in [VIP, VIP6] {
        let run = node.spawn(format!("ims-ipbind up {vip} --device eth0 --probe-wait 3s").split(' '));
        // Once the signal would no longer end the run in the middle.
        assert!(until(Duration::from_secs(10), || {
            let pid = run.id();
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let holds = |line: &str| line.starts_with("SigBlk:") && line.trim_end().ends_with("4002");
            status.lines().any(holds)
        }));
        run.signal(Signal::TERM);
        let stopped = run.wait(Duration::from_secs(10)).status_is(5);
        assert_eq!(
            fail(&stopped),
            format!("{vip} was not brought up on eth0: stopped by SIGTERM (the same command again does it)")
        );
        assert_eq!(addresses(&node), before, "{vip}");
    }
}

//! Announcements: how often, how far apart, and only of what is up here.

use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::*;

/// Every frame that reaches the client from now on; a silence is told after a moment.
fn ear(client: &Node) -> OwnedFd {
    client.inside(|| {
        let flags = SockFlag::SOCK_CLOEXEC;
        let ear = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).unwrap();
        setsockopt(&ear, sockopt::ReceiveTimeout, &TimeVal::milliseconds(10)).unwrap();
        ear
    })
}

/// Whether a frame announces an address: an ARP packet from it for it, or an advertisement of it to all nodes.
fn announces(frame: &[u8], ip: IpAddr) -> bool {
    match (ip, frame.get(12..14)) {
        (IpAddr::V4(ip), Some([8, 6])) => {
            frame.get(28..32) == Some(&ip.octets()) && frame.get(38..42) == Some(&ip.octets())
        }
        (IpAddr::V6(ip), Some([0x86, 0xdd])) => {
            frame.get(54) == Some(&136) && frame.get(62..78) == Some(&ip.octets())
        }
        _ => false,
    }
}

/// Runs something and says when the address was announced meanwhile.
fn heard(client: &Node, ip: IpAddr, work: impl FnOnce() + Send) -> Vec<Instant> {
    let ear = ear(client);
    let mut moments = Vec::new();
    std::thread::scope(|scope| {
        let work = scope.spawn(work);
        let mut is_over = false;
        loop {
            let mut frame = [0; 2048];
            match recv(ear.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(length) if announces(&frame[..length], ip) => moments.push(Instant::now()),
                Ok(_) => {}
                Err(_) if is_over => break,
                Err(_) => is_over = work.is_finished(),
            }
        }
        work.join().unwrap();
    });
    moments
}

#[test]
fn up_tells_once_and_announce_tells_again_as_the_standards_have_it() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    settle(&node);
    settle(&client);
    // IPv4 is announced in both forms each time, a request and a reply.
    for (vip, forms, count, every) in [(VIP, 2, 2, 2000), (VIP6, 1, 3, 1000)] {
        let ip: IpAddr = vip.split('/').next().unwrap().parse().unwrap();
        let up = heard(&client, ip, || {
            let up = ipbind(&node, &format!("up {vip} --device eth0 --probe-wait 0s")).ok();
            assert_eq!(told(&up)["announced"], 1);
        });
        assert_eq!(up.len(), forms, "{vip}");
        let again = heard(&client, ip, || {
            let ran = ipbind(&node, &format!("announce {vip} --device eth0")).ok();
            assert_eq!(
                told(&ran),
                json!({"schema": "ims.address/1", "host": "mail-1", "address": vip, "device": "eth0",
                    "state": "up", "reason": null, "changed": false, "dry_run": false, "ours": true,
                    "answered_by": null, "connections_reset": 0, "neighbours_flushed": 0, "announced": count})
            );
        });
        assert_eq!(again.len(), count * forms, "{vip}");
        let gaps: Vec<u128> = again.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
        println!("{vip}: announced with gaps of {gaps:?} ms");
        assert_eq!(
            gaps.iter().filter(|gap| (every - 500..every + 5000).contains(*gap)).count(),
            count - 1,
            "{gaps:?}"
        );
    }
    // A count and a time of one's own, and a dry run that is not heard.
    let ip = "192.0.2.7".parse().unwrap();
    let own = heard(&client, ip, || {
        ipbind(&node, &format!("announce {VIP} --device eth0 --count 5 --every 10ms")).ok();
    });
    assert_eq!(own.len(), 10);
    let dry = heard(&client, ip, || {
        let ran = ipbind(&node, &format!("announce {VIP} --device eth0 -n -o table")).ok();
        assert!(ran.stdout.starts_with("tell the neighbours\ntell the neighbours\n "), "{ran}");
    });
    assert_eq!(dry.len(), 0);
}

#[test]
fn what_is_not_up_here_is_not_announced() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    node.sh("ip address add 192.0.2.8/25 dev eth0").ok();
    let heard = heard(&client, "192.0.2.7".parse().unwrap(), || {
        for (line, status, message) in [
            ("192.0.2.7/24 --device eth0", 4, "192.0.2.7/24 is not up on eth0: it is not there"),
            (
                "192.0.2.8/24 --device eth0",
                4,
                "192.0.2.8/24 is not up on eth0: it stands there with the prefix length 25",
            ),
            ("192.0.2.8/24 --device lo", 4, "192.0.2.8/24 is not up on lo: it is on eth0"),
            ("192.0.2.7/24 --device eth9", 2, "no interface 'eth9' (there are lo, eth0)"),
            ("192.0.2.7/24 --device eth0 --every 1ms", 2, "--every 1ms: give 10ms or more"),
            (
                "2001:db8::7/64 --device eth0 --count 4",
                2,
                "--count 4: an IPv6 address is announced 3 times at most: RFC 4861 section 7.2.6",
            ),
        ] {
            let ran = ipbind(&node, &format!("announce {line}")).status_is(status);
            assert_eq!(fail(&ran), message, "{line}");
        }
    });
    assert_eq!(heard.len(), 0);
    // Nobody would hear it.
    node.cut();
    let failed = ipbind(&node, "announce 192.0.2.8/25 --device eth0").status_is(5);
    assert_eq!(fail(&failed), "cannot announce 192.0.2.8/25: eth0 is not connected");
    node.join();
    // Where there are no neighbours, nobody is to be told.
    node.sh("ip address add 192.0.2.9/32 dev lo").ok();
    assert_eq!(told(&ipbind(&node, "announce 192.0.2.9/32 --device lo").ok())["announced"], 0);
}

#[test]
fn an_announcement_ends_with_the_address_or_with_a_signal() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    settle(&node);
    let card = mac(&node);
    ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
    let line = format!("ims-ipbind announce {VIP} --device eth0 --count 100 --every 100ms");
    // The first one was heard, so that the run is under way.
    let under_way = |words: &str| {
        client.sh("ip neigh replace 192.0.2.7 lladdr 02:00:00:00:00:99 dev eth0 nud reachable").ok();
        let run = node.spawn(words.split(' '));
        assert!(until(Duration::from_secs(10), || {
            client.sh("ip neigh show 192.0.2.7").ok().stdout.contains(&card)
        }));
        run
    };
    let run = under_way(&line);
    run.signal(Signal::TERM);
    let stopped = run.wait(Duration::from_secs(10)).status_is(5);
    let message = fail(&stopped);
    assert!(
        message.starts_with("192.0.2.7/24 was announced ")
            && message.ends_with(" of 100 times on eth0: stopped by SIGTERM"),
        "{message}"
    );
    assert!(has(&node, VIP));
    // An address that has moved on is not called back.
    let run = under_way(&line);
    ipbind(&node, &format!("down {VIP} --device eth0")).ok();
    let refused = run.wait(Duration::from_secs(10)).status_is(4);
    assert_eq!(fail(&refused), "192.0.2.7/24 is not up on eth0: it is not there");
    assert!(told(&refused)["announced"].as_u64().unwrap() >= 1, "{refused}");
    // And one whose interface goes is not up any more, which is not a wrong command line.
    bridge(&node);
    node.sh("echo 1 >/proc/sys/net/ipv6/conf/br9/disable_ipv6").ok(); // it says nothing of its own
    let said = || {
        let told: Value = serde_json::from_str(&node.sh("ip -j -s link show br9").ok().stdout).unwrap();
        told[0]["stats64"]["tx"]["packets"].as_u64().unwrap()
    };
    ipbind(&node, "up 198.51.100.7/24 --device br9 --probe-wait 0s").ok();
    let before = said();
    let line = "ims-ipbind announce 198.51.100.7/24 --device br9 --count 100 --every 100ms";
    let run = node.spawn(line.split(' '));
    assert!(until(Duration::from_secs(10), || said() > before));
    node.sh("ip link del br9; ip link del v0").ok();
    let refused = run.wait(Duration::from_secs(10)).status_is(4);
    assert_eq!(fail(&refused), "198.51.100.7/24 is not up on br9: there is no interface br9");
    assert!(told(&refused)["announced"].as_u64().unwrap() >= 1, "{refused}");
}
